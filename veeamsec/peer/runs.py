"""Sessions: a job that runs makes restore points, the analyzer looks, the configuration is backed up."""

import threading
from datetime import timedelta
from typing import Any
from uuid import uuid4

from veeamsec.peer import encryption
from veeamsec.peer.answers import Refusal
from veeamsec.peer.installation import Installation, Job
from veeamsec.peer.pieces import KINDS
from veeamsec.peer.points import kind

Model = dict[str, Any]

_GIGABYTE = 1 << 30
# An increment takes this part of a full.
_INCREMENT = 20
# Beyond this, restore points that are kept for no period are retired.
_KEPT_DAYS = 14


def begin(at: Installation, identity: str, *, by: str) -> Model:
    """Start a job. Raises Refusal (400, 404) for one that runs or is disabled."""
    job = at.job(identity)
    model = job.model
    if model.get("isDisabled"):
        raise Refusal(400, "UnexpectedContent", f"The job {model['name']} is disabled.", resource=model["id"])
    if job.running:
        raise Refusal(400, "UnexpectedContent", f"The job {model['name']} is running.", resource=model["id"])
    platform, session_type, _, _ = KINDS[model["type"]]
    session = _session(at, model["name"], model["id"], session_type, by) | {
        "platformName": platform,
        "platformId": encryption.NOTHING,
    }
    at.sessions[session["id"]] = session
    job.running, job.last_session = True, session["id"]
    return session


def start(at: Installation, identity: str, *, by: str, full: bool = False) -> Model:
    """Start a job that ends by itself a moment later. Raises Refusal."""
    session = begin(at, identity, by=by)
    _later(at, lambda: end(at, session["id"], full=full))
    return dict(session)


def end(at: Installation, session_id: str, *, full: bool = False, result: str = "Success") -> list[str]:
    """End the session of a job; the ids of the restore points that it made, under what is in force now."""
    session = at.sessions[session_id]
    job = at.jobs.get(session["jobId"])
    if session["state"] == "Stopped" or job is None:
        return []
    made: list[str] = []
    if result == "Success":
        made = _points(at, job, full=full)
    now = at.clock.now()
    job.running, job.last_run, job.last_result = False, now, result
    _close(at, session, result)
    return made


def stop(at: Installation, identity: str) -> Model:
    """Stop a job that runs; its session. Raises Refusal (400)."""
    job = at.job(identity)
    if not job.running or job.last_session is None:
        raise Refusal(400, "UnexpectedContent", "The job is not running.", resource=identity)
    session = at.sessions[job.last_session]
    job.running, job.last_result = False, "Failed"
    _close(at, session, "Failed")
    session["result"] |= {"isCanceled": True, "message": "Canceled by user"}
    return session


def analyze(at: Installation, *, by: str) -> Model:
    """Start the analyzer, which ends by itself."""
    session = _session(
        at, "Security & Compliance Analyzer", encryption.NOTHING, "SecurityComplianceAnalyzer", by
    )
    at.sessions[session["id"]] = session
    at.analyzed = session["id"]
    _later(at, lambda: None if session["state"] == "Stopped" else _close(at, session, "Success"))
    return dict(session)


def finish(at: Installation, session_id: str, *, result: str = "Success") -> None:
    """End a session that is no job's, at once."""
    _close(at, at.sessions[session_id], result)


def back_up_configuration(at: Installation, *, by: str) -> Model:
    """Back up the configuration. Raises Refusal (400) where passwords exist and it is not encrypted."""
    if at.passwords and not (at.config_backup.get("encryption") or {}).get("isEnabled"):
        raise Refusal(
            400,
            "UnexpectedContent",
            "The configuration backup must be encrypted: there are encryption passwords.",
        )
    session = _session(at, "Backup Configuration Job", encryption.NOTHING, "ConfigurationBackup", by)
    at.sessions[session["id"]] = session
    at.config_backup["lastSuccessfulBackup"] = {
        "lastSuccessfulTime": session["creationTime"],
        "sessionId": session["id"],
    }
    _later(at, lambda: _close(at, session, "Success"))
    return dict(session)


def _points(at: Installation, job: Job, *, full: bool) -> list[str]:
    model = job.model
    under = encryption.key_of(encryption.own(model))
    # Switching encryption on or off makes a full; another password or a KMS server does not.
    switched = (under is None) != (job.under is None)
    job.under = under
    moment = at.clock.tick()
    made = []
    taken = 0
    for number in job.series:
        first = not at.points.of({number})
        key = at.points.add(number, moment, full=full or switched or first)
        size = at.points.series[number].size // 2
        taken += size if kind(key) == "Full" else size // _INCREMENT
        made.append(at.points.id_of(key))
    at.points.retire(set(job.series), moment - timedelta(days=_KEPT_DAYS))
    backup = next((one for one in at.backups.values() if one.job == model["id"]), None)
    if backup and backup.repository in at.space:
        at.space[backup.repository][1] += taken / _GIGABYTE
    return made


def _session(at: Installation, name: str, job: str, session_type: str, by: str) -> Model:
    return {
        "id": str(uuid4()),
        "name": name,
        "jobId": job,
        "sessionType": session_type,
        "creationTime": at.clock.told(at.clock.now()),
        "state": "Working",
        "progressPercent": 10,
        "result": {"result": "None", "message": "", "isCanceled": False},
        "usn": len(at.sessions) + 1,
        "initiatedBy": by,
    }


def _close(at: Installation, session: Model, result: str) -> None:
    session["state"], session["progressPercent"] = "Stopped", 100
    session["endTime"] = at.clock.told(at.clock.now())
    session["result"] = {"result": result, "message": result, "isCanceled": False}


def _later(at: Installation, do: Any) -> None:
    def locked() -> None:
        with at.lock:
            do()

    timer = threading.Timer(at.options.run_seconds, locked)
    timer.daemon = True
    timer.start()
