"""Sessions of jobs and of the analyzer, and its findings."""

from typing import Any

from veeamsec.peer import runs
from veeamsec.peer.accounts import GUARDS, READERS, RESTORERS
from veeamsec.peer.answers import Answer, Model, alike, first, gone, ordered, page, several
from veeamsec.peer.rest.times import span, within
from veeamsec.peer.revisions import has
from veeamsec.peer.routes import Call, route

_ALL, _ONE = "/api/v1/sessions", "/api/v1/sessions/{}"
_ANALYZER = "/api/v1/securityAnalyzer"
_COLUMNS = ("Name", "SessionType", "CreationTime", "EndTime", "State", "InitiatedBy")
# Who started a session is told since then.
_INITIATED = "1.3-rev0"


@route("GET", _ALL, READERS)
def listed(call: Call) -> Answer:
    """A page of sessions, the newest first unless ordered otherwise."""
    query, fits = call.query, alike(first(call.query, "nameFilter"))
    job, result = first(query, "jobIdFilter"), first(query, "resultFilter")
    kinds, state = several(query, "typeFilter"), first(query, "stateFilter")
    bounds = span(query)
    found = [
        one
        for one in reversed(call.at.sessions.values())
        if fits(one["name"])
        and within(one["creationTime"], bounds)
        and job in (None, one["jobId"])
        and (not kinds or one["sessionType"] in kinds)
        and state in (None, one["state"])
        and result in (None, one["result"]["result"])
    ]
    return page(ordered(found, query, _COLUMNS), query, lambda model: _shown(call, model))


@route("GET", _ONE, READERS)
def one(call: Call) -> Answer:
    """One session."""
    return Answer(200, _shown(call, _found(call)))


@route("GET", f"{_ONE}/logs", READERS)
def logs(call: Call) -> Answer:
    """What a session said."""
    found = _found(call)
    record: dict[str, Any] = {
        "id": 1,
        "status": "Succeeded",
        "startTime": found["creationTime"],
        "updateTime": found.get("endTime", found["creationTime"]),
        "title": f"{found['name']}: {found['state']}",
        "description": "",
    }
    return Answer(200, {"totalRecords": 1, "records": [record]})


@route("POST", f"{_ONE}/stop", RESTORERS)
def stop(call: Call) -> Answer:
    """Stop the job of a session."""
    runs.stop(call.at, _found(call)["jobId"])
    return Answer(200, {})


@route("POST", f"{_ANALYZER}/start", GUARDS)
def analyze(call: Call) -> Answer:
    """Start the analyzer."""
    return Answer(201, _shown(call, runs.analyze(call.at, by=call.by)))


@route("GET", f"{_ANALYZER}/lastRun", GUARDS)
def last_run(call: Call) -> Answer:
    """Its last session. Raises Refusal (404) before the first."""
    if call.at.analyzed is None:
        raise gone("lastRun")
    return Answer(200, _shown(call, call.at.sessions[call.at.analyzed]))


@route("GET", f"{_ANALYZER}/bestPractices", GUARDS)
def findings(call: Call) -> Answer:
    """What it found; not in pages."""
    return Answer(200, {"items": call.at.practices})


@route("POST", f"{_ANALYZER}/bestPractices/resetAll", GUARDS)
def reset_all(call: Call) -> Answer:
    """Nothing is suppressed any more."""
    for practice in call.at.practices:
        _unsuppress(practice)
    return Answer(200, {"items": call.at.practices})


@route("POST", f"{_ANALYZER}/bestPractices/{{}}/suppress", GUARDS)
def suppress(call: Call) -> Answer:
    """Take one off the list, with a note."""
    practice = _practice(call)
    practice |= {"status": "Suppressed", "note": str(call.model().get("note") or "")}
    return Answer(200, practice)


@route("POST", f"{_ANALYZER}/bestPractices/{{}}/reset", GUARDS)
def reset(call: Call) -> Answer:
    """Put one back on the list."""
    return Answer(200, _unsuppress(_practice(call)))


def _unsuppress(practice: Model) -> Model:
    if practice["status"] == "Suppressed":
        practice |= {"status": "Violation", "note": ""}
    return practice


def _practice(call: Call) -> Model:
    found = next((one for one in call.at.practices if one["id"] == call.ids[0].lower()), None)
    if found is None:
        raise gone(call.ids[0])
    return found


def _found(call: Call) -> Model:
    try:
        return call.at.sessions[call.ids[0].lower()]
    except KeyError:
        raise gone(call.ids[0]) from None


def _shown(call: Call, model: Model) -> Model:
    if has(call.revision, _INITIATED):
        return model
    return {name: one for name, one in model.items() if name != "initiatedBy"}
