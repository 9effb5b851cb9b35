"""Backups, their objects and files, and restore points by the page."""

from typing import Any

from veeamsec.peer import encryption
from veeamsec.peer.accounts import ADMINISTRATORS, READERS, VIEWERS
from veeamsec.peer.answers import Answer, alike, first, gone, ordered, page, several, switched, unexpected
from veeamsec.peer.installation import Backup, Installation
from veeamsec.peer.pieces import KINDS, identity
from veeamsec.peer.points import Series, kind
from veeamsec.peer.rest.passwords import refuse_while_four_eyes
from veeamsec.peer.rest.times import span, within
from veeamsec.peer.routes import Call, route

Model = dict[str, Any]


@route("GET", "/api/v1/backups", READERS)
def listed(call: Call) -> Answer:
    """A page of backups."""
    fits, bounds = alike(first(call.query, "nameFilter")), span(call.query)
    job, kinds = first(call.query, "jobIdFilter"), several(call.query, "jobTypeFilter")
    models = [
        model
        for model in (_backup(call.at, one) for one in call.at.backups.values())
        if fits(model["name"])
        and within(model["creationTime"], bounds)
        and job in (None, model["jobId"])
        and (not kinds or model["jobType"] in kinds)
    ]
    return page(ordered(models, call.query, ("Name", "CreationTime", "PlatformId", "JobId")), call.query)


@route("GET", "/api/v1/backups/{}", READERS)
def one(call: Call) -> Answer:
    """One backup."""
    return Answer(200, _backup(call.at, _found(call)))


@route("DELETE", "/api/v1/backups/{}", ADMINISTRATORS)
def delete(call: Call) -> Answer:
    """Remove a backup with its restore points, at once."""
    backup = _found(call)
    refuse_while_four_eyes(call.at)
    call.at.points.forget(set(backup.series))
    del call.at.backups[backup.id]
    told = call.at.clock.told(call.at.clock.now())
    session: Model = {
        "id": identity("session", backup.id),
        "name": backup.name,
        "jobId": backup.job,
        "sessionType": "DeleteBackup",
        "creationTime": told,
        "endTime": told,
        "state": "Stopped",
        "progressPercent": 100,
        "result": {"result": "Success", "message": "Success", "isCanceled": False},
        "usn": len(call.at.sessions) + 1,
    }
    call.at.sessions[session["id"]] = session
    return Answer(201, session)


@route("GET", "/api/v1/backups/{}/objects", READERS)
def objects_of(call: Call) -> Answer:
    """The objects of a backup."""
    backup = _found(call)
    return page(
        [call.at.points.series[number] for number in backup.series],
        call.query,
        lambda series: _object(call.at, series),
    )


@route("GET", "/api/v1/backups/{}/backupFiles", VIEWERS)
def files_of(call: Call) -> Answer:
    """The files of a backup, the newest first."""
    keys = call.at.points.of(set(_found(call).series), call.at.points.between(*span(call.query)))
    told = call.at.clock.told
    return page(keys[::-1], call.query, lambda key: call.at.points.file_model(key, told))


@route("GET", "/api/v1/backups/{}/backupFiles/{}", VIEWERS)
def file_of(call: Call) -> Answer:
    """One file of a backup."""
    key = call.at.points.find_file(call.ids[1])
    if key is None or call.at.points.series_of(key).backup != _found(call).id:
        raise gone(call.ids[1])
    return Answer(200, call.at.points.file_model(key, call.at.clock.told))


@route("GET", "/api/v1/backupObjects", READERS)
def objects(call: Call) -> Answer:
    """A page of objects that have a backup."""
    fits, platform = alike(first(call.query, "nameFilter")), first(call.query, "platformNameFilter")
    found = [
        one
        for one in call.at.points.series
        if one.backup in call.at.backups and fits(one.name) and platform in (None, one.platform)
    ]
    if switched(call.query, "orderAsc") is not None or first(call.query, "orderColumn"):
        found.sort(key=lambda one: one.name.casefold(), reverse=switched(call.query, "orderAsc") is False)
    return page(found, call.query, lambda series: _object(call.at, series))


