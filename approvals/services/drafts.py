"""From a wish to the statement that people will read and sign: the kind's part, policy, deadlines."""

from datetime import timedelta
from uuid import UUID

from accounts import selectors as accounts
from approvals import rules, selectors
from approvals import statement as statements
from approvals.errors import Invalid
from approvals.models import Policy, RequestTarget
from approvals.services import actions, people, policies, proving, wishes
from approvals.services.kinds.base import Draft, Origin
from approvals.services.wishes import Wish
from approvals.statement import Asker, Statement

__all__ = ["Origin", "compose_within"]


def compose_within(wish: Wish, origin: Origin) -> tuple[Statement, Policy]:
    """Lock what a wish touches, and return its statement with the policy behind it.

    Raises a Refused with the reason why it cannot be asked: too few seats, no right, nothing to change,
    another open request, a re-key under way, nobody who could approve.
    """
    kind = actions.KINDS[wish.kind]
    people.lock_seats_within(least=rules.seats_needed(wish.kind))
    draft = kind.draft(wish, origin)
    said = _statement(wish, origin, draft, _named(wish, draft))
    _check_possible(said)
    return said, draft.policy


def _named(wish: Wish, draft: Draft) -> tuple[UUID, ...] | None:
    if not rules.terms(wish.kind, policies.snapshot(draft.policy)).administrators_may_approve:
        return None
    jobs = [UUID(target["id"]) for target in draft.targets if target["type"] == RequestTarget.Type.JOB]
    named = selectors.named_to_decide(jobs)
    return None if named is None else tuple(sorted(named))


def _statement(wish: Wish, origin: Origin, draft: Draft, named: tuple[UUID, ...] | None) -> Statement:
    policy = draft.policy
    asker = Asker(
        user=origin.by.pk,
        person=origin.by.person_id,
        on_behalf=origin.by.person_id if origin.via_token or not origin.by.is_human else None,
        made_by=tuple(accounts.makers_of(origin.by.pk)),
    )
    return Statement(
        request=origin.request,
        number=origin.number,
        kind=wish.kind,
        asker=asker,
        reason=wish.reason,
        change=draft.change,
        targets=draft.targets,
        consequences=draft.consequences,
        custody=list(wish.custody),
        answers=wishes.answers_to(policy.procedure_questions, wish),
        policy=policies.snapshot(policy),
        procedure=statements.procedure_of(
            policy.procedure_version, policy.procedure_text, policy.procedure_questions
        ),
        created=origin.now,
        decide_by=origin.now + timedelta(days=policy.decide_days),
        administrators=named,
    )


def _check_possible(said: Statement) -> None:
    facts = rules.terms(said.kind, said.policy)
    others = selectors.could_decide(
        askers=said.askers,
        administrators_may=facts.administrators_may_approve,
        before=said.created,
        named=None if said.administrators is None else frozenset(said.administrators),
    )
    if not rules.possible(facts, others):
        raise Invalid("Too few people besides you could approve this: the policy could never be met.")
    proving.check_possible(said)
