"""Changing the rules of one scope; stricter ones end what is open, easier ones never ease it (P6)."""

import hashlib
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from accounts import selectors as people
from approvals import rules
from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy
from approvals.services import policies, policy_terms
from approvals.services.kinds import persons
from approvals.services.kinds.base import (
    Begin,
    Draft,
    Origin,
    RequestKind,
    check_free,
    check_may_ask_security,
)
from approvals.services.wishes import Wish
from approvals.statement import Statement
from audit import queue
from audit import services as audit
from audit.events import Event
from audit.queue import Task
from encryption.crypto.secret import Secret
from encryption.models import Repository

TYPE = "policy"
# How the scope that is everywhere is named as a target.
EVERYWHERE = UUID("50c1e000-0000-4000-8000-000000000001")


def _draft(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    place = _place(wish.place)
    former = policies.in_force(wish.place)
    before = policy_terms.of(former)
    wanted = policy_terms.read(wish.policy or {}, before)
    if wanted == before:
        raise Invalid("These are the rules already.")
    policies.check_met([seat.title for seat in people.security_members()], [wanted])
    target = _target(wish.place, place, former)
    check_free([(TYPE, UUID(target["id"]))])
    return Draft(
        policy=former,
        targets=[target],
        change={
            "policy": wanted,
            "replaces": str(former.pk),
            "scope": str(wish.place) if wish.place else None,
        },
        consequences=_consequences(before, wanted),
    )


def _policy(said: Statement, before: datetime) -> Policy:
    return policies.in_force(_scope(said), before)


def _compare(said: Statement) -> None:
    former = policies.in_force(_scope(said))
    if str(former.pk) != said.change["replaces"]:
        raise Stale("Another policy came into force since this was asked.")
    [target] = said.targets
    if target != _target(_scope(said), _place(_scope(said)), former):
        raise Stale("The policy is not as it was when this was asked.")


def _begin(said: Statement, digest: str, secret: Secret | None) -> Begin:
    wanted = policy_terms.read(said.change["policy"], {})

    def begin(until: datetime) -> None:
        policies.check_met([seat.title for seat in people.security_members()], [wanted])
        made = policies.create_within(_scope(said), wanted)
        facts = {"policy": made.pk, "number": made.number, "scope": _scope(said)}
        audit.record(Event.POLICY_CHANGED, subject=made, facts=facts)
        queue.ring(Task.POLICY_CHANGED, made.pk)

    return begin


def _scope(said: Statement) -> UUID | None:
    return UUID(said.change["scope"]) if said.change["scope"] else None


def _place(scope: UUID | None) -> str:
    if scope is None:
        return "Everywhere"
    name = Repository.objects.filter(pk=scope).values_list("name", flat=True).first()
    if name is None:
        raise NotFound("There is no such repository.")
    return name


def _target(scope: UUID | None, name: str, former: Policy) -> dict[str, Any]:
    text = rfc8785.dumps({"id": str(former.pk), "terms": policy_terms.of(former)})
    return {
        "fingerprint": hashlib.sha256(text).hexdigest(),
        "id": str(scope or EVERYWHERE),
        "name": name,
        "type": TYPE,
    }


def _consequences(before: dict[str, Any], wanted: dict[str, Any]) -> list[dict[str, Any]]:
    rows = [
        persons.row("rule", policy_terms.difference(name, before[name], wanted[name]), rule=name)
        for name in policy_terms.NAMES
        if before[name] != wanted[name]
    ]
    if rules.stricter(rules.PolicyFacts.read(wanted), rules.PolicyFacts.read(before)):
        rows.append(persons.row("outdated", "These rules ask for more: open requests under the former end."))
    else:
        rows.append(persons.row("kept", "Open requests keep the rules that they were asked under."))
    return rows


CHANGE_POLICY = RequestKind(_draft, _policy, _compare, _begin)
