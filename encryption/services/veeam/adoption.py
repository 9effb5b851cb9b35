"""Adopting the value of a Veeam password: typed once, proved by Veeam's own verify, then held here.

What nobody proved to know stays *unproven*. An adopted value is held, logged, and approved by nobody.
"""

from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.errors import NotEligible
from accounts.models import User
from accounts.rules import permissions
from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.errors import Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.crypto.secret import Secret, strength
from encryption.errors import EngineError, ServerRefused, Unknown, VeeamUnreachable, VerifyBlocked
from encryption.models import PasswordVersion, VeeamAdoption, VeeamPassword
from encryption.services import intake, vault
from encryption.services.veeam import proving, servers, versions

# Who may ask for a change of the encryption of every job.
_ASK = "encryption.ask_change_job"
# So many tries at one password within an hour; a person who has the right copy needs one.
MOST = 10
_HOUR, _AGAIN = timedelta(hours=1), timedelta(seconds=30)

State = VeeamAdoption.State


@sensitive_variables("typed")
def adopt(encryption_password: UUID, *, by: User, typed: Secret) -> VeeamAdoption:
    """Offer the value in force of a Veeam password; Veeam verifies it, and a page waits for `done_at`.

    Raises NotEligible, Unknown, ServerRefused.
    """
    with audit.attempt(by=by, subject=("encryption.encryptionpassword", encryption_password)) as attempt:
        if _ASK not in permissions(by.facts()):
            raise NotEligible("Who may ask for changes of encryption may adopt a password.")
        there = VeeamPassword.objects.filter(password=encryption_password, gone_at=None).first()
        if there is None or there.password.deleted_at is not None:
            raise Unknown("There is no such password of a Veeam server.")
        _check(there)
        name = uuid4()
        with typed:
            sealed = intake.seal_for(owner_of(name, encryption_password), typed)
        with attempt.act():
            offer = VeeamAdoption.objects.create(
                id=name,
                password_id=encryption_password,
                asked_by=by.pk,
                person=by.person_id,
                sealed=sealed,
            )
            audit.record(Event.VEEAM_PASSWORD_OFFERED, facts={"adoption": offer.pk})
            queue.ring(queue.Task.VEEAM_ADOPT, offer.pk)
    return offer


def prove(adoption_id: UUID) -> None:
    """Have Veeam verify what was offered, in the worker; the value is held or forgotten. Raises Later."""
    offer = VeeamAdoption.objects.select_related("password").filter(pk=adoption_id, done_at=None).first()
    if offer is None or offer.sealed is None:
        return
    audit.wait_while_older()
    rows = VeeamPassword.objects.select_related("server__repository")
    there = rows.filter(password=offer.password_id, gone_at=None).first()
    if there is None:
        end(offer, State.FAILED, "The password does not exist at Veeam any more.")
        return
    try:
        with intake.open_for(owner_of(offer.pk, offer.password_id), bytes(offer.sealed)) as typed:
            _try(offer, there, typed)
    except VerifyBlocked as error:
        # Slowed, not lost: the minute passes.
        raise Later(proving.MINUTE) from error
    except VeeamUnreachable as error:
        if timezone.now() - offer.asked_at < _HOUR:
            raise Later(_AGAIN) from error
        end(offer, State.FAILED, error.message)
    except EngineError as error:
        end(offer, State.FAILED, error.message)


def _check(there: VeeamPassword) -> None:
    if there.is_kms:
        raise ServerRefused("The key of a KMS server is nobody's to type.")
    version = versions.in_force(there.password)
    if version is not None and version.sealed_password is not None:
        raise ServerRefused("The value in force is held here already.")
    recent = VeeamAdoption.objects.filter(password=there.pk, asked_at__gt=timezone.now() - _HOUR)
    if recent.count() >= MOST:
        raise ServerRefused("That were many tries in an hour: look at the copy of the password first.")


@sensitive_variables("typed")
def _try(offer: VeeamAdoption, there: VeeamPassword, typed: Secret) -> None:
    with servers.client_for(there.server) as client:
        servers.check_identity(there.server, client.server_info().vbr_id)
        if not proving.can_verify(client):
            text = "This revision of Veeam does not verify passwords, so the value cannot be proved."
            end(offer, State.FAILED, text)
            return
        with proving.alone(there.server_id, there.external):
            found = client.password(there.external)
            if found.modified_at != there.modified_at:
                end(offer, State.FAILED, "The password was changed just now: offer it again in a minute.")
                return
            right = proving.opens(client, there.server_id, there.external, typed)
        if right:
            _hold(offer, typed)
        else:
            _refuse(offer)


@sensitive_variables("typed")
def _hold(offer: VeeamAdoption, typed: Secret) -> None:
    version = versions.in_force(offer.password)
    if version is None or version.sealed_password is not None:
        end(offer, State.FAILED, "No version of this password waits for its value.")
        return
    sealed = vault.seal_value(version.pk, version.number, typed).password
    judged = judge(typed, offer.password.hint)
    with audit.act(by=audit.WORKER, subject=offer.password):
        locked = PasswordVersion.objects.select_for_update().get(pk=version.pk)
        if locked.sealed_password is None and locked.in_force_until is None:
            locked.sealed_password = sealed
            locked.known_to = list(dict.fromkeys([*locked.known_to, str(offer.person)]))
            locked.strength, locked.length = judged
            locked.save(update_fields=["sealed_password", "known_to", "strength", "length"])
            facts = {"adoption": offer.pk, "number": version.number, "by": offer.asked_by}
            audit.record(Event.VEEAM_PASSWORD_ADOPTED, facts=facts)
            resolve_alarm_within(Kind.VEEAM_ADOPTION_FAILED, offer.password)
            end_within(offer, State.ADOPTED, f"Version {version.number} is held; nobody approved it.")
        else:
            end_within(offer, State.FAILED, "The password was changed meanwhile: offer it again.")


def _refuse(offer: VeeamAdoption) -> None:
    with audit.act(by=audit.WORKER, subject=offer.password):
        facts = {"adoption": offer.pk, "by": offer.asked_by}
        audit.record(Event.VEEAM_PASSWORD_REFUSED, facts=facts)
        text = f"A value was offered as “{offer.password}” that Veeam says is not the password."
        raise_alarm_within(Kind.VEEAM_ADOPTION_FAILED, offer.password, Alarm.Severity.WARNING, text)
        end_within(offer, State.WRONG, "Veeam says that this is not the password.")


@sensitive_variables("typed")
def judge(typed: Secret, hint: str) -> tuple[int, int]:
    """Return how hard a value that was proved is to guess, 0 to 4, and its length; nothing is refused."""
    return strength(typed, hints=(hint,)).score, len(typed.reveal().decode())


def end(offer: VeeamAdoption, state: str, said: str) -> None:
    """End an offer with what it came to; its secret is erased."""
    with audit.act(by=audit.WORKER, subject=offer.password):
        end_within(offer, state, said)


def end_within(offer: VeeamAdoption, state: str, said: str) -> None:
    """Do as `end`, in the caller's transaction."""
    offer.state, offer.said, offer.sealed, offer.done_at = state, said, None, timezone.now()
    offer.save(update_fields=["state", "said", "sealed", "done_at"])
    audit.record(Event.SECRET_ERASED, subject=offer.password, facts={"adoption": offer.pk})


def owner_of(offer: UUID, password: UUID) -> UUID:
    """Return what a value is sealed for: this offer, of this password."""
    return uuid5(offer, str(password))
