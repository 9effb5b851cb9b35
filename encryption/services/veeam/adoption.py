"""Adopting the value of a Veeam password: typed once, proved by Veeam's own verify, then held here.

What nobody proved to know stays *unproven*. An adopted value is held, logged, and approved by nobody.
"""

from uuid import UUID

from django.views.decorators.debug import sensitive_variables

from accounts.models import User
from audit import services as audit
from audit.alarms import Kind
from audit.errors import Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.crypto.secret import Secret
from encryption.errors import EngineError, ServerRefused, Unknown, VeeamUnreachable, VerifyBlocked
from encryption.models import PasswordVersion, VeeamAdoption, VeeamPassword
from encryption.services import offers, vault
from encryption.services.veeam import proving, servers, versions

State = VeeamAdoption.State


@sensitive_variables("typed")
def adopt(encryption_password: UUID, *, by: User, typed: Secret) -> VeeamAdoption:
    """Offer the value in force of a Veeam password; Veeam verifies it, and a page waits for `done_at`.

    Raises NotEligible, Unknown, ServerRefused.
    """
    event = Event.VEEAM_PASSWORD_OFFERED
    return offers.take(encryption_password, by=by, typed=typed, check=_check, event=event)


def prove(adoption_id: UUID) -> None:
    """Have Veeam verify what was offered, in the worker; the value is held or forgotten. Raises Later."""
    offer = offers.waiting(adoption_id)
    if offer is None:
        return
    audit.wait_while_older()
    rows = VeeamPassword.objects.select_related("server__repository")
    there = rows.filter(password=offer.password_id, gone_at=None).first()
    if there is None:
        offers.end(offer, State.FAILED, "The password does not exist at Veeam any more.")
        return
    try:
        with offers.opened(offer) as typed:
            _try(offer, there, typed)
    except VerifyBlocked as error:
        # Slowed, not lost: the minute passes.
        raise Later(proving.MINUTE) from error
    except VeeamUnreachable as error:
        offers.put_off(offer, error.message, error)
    except EngineError as error:
        offers.end(offer, State.FAILED, error.message)


def _check(password: UUID) -> None:
    there = VeeamPassword.objects.filter(password=password, gone_at=None).first()
    if there is None or there.password.deleted_at is not None:
        raise Unknown("There is no such password of a Veeam server.")
    if there.is_kms:
        raise ServerRefused("The key of a KMS server is nobody's to type.")
    version = versions.in_force(there.password)
    if version is not None and version.sealed_password is not None:
        raise ServerRefused("The value in force is held here already.")
    if offers.too_many(password):
        raise ServerRefused(offers.TOO_MANY)


@sensitive_variables("typed")
def _try(offer: VeeamAdoption, there: VeeamPassword, typed: Secret) -> None:
    with servers.client_for(there.server) as client:
        servers.check_identity(there.server, client.server_info().vbr_id)
        if not proving.can_verify(client):
            text = "This revision of Veeam does not verify passwords, so the value cannot be proved."
            offers.end(offer, State.FAILED, text)
            return
        with proving.alone(there.server_id, there.external):
            found = client.password(there.external)
            if found.modified_at != there.modified_at:
                offers.end(
                    offer, State.FAILED, "The password was changed just now: offer it again in a minute."
                )
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
        offers.end(offer, State.FAILED, "No version of this password waits for its value.")
        return
    sealed = vault.seal_value(version.pk, version.number, typed).password
    judged = offers.judge(typed, offer.password.hint)
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
            offers.end_within(offer, State.ADOPTED, f"Version {version.number} is held; nobody approved it.")
        else:
            offers.end_within(offer, State.FAILED, "The password was changed meanwhile: offer it again.")


def _refuse(offer: VeeamAdoption) -> None:
    with audit.act(by=audit.WORKER, subject=offer.password):
        facts = {"adoption": offer.pk, "by": offer.asked_by}
        audit.record(Event.VEEAM_PASSWORD_REFUSED, facts=facts)
        text = f"A value was offered as “{offer.password}” that Veeam says is not the password."
        raise_alarm_within(Kind.VEEAM_ADOPTION_FAILED, offer.password, Alarm.Severity.WARNING, text)
        offers.end_within(offer, State.WRONG, "Veeam says that this is not the password.")
