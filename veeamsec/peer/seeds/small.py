"""A few jobs of every type, ten days of restore points: for tests, which name what they need."""

from datetime import timedelta
from typing import Any

from veeamsec.peer import encryption
from veeamsec.peer.installation import Installation
from veeamsec.peer.pieces import identity
from veeamsec.peer.rest.kms import server
from veeamsec.peer.seeds import ground, growth
from veeamsec.peer.shapes import job

Model = dict[str, Any]

STANDARD, COPIES, AGENTS, UNUSED = "Standard Password", "Copies", "Agents", "Unused"
KMS = "kms01.tech.example"
_SIZE = 40 << 30
_DAYS = 10


def small(at: Installation) -> None:
    """Fill an installation."""
    ground.people(at)
    ground.practices(at)
    main = ground.repository(at, "LinuxHardened", "Hardened Repository", 40_000, 18_000)
    second = ground.repository(at, "WinLocal", "Default Backup Repository", 8_000, 3_000)
    cloud = ground.repository(at, "S3Compatible", "Object Storage", 100_000, 20_000)
    now = at.clock.now()
    passwords = {
        hint: at.add_password(hint, now - timedelta(days=age))
        for hint, age in ((STANDARD, 400), (COPIES, 90), (AGENTS, 30), (UNUSED, 700))
    }
    by = {hint: encryption.by_password(one.id, one.unique_id) for hint, one in passwords.items()}
    kms = server(KMS, "Keys of the vault jobs")
    at.kms[kms["id"]] = kms
    ground.scale_out(at, "Scale-out Repository", [main], capacity=(cloud, by[COPIES]), archive=None)
    ground.configuration(at, second, passwords[STANDARD].id)
    for model, place, guests in _jobs(by, encryption.by_kms(kms["id"]), main, second, cloud):
        made = at.add_job(model, place, guests, now - timedelta(days=_DAYS), _SIZE)
        growth.recent(at, made, _DAYS)


def _jobs(
    by: dict[str, Model], kms: Model, main: str, second: str, cloud: str
) -> list[tuple[Model, str, list[str]]]:
    wanted: list[tuple[str, str, str, list[str], Model | None]] = [
        ("VSphereBackup", "Finance VMs", main, ["fin01", "fin02"], by[STANDARD]),
        ("VSphereBackup", "HR VMs", main, ["hr01"], by[STANDARD]),
        ("VSphereBackup", "Test VMs", second, ["test01", "test02"], None),
        ("VSphereBackup", "Vault VMs", main, ["vault01"], kms),
        ("HyperVBackup", "Hyper-V Cluster", main, ["hv01"], by[STANDARD]),
        ("CloudDirectorBackup", "Cloud Director", second, ["vapp01"], None),
        ("WindowsAgentBackup", "Windows Servers", main, ["win01", "win02"], by[AGENTS]),
        ("WindowsAgentBackupFailoverCluster", "SQL Cluster", main, ["sql01"], by[AGENTS]),
        ("LinuxAgentBackup", "Linux Servers", main, ["lin01"], None),
        ("WindowsAgentBackupWorkstationPolicy", "Laptops", second, ["lap01", "lap02"], by[AGENTS]),
        ("WindowsAgentBackupServerPolicy", "Branch Servers", second, ["bra01"], by[AGENTS]),
        ("LinuxAgentBackupWorkstationPolicy", "Linux Laptops", second, ["llap01"], None),
        ("LinuxAgentBackupServerPolicy", "Linux Branch", second, ["lbra01"], by[AGENTS]),
        ("BackupCopy", "Finance Copy", cloud, ["Finance VMs"], by[COPIES]),
        ("BackupCopy", "HR Copy", cloud, ["HR VMs"], None),
        ("FileBackup", "File Shares", main, ["share"], by[STANDARD]),
        ("ObjectStorageBackup", "Buckets", main, ["invoices"], None),
        ("FileBackupCopy", "File Shares Copy", cloud, ["File Shares"], by[COPIES]),
        ("EntraIDTenantBackup", "Entra Tenant", second, ["tenant01"], by[STANDARD]),
        ("EntraIDAuditLogBackup", "Entra Audit Logs", second, ["tenant01 logs"], None),
        ("EntraIDTenantBackupCopy", "Entra Tenant Copy", cloud, ["Entra Tenant"], by[COPIES]),
        ("VSphereReplica", "Finance Replica", main, ["fin01"], None),
        ("SureBackupContentScan", "Content Scan", main, ["Finance VMs"], None),
    ]
    made = [
        (job(kind, name, at, guests=guests, block=block), at, guests)
        for kind, name, at, guests, block in wanted
    ]
    shares = next(model for model, _, _ in made if model["name"] == "File Shares")
    shares["secondaryTargets"] = [
        {
            "name": "File Shares to the cloud",
            "type": "FileBackupCopy",
            "primaryJobId": identity("job", "File Shares"),
            "backupRepositoryId": cloud,
            "useCustomEncryption": True,
            "encryption": by[COPIES],
        }
    ]
    return made
