"""What models of jobs are made of: kinds, objects, schedules; the same name has the same id everywhere."""

from typing import Any
from uuid import UUID, uuid5

Model = dict[str, Any]

_NAMES = UUID("0a1ef7f3-70bb-4b9c-9d3a-0d1c4b7a2f10")
WEEK = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"]

# type → platform of its points, type of its sessions, workload, family of its guests
KINDS: dict[str, tuple[str, str, str, str]] = {
    "VSphereBackup": ("VMware", "BackupJob", "Vm", "Windows"),
    "HyperVBackup": ("HyperV", "BackupJob", "Vm", "Windows"),
    "CloudDirectorBackup": ("CloudDirector", "BackupJob", "Vm", "Linux"),
    "VSphereReplica": ("VMware", "ReplicaJob", "Vm", "Windows"),
    "WindowsAgentBackup": ("WindowsPhysical", "AgentBackup", "Server", "Windows"),
    "WindowsAgentBackupFailoverCluster": ("WindowsPhysical", "AgentBackup", "Server", "Windows"),
    "LinuxAgentBackup": ("LinuxPhysical", "AgentBackup", "Server", "Linux"),
    "WindowsAgentBackupWorkstationPolicy": ("WindowsPhysical", "AgentPolicy", "Workstation", "Windows"),
    "WindowsAgentBackupServerPolicy": ("WindowsPhysical", "AgentPolicy", "Server", "Windows"),
    "LinuxAgentBackupWorkstationPolicy": ("LinuxPhysical", "AgentPolicy", "Workstation", "Linux"),
    "LinuxAgentBackupServerPolicy": ("LinuxPhysical", "AgentPolicy", "Server", "Linux"),
    "BackupCopy": ("VMware", "BackupCopyJob", "Vm", "Windows"),
    "FileBackup": ("UnstructuredData", "BackupJob", "File", "Other"),
    "ObjectStorageBackup": ("UnstructuredData", "BackupJob", "File", "Other"),
    "FileBackupCopy": ("UnstructuredData", "UnstructuredDataBackupCopy", "File", "Other"),
    "EntraIDTenantBackup": ("EntraID", "BackupJob", "Application", "Unknown"),
    "EntraIDAuditLogBackup": ("EntraID", "BackupJob", "Application", "Unknown"),
    "EntraIDTenantBackupCopy": ("EntraID", "BackupCopyJob", "Application", "Unknown"),
    "SureBackupContentScan": ("Test", "SureBackupContentScan", "Application", "Unknown"),
}
# These hold no backup of their own.
WITHOUT_BACKUPS = frozenset({"VSphereReplica", "SureBackupContentScan"})


def identity(what: str, name: str) -> str:
    """The id of what carries this name here."""
    return str(uuid5(_NAMES, f"{what}:{name}"))


def virtual_machine(name: str, platform: str = "VSphere", kind: str = "VirtualMachine") -> Model:
    """An object of a virtual infrastructure."""
    host = {"VSphere": "vcenter01", "HyperV": "hyperv01", "CloudDirector": "vcd01"}[platform]
    return {
        "platform": platform,
        "size": "64 GB",
        "hostName": f"{host}.tech.example",
        "name": name,
        "type": kind,
        "objectId": f"vm-{int(identity('vm', name)[:4], 16)}",
        "urn": f"vc:{host}.tech.example;vm:{name}",
    }


def schedule(at: str, days: list[str] | None = None) -> Model:
    """Every day at a time, or on some days."""
    daily: Model = {"isEnabled": True, "localTime": at, "dailyKind": "SelectedDays" if days else "Everyday"}
    return {
        "runAutomatically": True,
        "daily": daily | {"days": days or WEEK},
        "monthly": {
            "isEnabled": False,
            "localTime": at,
            "dayOfWeek": "Saturday",
            "dayNumberInMonth": "Fourth",
            "dayOfMonth": 1,
            "months": ["January", "July"],
            "isLastDayOfMonth": False,
        },
        "retry": {"isEnabled": True, "retryCount": 3, "awaitMinutes": 10},
    }


def gfs(weeks: int = 4, months: int = 12, years: int = 3) -> Model:
    """How long fulls of a week, a month and a year are kept."""
    return {
        "isEnabled": True,
        "weekly": {"isEnabled": True, "keepForNumberOfWeeks": weeks, "desiredTime": "Sunday"},
        "monthly": {"isEnabled": True, "keepForNumberOfMonths": months, "desiredTime": "First"},
        "yearly": {"isEnabled": True, "keepForNumberOfYears": years, "desiredTime": "January"},
    }
