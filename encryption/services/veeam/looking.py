"""The look at a server's certificate before it is trusted: asked by a page, done by the worker."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from audit import queue
from audit import services as audit
from audit.events import Event
from encryption.engines.veeam import tls
from encryption.errors import EngineError, ServerRefused, Unknown
from encryption.models import VeeamLook
from encryption.services.veeam import addresses, servers

# So many looks of one person in an hour: a wizard needs a few, a search through a network needs more.
MOST = 30
KEPT = timedelta(days=1)
_SECONDS = 10.0


def ask(address: str, port: int, *, by: User) -> VeeamLook:
    """Ask the worker to read a certificate; a page waits for `done_at`. Raises NotEligible, ServerRefused."""
    with audit.act(by=by, subject="veeam server"):
        servers.check_administrator(by)
        since = timezone.now() - timedelta(hours=1)
        if VeeamLook.objects.filter(asked_by=by.pk, asked_at__gt=since).count() >= MOST:
            raise ServerRefused("That were many looks in an hour: wait a while.")
        found = addresses.named(address, port)
        look = VeeamLook.objects.create(address=found, port=port, asked_by=by.pk)
        facts = {"address": found, "port": port}
        audit.record(Event.VEEAM_LOOKED_AT, subject=("encryption.veeamlook", look.pk), facts=facts)
        queue.ring(queue.Task.VEEAM_LOOK, look.pk)
    return look


def look(look_id: UUID) -> None:
    """Read the certificate in the worker, and say what was seen; nothing is sent to the server."""
    wish = VeeamLook.objects.filter(pk=look_id, done_at=None).first()
    if wish is None:
        return
    try:
        addresses.check(wish.address, wish.port)
        seen = tls.look(wish.address, wish.port, _SECONDS)
    except EngineError as error:
        wish.error = error.message
    else:
        wish.seen = {
            "not_after": seen.not_after.isoformat(),
            "subject": seen.subject,
            "thumbprint": seen.thumbprint_sha256,
            "thumbprint_sha1": seen.thumbprint_sha1,
            "tls_version": seen.tls_version,
        }
    wish.done_at = timezone.now()
    wish.save(update_fields=["seen", "error", "done_at"])
    VeeamLook.objects.filter(asked_at__lt=timezone.now() - KEPT).delete()


def result(look_id: UUID, *, by: User) -> VeeamLook:
    """Return a look of one's own, done or not yet. Raises Unknown."""
    found = VeeamLook.objects.filter(pk=look_id, asked_by=by.pk).first()
    if found is None:
        raise Unknown("There is no such look.")
    return found
