"""What was found changed: explained by Security, or put back as any other change of encryption."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import rfc8785

from approvals.errors import Invalid, NotFound, Stale
from approvals.models import Policy
from approvals.services import policies
from approvals.services.kinds import passwords
from approvals.services.kinds.base import (
    Begin,
    Draft,
    Origin,
    RequestKind,
    check_free,
    check_idle,
    check_may_ask_security,
)
from approvals.services.wishes import Wish
from approvals.statement import Statement
from audit.statement import WORKER
from encryption import selectors as encryption
from encryption.crypto.secret import Secret
from encryption.models import Drift, Job, VeeamPassword
from encryption.services import drifts, rekeys

TYPE = "drift"
# Under what name the consequences of a way back are known.
_KINDS: Mapping[str, str] = {
    "activate": "activate_encryption",
    "change": "change_password",
    "deactivate": "deactivate_encryption",
}


def _draft_explain(wish: Wish, origin: Origin) -> Draft:
    check_may_ask_security(origin.by)
    drift = _open(wish.drift)
    thing = drift.job_id or drift.password_id
    check_free([(TYPE, drift.pk), *([("job" if drift.job_id else "password", thing)] if thing else [])])
    there = encryption.facts_of_targets([thing]) if thing and _is_there(drift) else []
    text = "What was found is accepted with this reason; it is not approved, and the sign stays away."
    return Draft(
        policy=policies.in_force(_place(drift)),
        targets=[_target(drift), *there],
        change=_change(drift),
        consequences=[{"text": f"{drift.text} {text}", "what": "accepted"}],
    )


def _draft_revert(wish: Wish, origin: Origin) -> Draft:
    drift = _open(wish.drift)
    way = _way(drift)
    jobs = _locked(way.jobs)
    passwords.check_may_ask(origin.by, wish, jobs)
    refs = [*(("job", job) for job in way.jobs), *([("password", way.password)] if way.password else [])]
    check_free([(TYPE, drift.pk), *refs])
    check_idle(jobs)
    text = f"{drift.text} It becomes again what it was before."
    follows = encryption.consequences(way.jobs, _KINDS[way.action], password=way.password)
    return Draft(
        policy=policies.policy_for(way.jobs),
        targets=[_target(drift), *encryption.facts_of_targets([ref for _, ref in refs])],
        change=_change(drift) | _as_change(way),
        consequences=[{"text": text, "what": "put_back"}, *follows],
    )


def _policy(said: Statement, before: datetime) -> Policy:
    drift = Drift.objects.select_related("job", "password__veeam").filter(pk=said.change["drift"]).first()
    if drift is None:
        raise Invalid("There is no such drift.")
    return policies.in_force(_place(drift), before)


def _compare(said: Statement) -> Drift:
    """Observe afresh what the drift is about, and compare all that was approved; raises Stale."""
    drift = Drift.objects.filter(pk=said.change["drift"]).first()
    jobs = drifts.jobs_touched(drift) if drift is not None else []
    touched = [job.pk for job in jobs if job.state != Job.State.DELETED]
    if drift is not None and drift.what not in Drift.GAPS:
        passwords.observe(touched)
        drift.refresh_from_db()
    if drift is None or drift.closed_at is not None:
        raise Stale("What was found is not so any more: the drift closed by itself.")
    [target] = [target for target in said.targets if target["type"] == TYPE]
    if target != _target(drift):
        raise Stale("Something else is found by now than when this was asked.")
    passwords.compare_targets(said)
    return drift


def _compare_explain(said: Statement) -> None:
    _compare(said)


def _compare_revert(said: Statement) -> None:
    way = _way(_compare(said))
    differs = any(said.change[name] != value for name, value in _as_change(way).items())
    if differs or set(way.jobs) != set(said.refs("job")):
        raise Stale("The way back is another one than when this was asked.")


def _explain(said: Statement, digest: str, secret: Secret | None) -> Begin:
    drift = UUID(said.change["drift"])

    def begin(until: datetime) -> None:
        drifts.explain_within(drift, request=said.request, reason=said.reason, by=WORKER)

    return begin


def _revert(said: Statement, digest: str, secret: Secret | None) -> Begin:
    way = _way(Drift.objects.get(pk=said.change["drift"]))
    prepared = rekeys.prepare(
        rekeys.Wish(
            action=way.action,
            request=said.request,
            request_digest=digest,
            jobs={UUID(row["id"]): row["fingerprint"] for row in said.targets if row["type"] == "job"},
            password=way.password,
            number=said.number,
            restores=way.restores,
            described=passwords.describes(said),
        )
    )
    nights = int(said.policy["fulls_a_night"])
    return lambda until: rekeys.start_within(prepared, by=WORKER, retry_until=until, fulls_a_night=nights)


def _open(drift_id: UUID | None) -> Drift:
    # Not locked: the web may not change a drift, and its execution compares all of it anew.
    rows = Drift.objects.select_related("job", "password", "repository")
    drift = rows.filter(pk=drift_id).first() if drift_id is not None else None
    if drift is None:
        raise NotFound("There is no such drift.")
    if drift.closed_at is not None:
        raise Invalid("This drift is closed: there is nothing to decide on any more.")
    return drift


def _locked(jobs: tuple[UUID, ...]) -> list[Job]:
    rows = Job.objects.select_for_update(of=("self",)).exclude(state=Job.State.DELETED).order_by("pk")
    return list(rows.filter(pk__in=jobs))


def _is_there(drift: Drift) -> bool:
    """Whether what it is about can be a target: a drift outlives a job or password that is deleted."""
    if drift.job is not None:
        return drift.job.state != Job.State.DELETED
    return drift.password is not None and drift.password.deleted_at is None


def _way(drift: Drift) -> drifts.WayBack:
    way = drifts.way_back(drift)
    if isinstance(way, str):
        raise Invalid(way)
    return way


def _place(drift: Drift) -> UUID | None:
    """Return the repository, or Veeam server, whose policy a drift falls under."""
    if drift.job is not None:
        return drift.job.repository_id
    if drift.password is not None:
        return VeeamPassword.objects.values_list("server", flat=True).get(password=drift.password)
    return drift.repository_id


def _target(drift: Drift) -> dict[str, Any]:
    facts: dict[str, Any] = {"found": encryption.found_of(drift), "id": str(drift.pk), "what": drift.what}
    return {
        "fingerprint": hashlib.sha256(rfc8785.dumps(facts)).hexdigest(),
        "id": str(drift.pk),
        "name": drifts.named(drift),
        "type": TYPE,
    }


def _change(drift: Drift) -> dict[str, Any]:
    return {"drift": str(drift.pk), "found": encryption.found_of(drift), "what": drift.what}


def _as_change(way: drifts.WayBack) -> dict[str, Any]:
    return {
        "action": way.action,
        "encryption_password": str(way.password) if way.password else None,
        "restores": str(way.restores) if way.restores else None,
    }


EXPLAIN = RequestKind(_draft_explain, _policy, _compare_explain, _explain)
REVERT = RequestKind(_draft_revert, _policy, _compare_revert, _revert)
