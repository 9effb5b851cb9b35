"""A job that an approved request starts at once: started at Veeam, and its session followed to the end."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from audit.errors import Later
from encryption.engines.veeam.client import VeeamClient
from encryption.engines.veeam.inventory import Session
from encryption.errors import VeeamBusy, VeeamUnexpected, VeeamUnreachable
from encryption.models import JobSession, VeeamJob
from encryption.services.leases import Lease
from encryption.services.veeam import servers

_LOOK_AGAIN = timedelta(seconds=30)
# A job that still cannot be started, or a server that is still away, is said to have failed.
_PATIENCE = timedelta(days=2)
_NAME = "veeam_session"
_GOOD, _WARNING = ("success", "none", ""), "warning"


def follow(session: JobSession, lease: Lease) -> tuple[str, ...]:
    """Start the job, once, or look how far it is; return its warnings once it has ended.

    Raises Later while it runs, or while a run from before is under way; EngineError where it failed.
    """
    job = VeeamJob.objects.select_related("server__repository").get(job=session.job_id)
    try:
        with servers.client_for(job.server) as client:
            servers.check_identity(job.server, client.server_info().vbr_id)
            named = session.wish.get(_NAME)
            if named is None:
                _check_idle(client, job)
                begun = client.start_job(job.external)
                if begun is None:
                    return ("Veeam found nothing to process in this job.",)
                named = str(begun.id)
                lease.renew(wish={**session.wish, _NAME: named})
            found = client.session(UUID(named))
    except (VeeamBusy, VeeamUnreachable) as error:
        if timezone.now() - session.created_at > _PATIENCE:
            raise
        _let_go(lease)
        raise Later(_LOOK_AGAIN) from error
    if not found.is_over:
        _let_go(lease)
        raise Later(_LOOK_AGAIN)
    return _outcome(found)


def _check_idle(client: VeeamClient, job: VeeamJob) -> None:
    """Raise VeeamBusy while a run is under way: it began before the change, and writes as before."""
    for state in client.job_states():
        if str(state.get("id")) == str(job.external) and str(state.get("status")).casefold() == "running":
            raise VeeamBusy("A run of this job is under way.")


def _outcome(found: Session) -> tuple[str, ...]:
    result = found.result.casefold()
    if result == _WARNING:
        return (found.message or "Veeam ended the run with a warning.",)
    if result not in _GOOD or found.is_canceled:
        raise VeeamUnexpected(f"Veeam says that the run failed: {found.message or found.result}")
    return ()


def _let_go(lease: Lease) -> None:
    lease.renew()
    JobSession.objects.filter(pk=lease.row, fence=lease.fence).update(lease_until=timezone.now())
