"""Values that people offer as a password in force: sealed as they arrive, tried once, held or forgotten.

What tries them, Veeam's own verify or the keyrings here, is for `veeam.adoption` and `offering`.
"""

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts.errors import NotEligible
from accounts.models import User
from accounts.rules import permissions
from audit import queue
from audit import services as audit
from audit.errors import Later
from audit.events import Event
from encryption.crypto.secret import Secret, strength
from encryption.models import VeeamAdoption
from encryption.services import intake

# Who may ask for a change of the encryption of every job.
_ASK = "encryption.ask_change_job"
# So many tries at one password within an hour; a person who has the right copy needs one.
MOST = 10
TOO_MANY = "That were many tries in an hour: look at the copy of the password first."
_HOUR, _AGAIN = timedelta(hours=1), timedelta(seconds=30)

State = VeeamAdoption.State


@sensitive_variables("typed")
def take(
    password: UUID, *, by: User, typed: Secret, check: Callable[[UUID], None], event: Event
) -> VeeamAdoption:
    """Take a value for the worker to try; a page waits for `done_at`.

    Raises NotEligible, and what `check` does.
    """
    with audit.attempt(by=by, subject=("encryption.encryptionpassword", password)) as attempt:
        if _ASK not in permissions(by.facts()):
            raise NotEligible("Who may ask for changes of encryption may adopt a password.")
        check(password)
        name = uuid4()
        with typed:
            sealed = intake.seal_for(_owner(name, password), typed)
        with attempt.act():
            offer = VeeamAdoption.objects.create(
                id=name, password_id=password, asked_by=by.pk, person=by.person_id, sealed=sealed
            )
            audit.record(event, facts={"adoption": offer.pk})
            queue.ring(queue.Task.VEEAM_ADOPT, offer.pk)
    return offer


def too_many(password: UUID) -> bool:
    """Say whether so many values were offered within the hour that the next one is a guess."""
    recent = VeeamAdoption.objects.filter(password=password, asked_at__gt=timezone.now() - _HOUR)
    return recent.count() >= MOST


def waiting(offer_id: UUID) -> VeeamAdoption | None:
    """Return an offer that was not tried to its end yet."""
    rows = VeeamAdoption.objects.select_related("password")
    return rows.filter(pk=offer_id, done_at=None, sealed__isnull=False).first()


def opened(offer: VeeamAdoption) -> Secret:
    """Return what was offered, in the worker. Raises SealBroken."""
    return intake.open_for(_owner(offer.pk, offer.password_id), bytes(offer.sealed or b""))


@sensitive_variables("typed")
def judge(typed: Secret, hint: str) -> tuple[int, int]:
    """Return how hard a value that was proved is to guess, 0 to 4, and its length; nothing is refused."""
    return strength(typed, hints=(hint,)).score, len(typed.reveal().decode())


def put_off(offer: VeeamAdoption, said: str, error: Exception) -> None:
    """Have what could not be reached tried again within the hour, by Later; then end the offer."""
    if timezone.now() - offer.asked_at < _HOUR:
        raise Later(_AGAIN) from error
    end(offer, State.FAILED, said)


def end(offer: VeeamAdoption, state: str, said: str) -> None:
    """End an offer with what it came to; its secret is erased."""
    with audit.act(by=audit.WORKER, subject=offer.password):
        end_within(offer, state, said)


def end_within(offer: VeeamAdoption, state: str, said: str) -> None:
    """Do as `end`, in the caller's transaction."""
    offer.state, offer.said, offer.sealed, offer.done_at = state, said, None, timezone.now()
    offer.save(update_fields=["state", "said", "sealed", "done_at"])
    audit.record(Event.SECRET_ERASED, subject=offer.password, facts={"adoption": offer.pk})


def _owner(offer: UUID, password: UUID) -> UUID:
    """Return what a value is sealed for: this offer, of this password."""
    return uuid5(offer, str(password))
