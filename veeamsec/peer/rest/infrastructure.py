"""Repositories, their free space, and scale-out repositories with their tiers."""

from typing import Any

from veeamsec.peer.accounts import READERS, VIEWERS
from veeamsec.peer.answers import Answer, Model, alike, first, gone, ordered, page
from veeamsec.peer.installation import Installation
from veeamsec.peer.revisions import has
from veeamsec.peer.routes import Call, route

_ROOT = "/api/v1/backupInfrastructure"
_COLUMNS = ("Name", "Description", "Type", "Host", "Path")
# Encryption of the archive tier of its own.
_ARCHIVE = "1.3-rev2"


@route("GET", f"{_ROOT}/repositories", READERS)
def repositories(call: Call) -> Answer:
    """A page of repositories."""
    return page(ordered(_fitting(call, call.at.repositories), call.query, _COLUMNS), call.query)


@route("GET", f"{_ROOT}/repositories/states", READERS)
def states(call: Call) -> Answer:
    """How much is free."""
    wanted = first(call.query, "idFilter")
    models = [
        _state(call.at, model)
        for model in _fitting(call, call.at.repositories)
        if wanted in (None, model["id"])
    ]
    return page(ordered(models, call.query, (*_COLUMNS, "CapacityGB", "FreeGB", "UsedSpaceGB")), call.query)


@route("GET", f"{_ROOT}/repositories/{{}}", READERS)
def repository(call: Call) -> Answer:
    """One repository."""
    return Answer(200, _one(call, call.at.repositories))


@route("GET", f"{_ROOT}/scaleOutRepositories", VIEWERS)
def scale_outs(call: Call) -> Answer:
    """A page of scale-out repositories."""
    found = ordered(_fitting(call, call.at.scale_outs), call.query, _COLUMNS)
    return page(found, call.query, lambda model: _tiers(call, model))


@route("GET", f"{_ROOT}/scaleOutRepositories/{{}}", VIEWERS)
def scale_out(call: Call) -> Answer:
    """One scale-out repository."""
    return Answer(200, _tiers(call, _one(call, call.at.scale_outs)))


def _fitting(call: Call, models: dict[str, Model]) -> list[Model]:
    fits, kind = alike(first(call.query, "nameFilter")), first(call.query, "typeFilter")
    return [one for one in models.values() if fits(one["name"]) and kind in (None, one.get("type"))]


def _one(call: Call, models: dict[str, Model]) -> Model:
    try:
        return models[call.ids[0].lower()]
    except KeyError:
        raise gone(call.ids[0]) from None


def _tiers(call: Call, model: Model) -> Model:
    archive: dict[str, Any] | None = model.get("archiveTier")
    if archive is None or has(call.revision, _ARCHIVE):
        return model
    return model | {"archiveTier": {name: one for name, one in archive.items() if name != "encryption"}}


def _state(at: Installation, model: Model) -> Model:
    capacity, used = at.space.get(model["id"], [0.0, 0.0])
    state: Model = {
        "id": model["id"],
        "name": model["name"],
        "type": model["type"],
        "description": model["description"],
        "capacityGB": round(capacity, 1),
        "freeGB": round(capacity - used, 1),
        "usedSpaceGB": round(used, 1),
        "isOnline": True,
        "isOutOfDate": False,
    }
    for place in at.scale_outs.values():
        for tier, extents in _extents(place).items():
            if model["id"] in extents:
                state["scaleOutRepositoryDetails"] = {
                    "membership": place["name"],
                    "scaleOutRepositoryId": place["id"],
                    "extentType": tier,
                }
    return state


def _extents(place: Model) -> dict[str, list[str]]:
    return {
        "Performance": [one["id"] for one in place["performanceTier"]["performanceExtents"]],
        "Capacity": [one["id"] for one in (place.get("capacityTier") or {}).get("extents", [])],
        "Archive": [str((place.get("archiveTier") or {}).get("extentId"))],
    }
