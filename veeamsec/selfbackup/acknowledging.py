"""Two persons acknowledge that the database is older than what was signed of it."""

import hashlib

from accounts import rules
from accounts.errors import NotEligible
from accounts.models import User
from accounts.services import stepup
from accounts.services.stepup import Binding, StepUp
from audit import services as audit
from audit.errors import Refused
from audit.services import rollbacks, verification
from audit.services.rollbacks import Rollback

NO_COMMENT = hashlib.sha256(b"").hexdigest()


class NothingLost(Refused):
    """There is nothing to acknowledge, or what is wrong is not a rollback."""

    code = "stale"


def acknowledge(user: User, *, password: str, code: str) -> tuple[Rollback, int]:
    """Record one person's acknowledgement; return what was lost and how many persons have acknowledged it.

    Raises NothingLost, NotEligible, StepUpRequired.
    """
    with audit.attempt(by=user, subject=rollbacks.SUBJECT):
        found = rollbacks.find()
        if found is None:
            raise NothingLost("The database is not older than what was signed of it.")
        _refuse_alteration()
        capacity = _capacity(user)
        binding = Binding(found.ref, found.root, "acknowledge", capacity, user.person_id, NO_COMMENT)
        nonce = stepup.begin(user, binding)["nonce"]
        if not user.check_password(password):
            # The nonce is used up, and the failure counted, by a code that cannot hold.
            code = ""
        stepup.consume(StepUp(nonce, totp=code), by=user, binding=binding, mfa_required=True)
    return found, rollbacks.acknowledge(found, by=user)


def _capacity(user: User) -> str:
    standing = user.facts()
    if standing.is_security:
        return "security"
    if standing.is_human and standing.active and rules.ADMINISTRATOR in standing.roles:
        return "administrator"
    raise NotEligible("A Security member or a Backup administrator acknowledges this.")


def _refuse_alteration() -> None:
    """A log that contradicts itself was altered: acknowledging would hide it."""
    inside = [one for one in verification.verify().findings if not one.where.startswith("note ")]
    if inside:
        raise NothingLost(f"The log was altered, not rolled back. {inside[0].where}: {inside[0].what}")
