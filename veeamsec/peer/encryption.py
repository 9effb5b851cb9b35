"""Where the model of a job keeps its encryption, as a server knows it; read and written by type."""

from collections.abc import Iterator
from typing import Any

Model = dict[str, Any]

_STORAGE = ("storage", "advancedSettings", "storageData", "encryption")
_BACKUP_REPOSITORY = ("backupRepository", "advancedSettings", "storageData", "encryption")
PLACES: dict[str, tuple[str, ...]] = {
    "VSphereBackup": _STORAGE,
    "HyperVBackup": _STORAGE,
    "CloudDirectorBackup": _STORAGE,
    "WindowsAgentBackup": _STORAGE,
    "WindowsAgentBackupFailoverCluster": _STORAGE,
    "LinuxAgentBackup": _STORAGE,
    "WindowsAgentBackupWorkstationPolicy": _STORAGE,
    "WindowsAgentBackupServerPolicy": _STORAGE,
    "LinuxAgentBackupWorkstationPolicy": _STORAGE,
    "LinuxAgentBackupServerPolicy": _STORAGE,
    "EntraIDAuditLogBackup": _STORAGE,
    "BackupCopy": ("target", "advancedSettings", "storageData", "encryption"),
    "FileBackup": _BACKUP_REPOSITORY,
    "ObjectStorageBackup": _BACKUP_REPOSITORY,
    "EntraIDTenantBackup": ("storage", "advancedSettings", "encryption"),
    "FileBackupCopy": ("encryption",),
    "EntraIDTenantBackupCopy": ("encryption",),
}
NOTHING = "00000000-0000-0000-0000-000000000000"


def own(model: Model) -> Model | None:
    """The job's own block, None for a type without one."""
    place: Any = model
    for name in PLACES.get(model["type"], ("",)):
        place = place.get(name) if isinstance(place, dict) else None
    return place if isinstance(place, dict) else None


def every(model: Model) -> Iterator[Model]:
    """The job's own block, then those of its further targets."""
    block = own(model)
    if block is not None:
        yield block
    for target in model.get("secondaryTargets") or []:
        if isinstance(target, dict) and isinstance(target.get("encryption"), dict):
            yield target["encryption"]


def key_of(block: Model | None) -> str | None:
    """By which password or KMS server a block encrypts; None while it is off."""
    if block is None or block.get("isEnabled") is not True:
        return None
    name = "kmsServerId" if str(block.get("encryptionType")).casefold() == "bykms" else "encryptionPasswordId"
    found = block.get(name)
    return str(found).lower() if found and found != NOTHING else None


def by_password(password: str, unique_id: str = "") -> Model:
    """A block that encrypts with a password."""
    block = {"isEnabled": True, "encryptionType": "ByUserPassword", "encryptionPasswordId": password}
    return block | ({"encryptionPasswordUniqueId": unique_id} if unique_id else {})


def by_kms(server: str) -> Model:
    """A block that encrypts with keys of a KMS server."""
    return {"isEnabled": True, "encryptionType": "ByKms", "kmsServerId": server}


def off() -> Model:
    """A block that does not encrypt, as the specification writes it."""
    return {"isEnabled": False}
