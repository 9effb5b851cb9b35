"""Why approvals says no; every one is a `Refused`, so an attempt is logged and the edge knows the answer."""

from accounts.errors import InteractiveRequired, Invalid, NotEligible, SecurityRoleTooSmall, StepUpRequired
from audit.errors import Refused

__all__ = [
    "AlreadyVoted",
    "DigestMismatch",
    "EvidenceInvalid",
    "Expired",
    "InteractiveRequired",
    "Invalid",
    "JobBusy",
    "NotEligible",
    "NotFound",
    "NotPending",
    "OpenRequestExists",
    "OwnRequest",
    "Refused",
    "SecurityRoleTooSmall",
    "Stale",
    "StepUpRequired",
]


class OwnRequest(Refused):
    """Nobody decides on what they asked themselves, with whatever account (P1)."""

    code = "own_request"


class DigestMismatch(Refused):
    """The decision names another text than the one that stands (P5)."""

    code = "digest_mismatch"


class NotPending(Refused):
    """The request is not waiting for this any more."""

    code = "not_pending"


class Expired(Refused):
    """The time to decide is over (P6)."""

    code = "expired"


class AlreadyVoted(Refused):
    """This person has decided on this request before (P7)."""

    code = "already_voted"


class OpenRequestExists(Refused):
    """Something that this request touches waits for another one (P7)."""

    code = "open_request_exists"


class Stale(Refused):
    """What was approved is not what stands now; nothing was written (P5)."""

    code = "stale"


class JobBusy(Refused):
    """A re-key of the same job is under way."""

    code = "job_busy"


class NotFound(Refused):
    """There is no such thing, or it is not this person's to know."""

    code = "not_found"


class EvidenceInvalid(Refused):
    """A bundle of evidence that does not prove what it says."""

    code = "invalid"
