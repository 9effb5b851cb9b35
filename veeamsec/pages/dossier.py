"""All that the page of one request shows: its text, its people, its end, its work and its record."""

from collections.abc import Iterable, Sequence
from typing import Any

from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import User
from approvals import rules, selectors
from approvals.models import ApprovalRequest, Capacity, State, Verdict, Vote
from approvals.rules import PolicyFacts, RequestFacts
from approvals.services import proving
from audit.events import Event
from audit.selectors import newest
from veeamsec.pages import progress, proofs, reading, signs
from veeamsec.pages.proofs import Proofs
from veeamsec.pages.rulebook import OFFICES
from veeamsec.pages.sheet import Eye, Fact

NAMED = 6
# Each end: its tone and how its sentence begins.
_OUTCOMES = {
    State.EXECUTED: ("seal", "Executed."),
    State.FAILED: ("refuse", "It failed, and nothing changed."),
    State.LAPSED: ("wait", "The approval was not used in time; nothing changed."),
    State.STALE: ("wait", "Things had changed since it was asked; nothing was written."),
    State.REJECTED: ("refuse", "Rejected; nothing changed."),
    State.WITHDRAWN: ("", "Withdrawn; nothing changed."),
    State.EXPIRED: ("", "Nobody decided in time; nothing changed."),
}


def of(request: ApprovalRequest, viewer: User) -> dict[str, Any]:
    """The context of a request's page, for one viewer."""
    now = timezone.now()
    facts, votes = selectors.facts_of(request, now), list(request.votes.select_related("voter__person"))
    state = selectors.state_at(request, now)
    refusal = rules.obstacle(facts, selectors.voter_of(viewer, now), now)
    mine, pending = request.asker_person_id == viewer.person_id, state == State.PENDING
    text, proven = reading.read(request), proofs.of(request)
    work = progress.rekey_of(request.rekey_id)
    return {
        "id": request.pk,
        "request_number": request.number,
        "title": text.title,
        "asker": _asker(request),
        "asked_at": request.created_at,
        "decide_by": request.decide_by,
        "ended_at": request.ended_at,
        "is_pending": pending,
        "is_approved": state == State.APPROVED,
        "state": signs.of_request(request, state, votes, mine=mine, waiting=pending and refusal is None),
        "outcome": _outcome(request, state, votes),
        "reading": text,
        "digest": request.digest,
        "eyes": [
            *_eyes(request, votes, viewer, proven),
            *_next_eye(facts, viewer, pending, refusal is None),
        ],
        "may_decide": refusal is None,
        "why_not": str(refusal) if refusal is not None and pending else "",
        "step_up": _step_up(viewer, facts.policy),
        "deciders": _deciders(request, viewer) if pending else "",
        "may_withdraw": mine and pending,
        "work": work,
        "proof": _proof(request) if state in (State.PENDING, State.APPROVED) else None,
        "record": None if pending else _record(request, proven),
        "evidence_url": reverse("api-evidence", args=[request.pk]) if state == State.EXECUTED else "",
    }


def eyes_of(request: ApprovalRequest, viewer: User) -> list[Eye]:
    """Who asked for a request and who decided on it."""
    votes = request.votes.select_related("voter__person")
    return _eyes(request, votes, viewer, proofs.of(request))


def _asked(request: ApprovalRequest, viewer: User) -> Eye:
    own = request.asker_person_id == viewer.person_id
    return Eye("You" if own else request.asker.person.name, "asked", at=request.created_at)


def _proof(request: ApprovalRequest) -> dict[str, Any] | None:
    need = proving.need_of(request, selectors.said_in(request))
    if need is None or request.rekey_id is not None:
        return None
    who = " or ".join(need.names) or "nobody who has an account here"
    if need.proved:
        return {"tone": "", "title": "A custodian proved the password.", "text": "It may be executed."}
    text = f"{who} types it from their own copy first; without that the approval lapses and nothing changes."
    return {"tone": "wait", "title": "Waits for a custodian's proof.", "text": text}


