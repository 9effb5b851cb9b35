"""Models of jobs of every type, as a server with ordinary settings would tell them."""

from collections.abc import Callable
from typing import Any

from veeamsec.peer import encryption
from veeamsec.peer.pieces import KINDS, gfs, identity, schedule, virtual_machine

Model = dict[str, Any]


def job(
    kind: str, name: str, repository: str, *, guests: list[str], block: Model | None = None, at: str = "22:00"
) -> Model:
    """A job's whole model; `block` is its encryption, off where there is none. Its id comes from its name."""
    model = {"id": identity("job", name), "name": name, "type": kind, "isDisabled": False}
    return model | _MAKERS[kind](model, repository, guests, block or encryption.off(), f"{at}:00")


def _storage_data(block: Model) -> Model:
    return {
        "inlineDataDedupEnabled": True,
        "excludeSwapFileBlocks": True,
        "excludeDeletedFileBlocks": True,
        "compressionLevel": "Optimal",
        "storageOptimization": "1MB",
        "encryption": block,
    }


def _fulls() -> Model:
    weekly = {"isEnabled": True, "days": ["Sunday"], "localTime": "00:30:00"}
    return {
        "syntheticFulls": {"isEnabled": False},
        "activeFulls": {"isEnabled": True, "weekly": weekly},
        "backupHealth": {"isEnabled": True, "weekly": weekly},
    }


def _notifications() -> Model:
    mail = {"isEnabled": True, "recipients": ["backup@tech.example"], "sendDailySummary": True}
    return {"sendSNMPNotifications": False, "emailNotifications": mail}


def _virtual(model: Model, repository: str, guests: list[str], block: Model, at: str) -> Model:
    platform = {"HyperVBackup": "HyperV", "CloudDirectorBackup": "CloudDirector"}.get(
        model["type"], "VSphere"
    )
    hyperv = platform == "HyperV"
    proxies = {"proxyType": "OffHost"} if hyperv else {"autoSelectEnabled": True, "proxyIds": []}
    excludes: Model = {"vms": []} if hyperv else {"vms": [], "disks": [], "templates": {"isEnabled": True}}
    advanced = {"backupModeType": "Incremental", **_fulls(), "storageData": _storage_data(block)}
    return {
        "description": f"Backs up {', '.join(guests)}",
        "isHighPriority": False,
        "virtualMachines": {
            "includes": [virtual_machine(guest, platform) for guest in guests],
            "excludes": excludes,
        },
        "storage": {
            "backupRepositoryId": repository,
            "backupProxies": proxies,
            "retentionPolicy": {"type": "Days", "quantity": 14},
            "gfsPolicy": gfs(),
            "advancedSettings": advanced | {"notifications": _notifications()},
        },
        "guestProcessing": {
            "appAwareProcessing": {"isEnabled": True, "appSettings": []},
            "guestFSIndexing": {"isEnabled": False},
        },
        "schedule": schedule(at),
    }


def _replica(_model: Model, _repository: str, guests: list[str], _block: Model, at: str) -> Model:
    return {
        "description": f"Replicates {', '.join(guests)}",
        "isHighPriority": False,
        "virtualMachines": {"includes": [virtual_machine(guest) for guest in guests]},
        "destination": {"host": virtual_machine("esx07.tech.example", kind="Host")},
        "schedule": schedule(at),
    }


def _computers(guests: list[str], system: str) -> list[Model]:
    group = identity("group", "Servers")
    return [
        {
            "platform": "Agent",
            "id": identity("computer", guest),
            "name": guest,
            "type": f"{system}Computer",
            "protectionGroupId": group,
            "protectionGroupType": "IndividualComputers",
        }
        for guest in guests
    ]


def _agent(model: Model, repository: str, guests: list[str], block: Model, at: str) -> Model:
    system = "Linux" if model["type"].startswith("Linux") else "Windows"
    cluster = model["type"].endswith("FailoverCluster")
    agent = "FailoverCluster" if cluster else "Server"
    return {
        "description": f"Agents on {', '.join(guests)}",
        "isHighPriority": False,
        "agentType": agent,
        "computers": _computers(guests, system),
        "backupMode": "EntireComputer",
        "storage": {
            "backupRepositoryId": repository,
            "retentionPolicy": {"type": "Days", "quantity": 14},
            "gfsPolicy": gfs(),
            "advancedSettings": {**_fulls(), "storageData": _agent_data(block)},
        },
        "schedule": schedule(at),
    }


def _policy(model: Model, repository: str, guests: list[str], block: Model, at: str) -> Model:
    system = "Linux" if model["type"].startswith("Linux") else "Windows"
    destination = {
        "destinationType": "BackupRepository",
        "backupServerName": "vbr01.tech.example",
        "backupRepositoryId": repository,
    }
    timed = {} if model["type"] == "WindowsAgentBackupWorkstationPolicy" else {"schedule": schedule(at)}
    return {
        "description": f"Policy for {', '.join(guests)}",
        "computers": _computers(guests, system),
        "backupMode": "EntireComputer",
        "storage": {
            "destination": destination,
            "retentionPolicy": {"type": "Days", "quantity": 14},
            "advancedSettings": {"storageData": _agent_data(block)},
        },
        **timed,
    }


