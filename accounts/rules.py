"""What each role may do, and what a person's standing is; pure values, no database."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from accounts.errors import NotEligible, NotNow
from audit.errors import Refused

# Sent as text by the database and by tokens alike, so plain names and not the models' enum.
OPERATOR, ADMINISTRATOR, ENTERPRISE, AUDITOR, SERVICE = (
    "operator",
    "administrator",
    "enterprise",
    "auditor",
    "service",
)
SECURITY = "security"

# Security stands outside the backup team, per person (P4).
EXCLUDED_BY_SECURITY = frozenset({OPERATOR, ADMINISTRATOR, ENTERPRISE, SERVICE})
# Granted and taken away by a decided request alone, once the Security Role is sealed (P4).
DECIDED_ROLES = frozenset({ADMINISTRATOR, ENTERPRISE})
# What an administrator may hand out in the console.
CONSOLE_ROLES = frozenset({OPERATOR, AUDITOR, SERVICE})
# Whom the console lets in.
STAFF_ROLES = frozenset({OPERATOR, ADMINISTRATOR, ENTERPRISE, AUDITOR})

_READABLE = frozenset(
    {
        *(
            f"audit.view_{name}"
            for name in ("entry", "entryname", "checkpoint", "outbox", "alarm", "forwarder")
        ),
        *(
            f"accounts.view_{name}"
            for name in ("person", "user", "rolegrant", "securityrole", "securitymember", "roster")
        ),
        *(
            f"encryption.view_{name}"
            for name in (
                "repository",
                "job",
                "jobsession",
                "restorepoint",
                "encryptionpassword",
                "passwordversion",
                "rekey",
                "rekeyjob",
                "drift",
                "attestation",
            )
        ),
        *(f"approvals.view_{name}" for name in ("policy", "approvalrequest", "requesttarget", "vote")),
        *(f"compliance.view_{name}" for name in ("assessment", "finding", "report")),
    }
)
_ASK = frozenset({"encryption.ask_change_job"})
_OPERATE = frozenset(
    {
        *(
            f"encryption.{verb}_{name}"
            for verb in ("view", "add", "change")
            for name in ("repository", "job", "jobsession", "restorepoint")
        ),
        "encryption.delete_job",
        "encryption.run_job",
        "encryption.restore_job",
        "encryption.view_encryptionpassword",
        "encryption.view_passwordversion",
        "encryption.view_rekey",
        "encryption.view_rekeyjob",
        "encryption.view_drift",
        "encryption.view_attestation",
        "approvals.view_approvalrequest",
        "audit.view_alarm",
    }
    | _ASK
)
_FORWARD = frozenset({"audit.add_forwarder", "audit.change_forwarder"})
_PEOPLE = frozenset(
    {
        *(f"accounts.{verb}_{name}" for verb in ("view", "add", "change") for name in ("person", "user")),
        "encryption.decide_repository",
    }
)

# The whole table. An absent permission is a no; nobody has a delete of people, requests, votes or log.
PERMISSIONS: dict[str, frozenset[str]] = {
    OPERATOR: _OPERATE,
    SERVICE: _OPERATE,
    ADMINISTRATOR: _READABLE | _OPERATE | _PEOPLE | _FORWARD,
    ENTERPRISE: _READABLE,
    AUDITOR: _READABLE,
    SECURITY: _READABLE | _ASK,
}


@dataclass(frozen=True, slots=True)
class Standing:
    """Who an account is at one moment: what every other rule starts from."""

    user: UUID
    person: UUID
    is_human: bool
    active: bool
    roles: frozenset[str]
    security_title: str | None = None
    security_since: datetime | None = None
    suspended: bool = False
    # Until a third member confirms a suspension, who suspended may not decide alone with the rest (P3).
    may_only_reject: bool = False
    superuser: bool = False

    @property
    def is_security(self) -> bool:
        """A live seat that is not suspended, held by an active human."""
        return self.active and self.is_human and self.security_title is not None and not self.suspended


def permissions(standing: Standing) -> frozenset[str]:
    """Return every permission that the roles and the seat give; an inactive account has none."""
    if not standing.active:
        return frozenset()
    names = set(standing.roles) | ({SECURITY} if standing.is_security else set())
    return frozenset().union(*(PERMISSIONS.get(name, frozenset()) for name in names))


def must_enrol(standing: Standing, *, has_factor: bool, founding: bool) -> bool:
    """Say whether an account needs a second factor before it goes on.

    `founding`: the account will take a seat or the administrator's office that bootstrap named.
    """
    decides = founding or standing.security_title is not None or bool(standing.roles & DECIDED_ROLES)
    return standing.is_human and not has_factor and (decides or standing.superuser)


def conflict(*, has_seat: bool, roles: Iterable[str]) -> str | None:
    """Return the role that a person with a seat may not hold, or None (P4)."""
    if not has_seat:
        return None
    return next(iter(sorted(set(roles) & EXCLUDED_BY_SECURITY)), None)


# Long enough for a third member to come back from a weekend; no longer, for it was one person's word.
SUSPENSION = timedelta(hours=72)
# So that one member cannot keep another out by suspending again and again.
SUSPEND_AGAIN = timedelta(days=30)
LIFTERS = 2


@dataclass(frozen=True, slots=True)
class SeatFacts:
    """One seat as suspensions see it; `acts` says that it is live, of an active account and not suspended."""

    id: UUID
    live: bool
    acts: bool


@dataclass(frozen=True, slots=True)
class SuspensionFacts:
    """One suspension in force, and who has spoken on it."""

    member: UUID
    suspender: UUID
    confirmed: bool
    lifted_by: frozenset[UUID] = frozenset()


def check_suspend(
    by: SeatFacts, member: SeatFacts, *, has_open: bool, last: datetime | None, now: datetime
) -> None:
    """Refuse a suspension that P3 does not allow; `last` is when this member suspended that one before."""
    _raise(_cannot_act(by, member))
    if not member.acts:
        raise NotNow("This seat is suspended, or its account is not active.")
    if has_open:
        raise NotEligible("You have suspended a member already; one at a time.")
    if last is not None and now - last < SUSPEND_AGAIN:
        raise NotEligible("You suspended this member within the last 30 days; let another member judge.")


def check_confirm(by: SeatFacts, member: SeatFacts, suspension: SuspensionFacts | None) -> None:
    """Refuse a confirmation by anybody but a third active member."""
    _raise(_cannot_act(by, member))
    if suspension is None or suspension.confirmed:
        raise NotNow("There is no suspension that waits to be confirmed.")
    if by.id == suspension.suspender:
        raise NotEligible("A third member confirms; you suspended.")


def check_lift(by: SeatFacts, member: SeatFacts, suspension: SuspensionFacts | None) -> None:
    """Refuse a lift by who is suspended, and one that was given already."""
    _raise(_cannot_act(by, member))
    if suspension is None:
        raise NotNow("This seat is not suspended.")
    if by.id in suspension.lifted_by:
        raise NotNow("You have lifted this already; a second member is needed.")


def _cannot_act(by: SeatFacts, member: SeatFacts) -> Refused | None:
    if not by.acts:
        return NotEligible("Only an active member of Security does this.")
    if by.id == member.id:
        return NotEligible("This is your own seat; another member does this.")
    return None if member.live else NotNow("This seat is not held any more.")


def _raise(refusal: Refused | None) -> None:
    if refusal is not None:
        raise refusal


def proposed_roles(groups: object, table: Mapping[str, str]) -> frozenset[str]:
    """Return the roles that a provider's groups propose: of the console's alone, never Security or an office.

    Whatever is no list of names proposes nothing.
    """
    names = [name for name in groups if isinstance(name, str)] if isinstance(groups, list) else []
    return frozenset(table[name] for name in names if name in table) & CONSOLE_ROLES
