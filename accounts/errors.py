"""Why accounts says no; every one is a `Refused`, so an attempt is logged and the edge knows the answer."""

from audit.errors import Refused


class NotEligible(Refused):
    """The person may not do this at all."""

    code = "not_eligible"


class StepUpRequired(Refused):
    """No fresh second factor, or one that does not hold for this very decision."""

    code = "step_up_required"


class ProofInvalid(StepUpRequired):
    """A passkey assertion that does not prove what it should."""


class InteractiveRequired(Refused):
    """A token or a service account tried what only a person at a browser may do (P8)."""

    code = "interactive_required"


class SecurityRoleTooSmall(Refused):
    """The Security Role has, or would have, fewer than two seats (P3)."""

    code = "security_role_too_small"


class RosterInvalid(Refused):
    """A roster that is forged, damaged, or not the one that may follow."""

    code = "invalid"


class Invalid(Refused):
    """What was typed cannot be taken."""

    code = "invalid"


class LinkInvalid(Refused):
    """An enrolment link that is unknown, used or over; which of them is not told."""

    code = "invalid"


class AlreadySealed(Refused):
    """Bootstrap runs once."""

    code = "not_pending"


class NotNow(Refused):
    """The state of the thing does not allow this, whoever asks."""

    code = "not_pending"


class NotFound(Refused):
    """There is no such thing, or it is not this person's to know."""

    code = "not_found"


class KeyReused(Refused):
    """An idempotency key that came before with another body, or whose first answer is not known yet."""

    code = "key_reused"
