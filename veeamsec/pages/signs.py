"""States as pages show them: a tone, the words beside it, and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from approvals.models import ApprovalRequest, State, Vote
from encryption.badge import Badge
from encryption.badge import State as BadgeState
from encryption.models import JobSession, Rekey, RekeyJob
from recovery.models import Release
from recovery.selectors import Custody
from veeamsec.pages import words

SEAL, WAIT, ACT, REFUSE, QUIET = "seal", "wait", "act", "refuse", "quiet"


@dataclass(frozen=True, slots=True)
class Sign:
    """What stands beside a thing; only the seal is green."""

    tone: str
    words: str
    icon: str = ""
    why: str = ""
    partial: bool = False


_BADGES = {
    BadgeState.APPROVED: (SEAL, ""),
    BadgeState.APPROVED_FROM: (SEAL, ""),
    BadgeState.NEXT_RUN: (ACT, "clock"),
    BadgeState.APPLYING: (ACT, "refresh"),
    BadgeState.ADMINISTRATOR: (ACT, "user-check"),
    BadgeState.PLAIN: (REFUSE, "lock-open"),
    BadgeState.UNAPPROVED: (WAIT, "alert-triangle"),
    BadgeState.UNKNOWN: (WAIT, "clock"),
    BadgeState.DRIFT: (REFUSE, "alert-circle"),
    BadgeState.NOT_KNOWN: (WAIT, "alert-triangle"),
}
_ENDINGS = {
    State.APPROVED: (ACT, "Approved, being applied"),
    State.FAILED: (REFUSE, "Failed, nothing changed"),
    State.LAPSED: (QUIET, "Lapsed, nothing changed"),
    State.STALE: (WAIT, "Stale, nothing changed"),
    State.REJECTED: (REFUSE, "Rejected"),
    State.WITHDRAWN: (QUIET, "Withdrawn, nothing changed"),
    State.EXPIRED: (QUIET, "Expired, nothing changed"),
}
_SESSIONS = {
    JobSession.State.QUEUED: (WAIT, "Queued"),
    JobSession.State.RUNNING: (ACT, "Running"),
    JobSession.State.SUCCEEDED: (QUIET, "Succeeded"),
    JobSession.State.WARNING: (WAIT, "With warnings"),
    JobSession.State.FAILED: (REFUSE, "Failed"),
}
_REKEYS = {
    "queued": (WAIT, "Queued"),
    "running": (ACT, "Running"),
    "succeeded": (SEAL, "Done and proved"),
    "partial": (WAIT, "Done for some jobs"),
    "failed": (REFUSE, "Failed, nothing changed"),
}


def of_badge(badge: Badge, now: datetime) -> Sign:
    """The sign of a job; it says no more than the badge does."""
    tone, icon = _BADGES[badge.state]
    partial = badge.state == BadgeState.APPROVED_FROM
    text = badge.label
    if partial and badge.since is not None:
        text = f"Approved from {words.day(badge.since, now)} · {words.count(badge.older, 'older point')}"
    why = " ".join([f"{badge.label}." if partial else "", *badge.reasons]).strip()
    return Sign(tone, text, icon, why, partial)


def of_custody(custody: Custody | None, now: datetime) -> Sign | None:
    """The sign beside the badge: by how many it is secured, or that a generated value is not yet."""
    if custody is None:
        return None
    if custody.secured:
        why = "So many custodians, other than who asked, have proved that they hold the password in force."
        return Sign(QUIET, f"Secured by {custody.secured}", "shield-check", why)
    return _of_handover(custody.handover, now, known=custody.known)


def _of_handover(handover: Release | None, now: datetime, *, known: bool) -> Sign | None:
    if handover is None:
        return None
    name = handover.person.name
    if known:
        return Sign(WAIT, "Handed over, not proved", "clock", f"{name} has not proved their copy of it yet.")
    if now < handover.expires_at:
        why = f"Nobody knows the password in force until {name} reads it on their own page."
        return Sign(WAIT, "Waits for its custodian", "clock", why)
    why = f"Nobody knows the password in force: {name} did not read it in time. Ask for its release."
    return Sign(REFUSE, "Known to nobody", "alert-circle", why)


def of_request(
    request: ApprovalRequest, state: str, votes: Iterable[Vote], *, mine: bool, waiting: bool
) -> Sign:
    """The sign of a request, for one viewer: `waiting` for their decision, or `mine` to wait for."""
    if state == State.PENDING:
        text = "Waiting for you" if waiting else "Waiting for Security" if mine else "Waiting for a decision"
        return Sign(WAIT, text)
    if state == State.EXECUTED:
        return _executed(votes)
    tone, text = _ENDINGS[State(state)]
    return Sign(tone, text, why=request.outcome)


def _executed(votes: Iterable[Vote]) -> Sign:
    if any(vote.is_of_security for vote in votes):
        return Sign(SEAL, "Approved by security")
    return Sign(ACT, "Done, approved by an administrator")


def of_session(session: JobSession) -> Sign:
    """The sign of a run, restore or verification."""
    return Sign(*_SESSIONS[JobSession.State(session.state)])


def of_work(work: Rekey | RekeyJob) -> Sign:
    """The sign of a re-key or of one job's step in it."""
    return Sign(*_REKEYS[str(work.state)])
