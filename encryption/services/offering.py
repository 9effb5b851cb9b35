"""Proving the password of adopted jobs: typed once, tried at the keyrings that were adopted, then held here.

A password that nobody proved opens nothing. A proved one is held, logged, and approved by nobody.
"""

from uuid import UUID

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption import selectors
from encryption.crypto.secret import Secret, read_password
from encryption.engines.native.keyring import Roots, roots_of
from encryption.engines.registry import engine_for
from encryption.errors import EngineError, JobRefused, PasswordRefused
from encryption.models import AdoptedJob, Job, PasswordVersion, RestorePoint, VeeamAdoption
from encryption.services import adopting, offers, placing, vault
from encryption.services.veeam import adoption as at_veeam

State = VeeamAdoption.State


@sensitive_variables("typed")
def offer(encryption_password: UUID, *, by: User, typed: Secret) -> VeeamAdoption:
    """Offer the value of an unproven password: Veeam's verify tries it there, the adopted keyrings here.

    A page waits for `done_at`. Raises NotEligible, Unknown, ServerRefused, JobRefused.
    """
    if not AdoptedJob.objects.filter(version__password=encryption_password).exists():
        return at_veeam.adopt(encryption_password, by=by, typed=typed)
    event = Event.PASSWORD_OFFERED
    return offers.take(encryption_password, by=by, typed=typed, check=_check, event=event)


def prove(adoption_id: UUID) -> None:
    """Try what was offered, in the worker; it is held or forgotten. Raises Later while nothing is read."""
    made = offers.waiting(adoption_id)
    if made is None:
        return
    if not AdoptedJob.objects.filter(version__password=made.password_id).exists():
        at_veeam.prove(adoption_id)
        return
    audit.wait_while_older()
    try:
        with offers.opened(made) as typed, read_password(typed.reveal()) as password:
            _try(made, password)
    except OSError as error:
        offers.put_off(made, f"The repository cannot be read: {error.strerror or error}.", error)
    except (EngineError, PasswordRefused) as error:
        offers.end(made, State.FAILED, str(error))


def _check(password: UUID) -> None:
    if _unproven(password) is None:
        raise JobRefused("The value of this password is held here already.")
    if offers.too_many(password):
        raise JobRefused(offers.TOO_MANY)


def _unproven(password: UUID) -> PasswordVersion | None:
    rows = PasswordVersion.objects.filter(
        password=password, sealed_password=None, erased_at=None, adopted__isnull=False
    )
    return rows.filter(password__deleted_at=None).distinct().first()


@sensitive_variables("typed", "root")
def _try(made: VeeamAdoption, typed: Secret) -> None:
    version = _unproven(made.password_id)
    if version is None:
        offers.end(made, State.FAILED, "No adopted job waits for this password any more.")
        return
    roots, root, opened, others = roots_of(typed), None, [], []
    for adopted in selectors.adopted_keyrings().filter(version=version).select_related("job__repository"):
        found = _root(adopted, roots)
        if found is None:
            others.append(adopted)
        else:
            root = found
            opened.append(adopted)
    if root is None:
        _refuse(made)
        return
    judged = offers.judge(typed, made.password.hint)
    _hold(made, version, vault.seal_known(version, typed, root), judged, opened, others)


@sensitive_variables("root")
def _root(adopted: AdoptedJob, roots: Roots) -> bytes | None:
    """Return the root that opens the keyring that was adopted, None where the value is not its password."""
    try:
        head = engine_for(adopted.job.repository).head(adopted.job_id)
    except EngineError:
        return None
    if head is None or head.fingerprint != adopted.fingerprint:
        return None
    root = roots(head)
    return root if head.commits_to(root) else None


def _hold(
    made: VeeamAdoption,
    version: PasswordVersion,
    sealed: tuple[bytes, bytes],
    judged: tuple[int, int],
    opened: list[AdoptedJob],
    others: list[AdoptedJob],
) -> None:
    with audit.act(by=audit.WORKER, subject=made.password):
        locked = PasswordVersion.objects.select_for_update().get(pk=version.pk)
        if not locked.is_unproven:
            offers.end_within(made, State.FAILED, "Somebody else proved it meanwhile.")
            return
        locked.sealed_password, locked.sealed_root = sealed
        locked.strength, locked.length = judged
        locked.known_to = list(dict.fromkeys([*locked.known_to, str(made.person)]))
        locked.save(update_fields=["sealed_password", "sealed_root", "known_to", "strength", "length"])
        for adopted in others:
            _set_apart_within(adopted, version)
        for adopted in opened:
            AdoptedJob.objects.filter(pk=adopted.pk).update(proved_at=timezone.now())
            placing.settle_within(adopted.job)
        facts = {"adoption": made.pk, "by": made.asked_by, "jobs": len(opened), "apart": len(others)}
        audit.record(Event.PASSWORD_PROVED, facts=facts)
        resolve_alarm_within(Kind.PASSWORD_NOT_PROVED, made.password)
        apart = f" {len(others)} that said so too do not, and wait for another." if others else ""
        jobs = "one job" if len(opened) == 1 else f"{len(opened)} jobs"
        said = f"It opens the keyring of {jobs} and is held; nobody approved it.{apart}"
        offers.end_within(made, State.ADOPTED, said)


def _set_apart_within(adopted: AdoptedJob, version: PasswordVersion) -> None:
    """Give a job whose keyring only said that it is under a password a version of its own."""
    own = adopting.new_version_within(f"{version.hint}, {adopted.job_id}"[:255], version.kdf)
    Job.objects.filter(pk=adopted.job_id, password=version.password_id).update(password=own.password_id)
    RestorePoint.objects.filter(job=adopted.job_id, password_version=version).update(password_version=own)
    AdoptedJob.objects.filter(pk=adopted.pk).update(version=own)


def _refuse(made: VeeamAdoption) -> None:
    with audit.act(by=audit.WORKER, subject=made.password):
        facts = {"adoption": made.pk, "by": made.asked_by}
        audit.record(Event.PASSWORD_NOT_PROVED, facts=facts)
        text = f"A value was offered as “{made.password}” that opens none of its keyrings."
        raise_alarm_within(Kind.PASSWORD_NOT_PROVED, made.password, Alarm.Severity.WARNING, text)
        offers.end_within(made, State.WRONG, "It opens none of the adopted keyrings of this password.")
