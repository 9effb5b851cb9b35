"""Repositories and scale-out repositories of a Veeam server, with what their tiers encrypt."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from encryption.engines.veeam.client import VeeamClient
from encryption.engines.veeam.reading import uuid_or_none
from encryption.errors import VeeamGone, VeeamRefused
from encryption.models import VeeamRepository, VeeamServer

_GIB = 1024**3
_TIERS = ("capacity", "archive")
_OFF = {"none", "0", "", "false"}


@dataclass(frozen=True, slots=True)
class PlaceRead:
    """A repository, or a scale-out repository with its tiers."""

    external: UUID
    name: str
    type: str
    free_bytes: int | None = None
    capacity_bytes: int | None = None
    immutable: bool | None = None
    tiers: tuple[dict[str, Any], ...] = ()


def read(client: VeeamClient) -> dict[UUID, PlaceRead]:
    """Read the repositories, their space and the tiers. Raises EngineError."""
    states = {str(one["id"]): one for one in _states(client)}
    found = {}
    for model in client.repositories():
        place = _place(model, states.get(str(model["id"]), {}), "")
        found[place.external] = place
    for model in client.scale_out_repositories():
        place = _place(model, states.get(str(model["id"]), {}), "ScaleOut")
        found[place.external] = replace(place, immutable=_of_extents(model, found))
    return found


def _states(client: VeeamClient) -> Iterable[Mapping[str, Any]]:
    try:
        return list(client.repository_states())
    except (VeeamRefused, VeeamGone):
        return []


def _place(model: Mapping[str, Any], state: Mapping[str, Any], kind: str) -> PlaceRead:
    return PlaceRead(
        external=UUID(str(model["id"])),
        name=str(model.get("name") or "")[:255],
        type=(kind or str(model.get("type") or ""))[:60],
        free_bytes=_bytes(state.get("freeGB")),
        capacity_bytes=_bytes(state.get("capacityGB")),
        immutable=_immutable(model),
        tiers=tuple(tier for name in _TIERS if (tier := _tier(name, model.get(f"{name}Tier")))),
    )


def _of_extents(model: Mapping[str, Any], known: Mapping[UUID, PlaceRead]) -> bool | None:
    """Say whether all extents of a scale-out repository are immutable; None where one does not say."""
    tier = model.get("performanceTier")
    extents = tier.get("performanceExtents") if isinstance(tier, Mapping) else None
    named = [uuid_or_none(one.get("id")) for one in (extents or ()) if isinstance(one, Mapping)]
    said = [known[one].immutable if one is not None and one in known else None for one in named]
    if False in said:
        return False
    return None if None in said or not said else True


def _tier(name: str, model: object) -> dict[str, Any] | None:
    if not isinstance(model, Mapping) or not model.get("isEnabled"):
        return None
    encryption = model.get("encryption")
    # Before 1.3-rev2 the archive tier did not say: not known is not plain.
    copies = bool(model.get("copyPolicyEnabled"))
    if not isinstance(encryption, Mapping):
        encrypted = None if name == "archive" else False
        said = {"enabled": True, "encrypted": encrypted, "kms": None, "password": None, "tier": name}
        return said | {"copies": copies}
    return {
        "copies": copies,
        "enabled": True,
        "encrypted": bool(encryption.get("isEnabled")),
        "kms": encryption.get("kmsServerId"),
        "password": encryption.get("encryptionPasswordId"),
        "tier": name,
    }


def _bytes(gib: object) -> int | None:
    return int(gib * _GIB) if isinstance(gib, int | float) and gib >= 0 else None


def _immutable(model: object) -> bool | None:
    """Say whether a repository's model has immutability on; None where its type says nothing of it."""
    found: bool | None = None
    if isinstance(model, Mapping):
        for name, value in model.items():
            if name == "immutability" and isinstance(value, Mapping):
                said: bool | None = bool(value.get("isEnabled"))
            elif name.startswith("makeRecentBackupsImmutable"):
                said = str(value or "").lower() not in _OFF
            else:
                said = _immutable(value)
            found = said if found is None else found or bool(said)
    return found


def note_within(server: VeeamServer, read_now: Mapping[UUID, PlaceRead], now: datetime) -> dict[UUID, UUID]:
    """Write what was read of the places; returns our id of each by its id there."""
    known = {row.external: row for row in VeeamRepository.objects.filter(server=server)}
    new = []
    for place in read_now.values():
        row = known.get(place.external)
        if row is None:
            row = VeeamRepository(server=server, external=place.external, seen_at=now)
            known[place.external] = row
            new.append(row)
            _write(row, place)
        elif _write(row, place):
            row.save()
    VeeamRepository.objects.bulk_create(new, batch_size=500)
    rows = VeeamRepository.objects.filter(server=server)
    rows.filter(external__in=read_now).update(seen_at=now, gone_at=None)
    rows.filter(gone_at=None).exclude(external__in=read_now).update(gone_at=now)
    return {external: row.pk for external, row in known.items()}


def _write(row: VeeamRepository, place: PlaceRead) -> bool:
    wanted: dict[str, Any] = {
        "name": place.name,
        "type": place.type,
        "free_bytes": place.free_bytes,
        "capacity_bytes": place.capacity_bytes,
        "immutable": place.immutable,
        "tiers": list(place.tiers),
    }
    changed = any(getattr(row, name) != value for name, value in wanted.items())
    for name, value in wanted.items():
        setattr(row, name, value)
    return changed
