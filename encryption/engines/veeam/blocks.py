"""Where a job's model speaks of encryption, and how one such place is changed.

Each type of job keeps its block elsewhere, and new types appear; so a model is walked for what looks like a
block, and the known places are added where a model has none yet. A path is a JSON pointer (RFC 6901).
"""

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

from encryption.engines.veeam.reading import Model, flag, text, uuid_or_none
from encryption.errors import VeeamUnexpected

Kind = Literal["password", "kms", "none"]

_NAMES = frozenset({"encryption", "encryptionsettings"})
_BY_PASSWORD, _BY_KMS = "ByUserPassword", "ByKms"
# A configuration backup names its password in its own way.
_PASSWORD_FIELDS = ("encryptionPasswordId", "passwordId")
_UNIQUE_FIELD, _KMS_FIELD, _TYPE_FIELD = "encryptionPasswordUniqueId", "kmsServerId", "encryptionType"
# Beside a copy's block: while it is false, the block is there and not in force.
_CUSTOM = "useCustomEncryption"
_DEEPEST = 60

_STORAGE = "/storage/advancedSettings/storageData/encryption"
_AT_BACKUP_REPOSITORY = "/backupRepository/advancedSettings/storageData/encryption"
_PLACES = {
    "backupcopy": "/target/advancedSettings/storageData/encryption",
    "clouddirectorbackup": _STORAGE,
    "entraidauditlogbackup": _STORAGE,
    "entraidtenantbackup": "/storage/advancedSettings/encryption",
    "entraidtenantbackupcopy": "/encryption",
    "filebackup": _AT_BACKUP_REPOSITORY,
    "filebackupcopy": "/encryption",
    "hypervbackup": _STORAGE,
    "linuxagentbackup": _STORAGE,
    "linuxagentbackupserverpolicy": _STORAGE,
    "linuxagentbackupworkstationpolicy": _STORAGE,
    "objectstoragebackup": _AT_BACKUP_REPOSITORY,
    "vspherebackup": _STORAGE,
    "windowsagentbackup": _STORAGE,
    "windowsagentbackupfailovercluster": _STORAGE,
    "windowsagentbackupserverpolicy": _STORAGE,
    "windowsagentbackupworkstationpolicy": _STORAGE,
}
# Replicas, content scans and cloud databases have no encryption of their own.
_NEVER = frozenset({"vspherereplica", "surebackupcontentscan", "irisbackup"})


@dataclass(frozen=True, slots=True)
class Block:
    """What one place of a model says: on or off, and by which password or KMS server."""

    path: str
    enabled: bool
    kind: Kind = "none"
    password: UUID | None = None
    kms: UUID | None = None
    unique_id: str = ""


def blocks(model: Model) -> tuple[Block, ...]:
    """Return every place of `model` that speaks of encryption, the job's own before those of further targets.

    Off is a switch that is false, null or missing, and a switch that is on without naming any key.
    """
    found = {path: _read(path, block, in_force) for path, block, in_force in _walk(model, "", 0)}
    known = _PLACES.get(text(model.get("type")).casefold())
    if known is not None and known not in found and isinstance(_at(model, _parent(known)), dict):
        found[known] = Block(known, enabled=False)
    return tuple(sorted(found.values(), key=lambda block: _in_a_list(block.path)))


def never_encrypts(job_type: str) -> bool:
    """Say whether jobs of this type have no encryption at all, so that its absence is no gap."""
    return job_type.casefold() in _NEVER


def patched(model: Model, path: str, block: Block) -> dict[str, Any]:
    """Return a copy of `model` whose place at `path` says what `block` says; all else is as it was.

    Switched off, a place keeps the ids that it had. Raises VeeamUnexpected where there is no such place.
    """
    changed: dict[str, Any] = copy.deepcopy(dict(model))
    parent = _at(changed, _parent(path))
    if not isinstance(parent, dict):
        raise VeeamUnexpected(f"The model has no place {path} for encryption.")
    name = _parts(path)[-1]
    place = parent[name] if isinstance(parent.get(name), dict) else {}
    parent[name] = place
    if flag(place.get("isEnabled")) != block.enabled or "isEnabled" not in place:
        place["isEnabled"] = block.enabled
    if block.enabled:
        _name_key(place, block)
        if _CUSTOM in parent and not flag(parent[_CUSTOM]):
            parent[_CUSTOM] = True
    return changed


def _name_key(place: dict[str, Any], block: Block) -> None:
    field = next((name for name in _PASSWORD_FIELDS if name in place), _PASSWORD_FIELDS[0])
    wanted = _BY_KMS if block.kind == "kms" else _BY_PASSWORD
    typed = field != "passwordId" and text(place.get(_TYPE_FIELD)).casefold() != wanted.casefold()
    if block.kind == "kms" and block.kms is not None:
        if uuid_or_none(place.get(_KMS_FIELD)) != block.kms:
            place[_KMS_FIELD] = str(block.kms)
    elif block.kind == "password" and block.password is not None:
        if uuid_or_none(place.get(field)) != block.password:
            place[field] = str(block.password)
            # The other name of the former password must not contradict the new id.
            place.pop(_UNIQUE_FIELD, None)
        if block.unique_id and place.get(_UNIQUE_FIELD) != block.unique_id:
            place[_UNIQUE_FIELD] = block.unique_id
    else:
        raise VeeamUnexpected("Encryption cannot be switched on without a password or a KMS server.")
    if typed:
        place[_TYPE_FIELD] = wanted


def _read(path: str, place: Model, in_force: bool) -> Block:
    password = next((found for name in _PASSWORD_FIELDS if (found := uuid_or_none(place.get(name)))), None)
    unique_id, kms = text(place.get(_UNIQUE_FIELD)), uuid_or_none(place.get(_KMS_FIELD))
    said = text(place.get(_TYPE_FIELD)).casefold()
    by_kms = said == _BY_KMS.casefold() or (not said and kms is not None and password is None)
    kind: Kind = "kms" if by_kms else "password"
    if by_kms:
        named, password, unique_id = kms is not None, None, ""
    else:
        named, kms = password is not None or bool(unique_id), None
    if not named:
        return Block(path, enabled=False)
    return Block(path, in_force and flag(place.get("isEnabled")), kind, password, kms, unique_id)


def _walk(value: object, path: str, depth: int) -> Iterator[tuple[str, Model, bool]]:
    if depth > _DEEPEST:
        return
    if isinstance(value, dict):
        in_force = _CUSTOM not in value or flag(value[_CUSTOM])
        for name, inner in value.items():
            here = f"{path}/{name.replace('~', '~0').replace('/', '~1')}"
            if name.casefold() in _NAMES and (inner is None or _is_block(inner)):
                yield here, inner or {}, in_force
            else:
                yield from _walk(inner, here, depth + 1)
    elif isinstance(value, list):
        for position, inner in enumerate(value):
            yield from _walk(inner, f"{path}/{position}", depth + 1)


def _is_block(value: object) -> bool:
    return isinstance(value, dict) and (
        "isEnabled" in value or any(name in value for name in _PASSWORD_FIELDS)
    )


def _parts(path: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in path.split("/")[1:]]


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _at(model: object, path: str) -> object:
    for part in _parts(path):
        if isinstance(model, dict):
            model = model.get(part)
        elif isinstance(model, list) and part.isdigit() and int(part) < len(model):
            model = model[int(part)]
        else:
            return None
    return model


def _in_a_list(path: str) -> bool:
    return any(part.isdigit() for part in _parts(path))
