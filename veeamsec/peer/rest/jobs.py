"""Jobs by their whole models, their states, and their runs."""

import json
from typing import Any

from veeamsec.peer import actions, encryption, runs
from veeamsec.peer.accounts import ADMINISTRATORS, OPERATORS, READERS
from veeamsec.peer.answers import Answer, Raw, alike, first, ordered, page, unexpected
from veeamsec.peer.installation import Installation, Job
from veeamsec.peer.pieces import KINDS
from veeamsec.peer.rest.passwords import refuse_while_four_eyes
from veeamsec.peer.routes import Call, route
from veeamsec.peer.vendor_form import as_vendor

_ALL, _ONE = "/api/v1/jobs", "/api/v1/jobs/{}"
_STATES = ("Name", "Type", "Status", "LastRun", "LastResult", "NextRun", "Description", "ObjectsCount")


@route("GET", _ALL, READERS)
def listed(call: Call) -> Answer:
    """A page of whole models."""
    fits, kind = alike(first(call.query, "nameFilter")), first(call.query, "typeFilter")
    heads = [one.head for one in call.at.jobs.values()]
    fitting = [one for one in heads if fits(one["name"]) and kind in (None, one["type"])]
    found = ordered(fitting, call.query, ("Name", "Type", "Description"))
    return page(found, call.query, lambda head: _shown(call.at, call.at.jobs[head["id"].lower()]))


@route("GET", "/api/v1/jobs/states", READERS)
def states(call: Call) -> Answer:
    """A page of what jobs are doing and did last."""
    fits, kind = alike(first(call.query, "nameFilter")), first(call.query, "typeFilter")
    wanted, status = first(call.query, "idFilter"), first(call.query, "statusFilter")
    models = [
        state
        for state in (_state(call.at, job) for job in call.at.jobs.values())
        if fits(state["name"])
        and kind in (None, state["type"])
        and wanted in (None, state["id"])
        and status in (None, state["status"])
    ]
    return page(ordered(models, call.query, _STATES), call.query)


@route("GET", _ONE, READERS)
def one(call: Call) -> Answer:
    """One whole model."""
    return Answer(200, _shown(call.at, call.at.job(call.ids[0])))


@route("PUT", _ONE, ADMINISTRATORS)
def put(call: Call) -> Answer:
    """Another whole model. Raises Refusal (400)."""
    actions.put_job(call.at, call.ids[0], call.text, by=call.by)
    return Answer(200, _shown(call.at, call.at.job(call.ids[0])))


@route("DELETE", _ONE, ADMINISTRATORS)
def delete(call: Call) -> Answer:
    """Remove a job; its backup stays."""
    job = call.at.job(call.ids[0])
    refuse_while_four_eyes(call.at)
    del call.at.jobs[job.model["id"]]
    return Answer(204)


@route("POST", f"{_ONE}/start", OPERATORS)
def start(call: Call) -> Answer:
    """Run a job; a session that ends by itself."""
    model = call.model() if call.body.strip() else {}
    if "performActiveFull" not in model:
        raise unexpected("The field performActiveFull is required.")
    session = runs.start(call.at, call.ids[0], by=call.by, full=model["performActiveFull"] is True)
    return Answer(201, session)


@route("POST", f"{_ONE}/retry", OPERATORS)
def retry(call: Call) -> Answer:
    """Run a job again."""
    return Answer(201, runs.start(call.at, call.ids[0], by=call.by))


@route("POST", f"{_ONE}/stop", OPERATORS)
def stop(call: Call) -> Answer:
    """Stop a job that runs."""
    call.model("gracefulStop") if call.body.strip() else unexpected("The field gracefulStop is required.")
    return Answer(201, runs.stop(call.at, call.ids[0]))


@route("POST", f"{_ONE}/disable", ADMINISTRATORS)
def disable(call: Call) -> Answer:
    """It runs no more."""
    return _switch(call, off=True)


@route("POST", f"{_ONE}/enable", ADMINISTRATORS)
def enable(call: Call) -> Answer:
    """It runs again."""
    return _switch(call, off=False)


def _switch(call: Call, *, off: bool) -> Answer:
    model = call.at.job(call.ids[0]).model
    model["isDisabled"] = off
    actions.edit_job(call.at, call.ids[0], model, by=call.by)
    return Answer(204)


def _shown(at: Installation, job: Job) -> Any:
    if at.options.vendor_form:
        return as_vendor(json.loads(job.text))
    return Raw(job.text)


def _state(at: Installation, job: Job) -> dict[str, Any]:
    model = job.model
    _, _, workload, _ = KINDS[model["type"]]
    backup = next((one for one in at.backups.values() if one.job == model["id"]), None)
    status = "Running" if job.running else "Disabled" if model.get("isDisabled") else "Inactive"
    state: dict[str, Any] = {
        "id": model["id"],
        "name": model["name"],
        "type": model["type"],
        "description": model.get("description") or "",
        "status": status,
        "lastResult": job.last_result,
        "workload": workload,
        "objectsCount": max(1, len(job.series)),
        "highPriority": model.get("isHighPriority") is True,
        "progressPercent": 10 if job.running else 100,
        "sessionId": job.last_session or encryption.NOTHING,
    }
    if job.last_run:
        state["lastRun"] = at.clock.told(job.last_run)
    if backup:
        name = (at.repositories.get(backup.repository) or at.scale_outs.get(backup.repository) or {}).get(
            "name"
        )
        state |= {"repositoryId": backup.repository, "repositoryName": name or ""}
    return state