def _agent_data(block: Model) -> Model:
    return {"compressionLevel": "Optimal", "storageOptimization": "1MB", "encryption": block}


def _copy(_model: Model, repository: str, guests: list[str], block: Model, _at: str) -> Model:
    sources = [{"id": identity("job", guest), "name": guest} for guest in guests]
    return {
        "description": f"Copies {', '.join(guests)}",
        "mode": "Immediate",
        "sourceObjects": {
            "includes": {"jobs": sources, "repositories": [], "backups": []},
            "enableTransactionLogCopy": False,
        },
        "target": {
            "backupRepositoryId": repository,
            "retentionPolicy": {"type": "Days", "quantity": 30},
            "gfsPolicy": {**gfs(4, 36, 3), "readEntireRestorePoint": False},
            "advancedSettings": {
                "storageData": {
                    "inlineDataDedupEnabled": True,
                    "compressionLevel": "Auto",
                    "encryption": block,
                }
            },
        },
        "dataTransfer": {"wanAcceleratorSettings": {"transferMode": "Direct"}},
    }


def _unstructured(model: Model, repository: str, guests: list[str], block: Model, at: str) -> Model:
    objects = [
        {"type": "Container", "objectStorageServerId": identity("server", guest), "container": guest}
        if model["type"] == "ObjectStorageBackup"
        else {
            "type": "FileServerShare",
            "fileServerId": identity("server", guest),
            "path": f"\\\\nas01\\{guest}",
        }
        for guest in guests
    ]
    return {
        "description": f"Unstructured data of {', '.join(guests)}",
        "isHighPriority": False,
        "objects": objects,
        "backupRepository": {
            "backupRepositoryId": repository,
            "retentionPolicy": {"type": "Days", "quantity": 28},
            "advancedSettings": {"storageData": {"compressionLevel": "Optimal", "encryption": block}},
        },
        "secondaryTargets": [],
        "schedule": schedule(at),
    }


def _further(_model: Model, repository: str, guests: list[str], block: Model, _at: str) -> Model:
    return {
        "primaryJobId": identity("job", guests[0]),
        "backupRepositoryId": repository,
        "useCustomEncryption": block.get("isEnabled") is True,
        "encryption": block,
        "schedule": {"type": "Continuous"},
    }


def _tenant(_model: Model, _repository: str, guests: list[str], block: Model, at: str) -> Model:
    return {
        "description": f"Entra ID tenant {guests[0]}",
        "storage": {
            "tenantId": identity("tenant", guests[0]),
            "retentionPolicy": {"type": "Days", "quantity": 28},
            "advancedSettings": {"encryption": block},
        },
        "schedule": schedule(at),
    }


def _audit_logs(_model: Model, repository: str, guests: list[str], block: Model, at: str) -> Model:
    return {
        "description": f"Audit logs of {guests[0]}",
        "isHighPriority": False,
        "tenant": {"tenantId": identity("tenant", guests[0])},
        "storage": {
            "backupRepositoryId": repository,
            "retentionPolicy": {"type": "Months", "quantity": 12},
            "advancedSettings": {"storageData": {"compressionLevel": "Optimal", "encryption": block}},
        },
        "secondaryTargets": [],
        "schedule": schedule(at),
    }


def _scan(_model: Model, _repository: str, guests: list[str], _block: Model, at: str) -> Model:
    return {
        "description": f"Scans {', '.join(guests)}",
        "linkedJobs": {"includes": []},
        "verificationOptions": {"malwareScanEnabled": True, "yaraScanEnabled": False},
        "schedule": {"runAutomatically": True, "daily": schedule(at)["daily"]},
    }


_MAKERS: dict[str, Callable[[Model, str, list[str], Model, str], Model]] = {
    **dict.fromkeys(("VSphereBackup", "HyperVBackup", "CloudDirectorBackup"), _virtual),
    "VSphereReplica": _replica,
    **dict.fromkeys(("WindowsAgentBackup", "WindowsAgentBackupFailoverCluster", "LinuxAgentBackup"), _agent),
    **dict.fromkeys((kind for kind in KINDS if kind.endswith("Policy")), _policy),
    "BackupCopy": _copy,
    **dict.fromkeys(("FileBackup", "ObjectStorageBackup"), _unstructured),
    **dict.fromkeys(("FileBackupCopy", "EntraIDTenantBackupCopy"), _further),
    "EntraIDTenantBackup": _tenant,
    "EntraIDAuditLogBackup": _audit_logs,
    "SureBackupContentScan": _scan,
}
