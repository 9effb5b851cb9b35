"""A believable installation: some seventy jobs, three years of restore points, and its gaps."""

from datetime import timedelta
from typing import Any

from veeamsec.peer import encryption
from veeamsec.peer.installation import Installation
from veeamsec.peer.pieces import identity
from veeamsec.peer.rest.kms import server
from veeamsec.peer.seeds import ground, growth
from veeamsec.peer.shapes import job

Model = dict[str, Any]
Wanted = tuple[str, str, str, list[str], Model | None, int]

STANDARD, FINANCE, COPIES, CLOUD, AGENTS, OLD = (
    "Standard production",
    "Finance and HR",
    "Off-site copies",
    "Object storage tiers",
    "Agents and laptops",
    "Contractor 2023",
)
# Days since the value was last changed.
_AGES = {STANDARD: 410, FINANCE: 96, COPIES: 230, CLOUD: 520, AGENTS: 61, OLD: 905}
_YEARS = 3 * 365
_SIZE = 60 << 30


def story(at: Installation) -> None:
    """Fill an installation."""
    ground.people(at)
    ground.practices(at)
    places = _places(at)
    now = at.clock.now()
    passwords = {hint: at.add_password(hint, now - timedelta(days=age)) for hint, age in _AGES.items()}
    by = {hint: encryption.by_password(one.id, one.unique_id) for hint, one in passwords.items()}
    kms = server("kms01.tech.example", "Keys of the payment systems")
    at.kms[kms["id"]] = kms
    ground.scale_out(
        at,
        "Scale-out Repository",
        [places["main"]],
        capacity=(places["cloud"], by[CLOUD]),
        # What is moved on to the archive is decrypted on its way.
        archive=(places["archive"], encryption.off()),
    )
    ground.configuration(at, places["local"], passwords[STANDARD].id)
    _requests(at)
    wanted = [
        *_machines(by, places, encryption.by_kms(kms["id"])),
        *_agents(by, places),
        *_others(by, places),
    ]
    for turn, (kind, name, place, guests, block, days) in enumerate(wanted):
        hour = 18 + turn % 6
        model = job(kind, name, place, guests=guests, block=block, at=f"{hour}:{turn % 4 * 15:02}")
        made = at.add_job(model, place, guests, now - timedelta(days=days), _SIZE)
        if made.series:
            growth.years(at, made, days, hour - 1)


def _places(at: Installation) -> dict[str, str]:
    return {
        "main": ground.repository(at, "LinuxHardened", "Hardened Repository", 180_000, 121_000),
        "local": ground.repository(at, "WinLocal", "Default Backup Repository", 12_000, 4_800),
        "appliance": ground.repository(at, "DellDataDomain", "Deduplication Appliance", 90_000, 51_000),
        "cloud": ground.repository(at, "S3Compatible", "Object Storage", 400_000, 96_000),
        "archive": ground.repository(at, "AmazonS3Glacier", "Archive", 900_000, 140_000),
    }


def _machines(by: dict[str, Model], places: dict[str, str], kms: Model) -> list[Wanted]:
    main, local = places["main"], places["local"]
    found: list[Wanted] = []
    for name, hint, days in (
        ("Finance", FINANCE, _YEARS),
        ("HR", FINANCE, _YEARS),
        ("Payroll", FINANCE, 700),
        ("ERP", STANDARD, _YEARS),
        ("CRM", STANDARD, 900),
        ("Web", STANDARD, 640),
        ("Mail", STANDARD, _YEARS),
        ("Intranet", STANDARD, 500),
        ("Domain Controllers", STANDARD, _YEARS),
        ("Print", STANDARD, 400),
    ):
        stem = name.split()[0].lower()
        found.append(("VSphereBackup", f"{name} VMs", main, [f"{stem}01", f"{stem}02"], by[hint], days))
    # Never encrypted: the forty that a first request would cover are among these.
    for number in range(1, 33):
        guests = [f"app{number:02}"]
        found.append(("VSphereBackup", f"Application {number:02}", main, guests, None, 180 + number * 20))
    for number in range(1, 4):
        block = by[STANDARD] if number == 1 else None
        found.append(("HyperVBackup", f"Hyper-V Site {number}", main, [f"hv{number:02}"], block, 600))
    found.append(("VSphereBackup", "Payment VMs", main, ["pay01", "pay02"], kms, 300))
    found.append(("VSphereBackup", "Archive of Projects", places["appliance"], ["proj01"], None, 800))
    found.append(("CloudDirectorBackup", "Tenant vApps", local, ["vapp01"], None, 350))
    return found


def _agents(by: dict[str, Model], places: dict[str, str]) -> list[Wanted]:
    local = places["local"]
    return [
        ("WindowsAgentBackup", "Windows Servers", local, ["win01", "win02"], by[AGENTS], 700),
        ("WindowsAgentBackupFailoverCluster", "SQL Cluster", local, ["sql01"], by[AGENTS], 700),
        ("LinuxAgentBackup", "Linux Servers", local, ["lin01", "lin02"], None, 500),
        ("WindowsAgentBackupWorkstationPolicy", "Laptops", local, ["lap01", "lap02"], by[AGENTS], 200),
        ("WindowsAgentBackupServerPolicy", "Branch Servers North", local, ["north01"], by[AGENTS], 420),
        ("WindowsAgentBackupServerPolicy", "Branch Servers South", local, ["south01"], None, 420),
        ("LinuxAgentBackupServerPolicy", "Build Hosts", local, ["build01"], None, 330),
    ]


def _others(by: dict[str, Model], places: dict[str, str]) -> list[Wanted]:
    main, cloud, local = places["main"], places["cloud"], places["local"]
    return [
        ("BackupCopy", "Copy of Finance", cloud, ["Finance VMs"], by[COPIES], 900),
        ("BackupCopy", "Copy of ERP", cloud, ["ERP VMs"], by[COPIES], 900),
        ("BackupCopy", "Copy of Mail", cloud, ["Mail VMs"], by[COPIES], 800),
        # The source is encrypted and the copy is not.
        ("BackupCopy", "Copy of HR", cloud, ["HR VMs"], None, 450),
        ("FileBackup", "File Shares", main, ["projects", "scans"], by[STANDARD], 700),
        ("FileBackup", "Research Data", main, ["research"], None, 300),
        ("ObjectStorageBackup", "Invoices", main, ["invoices"], by[FINANCE], 280),
        ("FileBackupCopy", "File Shares Copy", cloud, ["File Shares"], by[COPIES], 600),
        ("EntraIDTenantBackup", "Entra Tenant", local, ["tenant01"], by[STANDARD], 400),
        ("EntraIDAuditLogBackup", "Entra Audit Logs", local, ["tenant01 logs"], None, 250),
        ("EntraIDTenantBackupCopy", "Entra Tenant Copy", cloud, ["Entra Tenant"], by[COPIES], 250),
        ("VSphereReplica", "Finance Replica", main, ["finance01"], None, 0),
        ("SureBackupContentScan", "Content Scan", main, ["Finance VMs"], None, 0),
    ]


def _requests(at: Installation) -> None:
    made = at.clock.now() - timedelta(days=12)
    at.authorizations.append(
        {
            "id": identity("authorization", "removal"),
            "name": "Backup deletion",
            "description": "Removal of a backup of a former project",
            "state": "Approved",
            "creationTime": at.clock.told(made),
            "createdBy": ground.SOMEBODY,
            "expirationTime": at.clock.told(made + timedelta(days=7)),
            "processedBy": ground.EMERGENCY,
            "processedTime": at.clock.told(made + timedelta(hours=3)),
        }
    )