def _asker(request: ApprovalRequest) -> dict[str, str]:
    name, _, role = accounts.user_label(request.asker).partition(" · ")
    return {"name": name, "role": role}


def _outcome(request: ApprovalRequest, state: str, votes: Sequence[Vote]) -> dict[str, str] | None:
    if state not in _OUTCOMES:
        return None
    tone, title = _OUTCOMES[State(state)]
    green = tone if tone != "seal" or any(vote.is_of_security for vote in votes) else ""
    return {"tone": green, "title": title, "text": "" if request.outcome in title else request.outcome}


def _eyes(request: ApprovalRequest, votes: Iterable[Vote], viewer: User, proven: Proofs) -> list[Eye]:
    return [_asked(request, viewer), *(_vote(vote, viewer, proven) for vote in votes)]


def _next_eye(facts: RequestFacts, viewer: User, pending: bool, may_decide: bool) -> list[Eye]:
    if not pending:
        return []
    who = "Another person"
    if may_decide:
        capacity = selectors.voter_of(viewer).capacity
        role = "for Security" if capacity == rules.BY_SECURITY else "as an administrator (no badge)"
        who = f"You, {role}"
    return [Eye(who, _needed(facts), icon="user-question", tone="wait")]


def _vote(vote: Vote, viewer: User, proven: Proofs) -> Eye:
    yes, security = vote.verdict == Verdict.APPROVE, vote.capacity == Capacity.SECURITY
    advises = security and yes and not vote.is_of_security
    who = "You" if vote.person_id == viewer.person_id else vote.voter.person.name
    return Eye(
        who=f"{who}, {'for Security' if security else 'as an administrator'}",
        did=("advised to approve" if advises else "approved") if yes else "rejected",
        icon="user-check" if yes else "user-x",
        tone=("" if advises else "seal" if security else "act") if yes else "refuse",
        at=vote.cast_at,
        proof=proven.words_of(vote),
        comment=vote.comment,
    )


def _needed(facts: RequestFacts) -> str:
    counted = rules.consents(facts)
    left = max(1, facts.policy.quorum - len(counted))
    titles = [vote.voter.standing.security_title for vote in counted]
    missing = [(pool.count - titles.count(pool.title), OFFICES[pool.title]) for pool in facts.policy.pools]
    named = " and ".join(f"{count} {office}" for count, office in missing if count > 0)
    if left == 1:
        return f"{named} must approve" if named else "one approval is enough"
    return f"{left} more must approve" + (f", among them {named}" if named else "")


def _step_up(viewer: User, policy: PolicyFacts) -> dict[str, str]:
    kinds = set(Authenticator.objects.filter(user=viewer).values_list("type", flat=True))
    if Authenticator.Type.WEBAUTHN in kinds:
        return {"icon": "fingerprint", "words": "Approve with passkey"}
    if Authenticator.Type.TOTP in kinds:
        return {"icon": "device-mobile", "words": "Approve with code"}
    return {"icon": "forms", "words": "Approve" if policy.mfa_required else "Approve with password"}


def _deciders(request: ApprovalRequest, viewer: User) -> str:
    people = [user for user in selectors.deciders(request) if user.person_id != viewer.person_id]
    labels = []
    for user in people[:NAMED]:
        name, _, role = accounts.user_label(user).partition(" · ")
        badge = "" if role.startswith("Security") else ", no badge"
        labels.append(f"{name} ({role.removeprefix('Security · ')}{badge})")
    more = [f"{len(people) - NAMED} more"] if len(people) > NAMED else []
    return ", ".join(labels + more)


def _record(request: ApprovalRequest, proven: Proofs) -> list[Fact]:
    entry = newest(Event.REQUEST_CREATED, request.pk)
    log = reverse("log") + f"?subject={request.pk}"
    facts = [
        Fact("Asked", at=request.created_at),
        Fact("Decided", at=request.decided_at),
        *proven.facts(),
        Fact("Ended", at=request.ended_at),
        Fact("Log", f"from entry {entry.sequence:,} on" if entry else "", url=log),
        Fact("Digest", digest=request.digest),
    ]
    return [fact for fact in facts if fact.words or fact.digest or fact.at]
