"""Accepting what a check of the analyzer found, until a day: with a note, by Security alone."""

import hashlib
from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID, uuid5

from django.apps import apps
from django.utils import timezone

from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy, Suppression
from approvals.services import policies
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
from audit.statement import TIME
from encryption.crypto.encoding import canonical
from encryption.crypto.secret import Secret

TYPE = "finding"
# What is open once at a time is the check, not one run's finding of it.
CHECKS = UUID("50c1e000-0000-4000-8000-000000000002")
LONGEST = timedelta(days=366)
_NOTHING = ("passed",)


def ref_of(code: str) -> UUID:
    """Return how a check is named as a request's target."""
    return uuid5(CHECKS, code)


def _draft(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    finding = _newest_of(wish.finding)
    until = _until(wish, origin.now)
    change = _change(finding, wish.note, until)
    target = _target(finding)
    check_free([(TYPE, UUID(target["id"]))])
    text = (
        f"Until {until:%-d %B %Y} the analyzer shows it as suppressed,"
        " and before that shows it again if more falls short than now."
    )
    return Draft(policies.in_force(None), [target], change, [{"text": text, "what": "suppressed"}])


def _policy(said: Statement, before: datetime) -> Policy:
    return policies.in_force(None, before)


def _compare(said: Statement) -> None:
    try:
        finding = _newest_of(UUID(said.change["finding"]))
    except (Invalid, NotFound) as error:
        raise Stale(str(error)) from error
    [target] = said.targets
    if target["fingerprint"] != _target(finding)["fingerprint"]:
        raise Stale("The check finds something else by now.")
    if _short(finding) > said.change["short"]:
        raise Stale("More falls short by now than when this was asked.")
    if datetime.fromisoformat(said.change["until"]) <= timezone.now():
        raise Stale("The day on which it would show again has come.")


def _prepare(said: Statement, digest: str, secret: Secret | None) -> Begin:
    change = said.change

    def begin(until: datetime) -> None:
        made = Suppression.objects.create(
            request_id=said.request,
            finding_id=UUID(change["finding"]),
            code=change["code"],
            found=change["found"],
            short=change["short"],
            note=change["note"],
            until=datetime.fromisoformat(change["until"]),
        )
        facts = {"code": made.code, "until": made.until, "short": made.short}
        audit.record(Event.FINDING_SUPPRESSED, subject=made, facts=facts)
        queue.nudge(Task.ANALYZE_WHEN_DUE)

    return begin


def _newest_of(finding_id: UUID | None) -> Any:
    """Return what the last run found by the check of a finding; NotFound, or Invalid if that is passed."""
    rows = apps.get_model("compliance", "Finding")._default_manager.all()
    asked = rows.filter(pk=finding_id).first() if finding_id else None
    if asked is None:
        raise NotFound("There is no such finding.")
    newest = rows.filter(code=asked.code).order_by("-assessment__done_at").first()
    if newest is None or newest.found in _NOTHING:
        raise Invalid("The check is passed: there is nothing to suppress.")
    return newest


def _until(wish: Wish, now: datetime) -> datetime:
    if wish.until is None:
        raise Invalid("Name the until.")
    until = datetime.combine(wish.until, time.min, UTC)
    if not now < until <= now + LONGEST:
        raise Invalid("The day on which it shows again lies in the future, and within a year.")
    return until


def _short(finding: Any) -> int:
    return int(finding.total - finding.good)


def _change(finding: Any, note: str, until: datetime) -> dict[str, Any]:
    return {
        "code": finding.code,
        "finding": str(finding.pk),
        "found": finding.found,
        "note": note,
        "short": _short(finding),
        "summary": finding.summary,
        "title": finding.title or finding.code,
        "until": until.strftime(TIME),
    }


def _target(finding: Any) -> dict[str, Any]:
    facts = {"code": finding.code, "found": finding.found}
    return {
        "fingerprint": hashlib.sha256(canonical(facts)).hexdigest(),
        "id": str(ref_of(finding.code)),
        "name": finding.title or finding.code,
        "type": TYPE,
    }


SUPPRESS = RequestKind(_draft, _policy, _compare, _prepare)
