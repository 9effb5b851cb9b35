"""What the worker checks before it acts: it trusts no row that the web process may write (P5).

The statement against its digest and its row, the policy against the one in force that day, every vote against
the signed roster and live membership. Any difference is `Stale`.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts import roster as rosters
from accounts.errors import RosterInvalid
from accounts.models import Roster
from accounts.roster import RosterBody
from accounts.services.security_role import roster_in_force
from accounts.stepup_proof import counter
from approvals import rules, selectors
from approvals import statement as statements
from approvals.attestation import votes as evidence
from approvals.attestation.finding import Finding
from approvals.attestation.votes import Cast
from approvals.errors import Invalid, SecurityRoleTooSmall, Stale
from approvals.models import ApprovalRequest, Policy, Vote
from approvals.selectors.evidence import cast_of
from approvals.services import actions, people, policies
from approvals.statement import Statement
from audit import selectors as log
from audit.errors import Forged
from audit.events import Event


def verify(request: ApprovalRequest) -> tuple[Statement, Finding]:
    """Return what an approved request says and how it was decided; raises Stale with the first difference."""
    said = read(request)
    try:
        body = roster_in_force()
        finding = count(request, said, body)
    except (Forged, RosterInvalid, SecurityRoleTooSmall) as error:
        raise Stale(str(error)) from error
    return said, finding


def read(request: ApprovalRequest) -> Statement:
    """Return the statement of a request whose row and policy say the same; raises Stale."""
    data = bytes(request.statement)
    if hashlib.sha256(data).hexdigest() != request.digest:
        raise Stale("The digest is not that of the statement.")
    try:
        said = statements.parse(data)
    except Invalid as error:
        raise Stale(str(error)) from error
    _check_row(request, said)
    _check_policy(said)
    return said


def count(request: ApprovalRequest, said: Statement, body: RosterBody) -> Finding:
    """Count the votes by signed roster and live membership; raises Stale, Forged or SecurityRoleTooSmall."""
    rules.check_seats(people.seats(), least=rules.seats_needed(said.kind))
    now = timezone.now()
    rows = list(request.votes.select_related("voter"))
    casts = {vote.pk: cast_of(vote) for vote in rows}
    levels = {
        vote.pk: evidence.judge(
            casts[vote.pk],
            said,
            request.digest,
            body,
            origin=settings.VEEAMSEC_ORIGIN,
            last_count=_last_count(vote),
        )
        for vote in rows
        if vote.verdict == rules.APPROVE
    }
    facts = selectors.facts_of(request, now)
    if (
        rules.outcome(facts) != rules.APPROVED
        or rules.outcome(_by_roster(facts, casts, body)) != rules.APPROVED
    ):
        raise Stale(
            "The votes that still count are not enough: somebody who decided may not decide any more."
        )
    persons = {vote.voter.standing.person for vote in rules.consents(facts)}
    counted = {pk: levels[pk] for pk, cast in casts.items() if cast.person in persons and pk in levels}
    return _finding(request, said, body, [casts[pk] for pk in counted], counted)


def execute_by(request: ApprovalRequest, said: Statement, finding: Finding) -> datetime:
    """Return until when an approval may be executed, whatever the row says."""
    latest = finding.approved_at + timedelta(hours=said.execute_hours)
    return min(latest, request.execute_by) if request.execute_by else latest


def _check_row(request: ApprovalRequest, said: Statement) -> None:
    row = (
        request.pk,
        request.number,
        request.kind,
        request.asker_id,
        request.asker_person_id,
        request.policy,
        statements.written(request.decide_by),
        {(target.type, target.ref) for target in request.targets.all()},
    )
    text = (
        said.request,
        said.number,
        said.kind,
        said.asker.user,
        said.asker.person,
        dict(said.policy),
        statements.written(said.decide_by),
        said.touched(),
    )
    if row != text:
        raise Stale("The request's row is not what its statement says.")
    if request.asker.person_id != said.asker.person:
        raise Stale("The asker's account belongs to another person than the statement says.")


def _check_policy(said: Statement) -> None:
    policy = Policy.objects.filter(pk=said.policy["id"]).first()
    if policy is None or policies.snapshot(policy) != dict(said.policy):
        raise Stale("The policy in the statement is not the one of this installation.")
    moment = said.created + timedelta(seconds=1)
    try:
        in_force = actions.KINDS[said.kind].policy(said, moment)
    except Invalid as error:
        raise Stale(str(error)) from error
    if in_force.pk != policy.pk:
        raise Stale("Another policy was in force when this was asked.")
    if policies.is_outdated(said.kind, said.policy, actions.KINDS[said.kind].policy(said, timezone.now())):
        raise Stale("A stricter policy came into force since this was asked.")
    if said.decide_by - said.created > timedelta(days=policy.decide_days):
        raise Stale("The time to decide is longer than the policy allows.")


def _by_roster(facts: rules.RequestFacts, casts: Mapping[UUID, Cast], body: RosterBody) -> rules.RequestFacts:
    return rules.RequestFacts(
        id=facts.id,
        state=facts.state,
        digest=facts.digest,
        askers=facts.askers,
        makers=facts.makers,
        named=facts.named,
        policy=facts.policy,
        created=facts.created,
        decide_by=facts.decide_by,
        votes=tuple(evidence.on_roster(cast, body) for cast in casts.values()),
    )


def _finding(
    request: ApprovalRequest, said: Statement, body: RosterBody, casts: list[Cast], levels: dict[UUID, str]
) -> Finding:
    by_security = frozenset(cast.id for cast in casts if cast.capacity == rules.BY_SECURITY)
    entry = log.newest(Event.REQUEST_APPROVED, request.pk)
    if entry is None or entry.facts.get("digest") != request.digest:
        raise Stale("The log does not tell of this approval.")
    return Finding(
        request=request.pk,
        request_digest=request.digest,
        approved_at=max(cast.cast_at for cast in casts),
        approved_by=rules.BY_SECURITY if by_security else rules.BY_ADMINISTRATOR,
        level=evidence.level_of(levels, by_security),
        roster_number=body.number,
        roster_sha256=rosters.digest(rosters.build(body)),
        votes=levels,
        log_index=entry.sequence,
        time=timezone.now().replace(microsecond=0),
    )


def _last_count(vote: Vote) -> int:
    """Return the highest counter that earlier votes show of the same passkey."""
    credential = vote.proof.get("credential")
    if vote.proof.get("factor") != "passkey" or not isinstance(credential, str):
        return 0
    # By the row's own time: the evidence knows whole seconds, and a copy may be used within one.
    earlier = Vote.objects.filter(proof__credential=credential, cast_at__lt=vote.cast_at)
    return max((counter(other.proof) for other in earlier), default=0)


def roster_envelope(number: int) -> dict[str, Any]:
    """Return the signed envelope of one roster."""
    envelope: dict[str, Any] = Roster.objects.get(number=number).envelope
    return envelope