@route("GET", "/api/v1/backupObjects/{}", READERS)
def object_(call: Call) -> Answer:
    """One object."""
    return Answer(200, _object(call.at, _series(call)))


@route("GET", "/api/v1/backupObjects/{}/restorePoints", VIEWERS)
def points_of(call: Call) -> Answer:
    """The restore points of an object."""
    return _points(call, {_series(call).number})


@route("GET", "/api/v1/restorePoints", VIEWERS)
def points(call: Call) -> Answer:
    """A page of restore points."""
    return _points(call, _wanted(call))


@route("GET", "/api/v1/restorePoints/{}", VIEWERS)
def point(call: Call) -> Answer:
    """One restore point."""
    key = call.at.points.find(call.ids[0])
    if key is None:
        raise gone(call.ids[0])
    return Answer(200, call.at.points.model(key, call.at.clock.told))


def _points(call: Call, series: set[int] | None) -> Answer:
    found = call.at.points.between(*span(call.query))
    if series is not None:
        found = call.at.points.of(series, found)
    kinds = several(call.query, "typeFilter")
    if kinds:
        found = [key for key in found if kind(key) in kinds]
    column = first(call.query, "orderColumn")
    if column is not None and column.casefold() not in ("creationtime", "platformid", "backupid"):
        raise unexpected("The parameter orderColumn is not valid.")
    # The newest first, unless something else is asked for.
    if switched(call.query, "orderAsc") is not True:
        found = found[::-1]
    return page(found, call.query, lambda key: call.at.points.model(key, call.at.clock.told))


def _wanted(call: Call) -> set[int] | None:
    backup, thing = first(call.query, "backupIdFilter"), first(call.query, "backupObjectIdFilter")
    name, platform = first(call.query, "nameFilter"), first(call.query, "platformNameFilter")
    if not (backup or thing or name or platform):
        return None
    fits = alike(name)
    return {
        one.number
        for one in call.at.points.series
        if backup in (None, one.backup)
        and thing in (None, one.object)
        and platform in (None, one.platform)
        and fits(one.name)
    }


def _found(call: Call) -> Backup:
    try:
        return call.at.backups[call.ids[0].lower()]
    except KeyError:
        raise gone(call.ids[0]) from None


def _series(call: Call) -> Series:
    found = next((one for one in call.at.points.series if one.object == call.ids[0].lower()), None)
    if found is None:
        raise gone(call.ids[0])
    return found


def _backup(at: Installation, backup: Backup) -> Model:
    place = at.repositories.get(backup.repository) or at.scale_outs.get(backup.repository) or {}
    return {
        "id": backup.id,
        "jobId": backup.job,
        "policyUniqueId": backup.job,
        "name": backup.name,
        "platformName": KINDS[backup.kind][0],
        "platformId": encryption.NOTHING,
        "creationTime": at.clock.told(backup.created_at),
        "repositoryId": backup.repository,
        "repositoryName": place.get("name", ""),
        "jobType": backup.kind,
    }


def _object(at: Installation, series: Series) -> Model:
    model: Model = {
        "id": series.object,
        "name": series.name,
        "type": "VM",
        "platformName": series.platform,
        "platformId": series.platform_id,
        "restorePointsCount": len(at.points.of({series.number})),
        "lastRunFailed": False,
        "backupId": series.backup,
        "size": series.size,
    }
    own: dict[str, Model] = {
        "VMware": {"objectId": f"vm-{series.number}", "viType": "VirtualMachine", "path": series.name},
        "HyperV": {"objectId": series.object, "hvType": "VirtualMachine", "path": series.name},
        "CloudDirector": {"objectId": series.object, "cloudDirectorType": "VirtualMachine"},
        "UnstructuredData": {"hostId": series.object},
    }
    return model | own.get(series.platform, {})
