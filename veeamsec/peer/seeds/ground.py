"""What every installation has: people, repositories, a configuration backup, the analyzer's list."""

from typing import Any

from veeamsec.peer import accounts
from veeamsec.peer.accounts import Account
from veeamsec.peer.encryption import NOTHING
from veeamsec.peer.installation import Installation
from veeamsec.peer.pieces import identity, schedule

Model = dict[str, Any]

GOVERNING, READING, GUARDING, VIEWING = "TECH\\veeamsec", "TECH\\reader", "TECH\\guard", "TECH\\viewer"
EMERGENCY, SOMEBODY = "TECH\\emergency", "TECH\\user1"
_CREDENTIALS = identity("credentials", "service")

_PRACTICES = (
    ("MFA for the backup console should be enabled", "Violation"),
    ("Immutable or offline (air gapped) media should be used", "OK"),
    ("Password loss protection should be enabled", "Violation"),
    ("All backups should have at least one copy (the 3-2-1 backup rule)", "OK"),
    ("The configuration backup must not be stored on the backup server", "OK"),
    ("Configuration backup should be enabled and use encryption", "OK"),
    ("Credentials and encryption passwords should be rotated at least annually", "Violation"),
    ("Backup jobs to cloud repositories should use encryption", "UnableToCheck"),
    ("Backup encryption password length and complexity recommendations should be followed", "OK"),
)


def people(at: Installation) -> None:
    """Accounts of several roles; the first is the one that may govern."""
    at.accounts += [
        Account(GOVERNING, accounts.ADMINISTRATOR, service=True),
        Account(READING, accounts.BACKUP_OPERATOR, service=True),
        Account(GUARDING, accounts.SECURITY, service=True),
        Account(VIEWING, accounts.VIEWER, service=True),
        Account(EMERGENCY, accounts.ADMINISTRATOR),
        Account(SOMEBODY, accounts.ADMINISTRATOR),
    ]


def practices(at: Installation) -> None:
    """What the analyzer would find."""
    at.practices += [
        {"id": identity("practice", text), "bestPractice": text, "status": status, "note": ""}
        for text, status in _PRACTICES
    ]


def repository(at: Installation, kind: str, name: str, capacity: float, used: float) -> str:
    """A repository of a kind; its id."""
    made = identity("repository", name)
    base = {"id": made, "name": name, "description": f"{name} of the data centre", "type": kind}
    at.repositories[made] = base | _SETTINGS[kind]()
    at.space[made] = [capacity, used]
    return made


def scale_out(
    at: Installation,
    name: str,
    extents: list[str],
    *,
    capacity: tuple[str, Model] | None,
    archive: tuple[str, Model] | None,
) -> str:
    """A scale-out repository; each further tier is an extent and its encryption."""
    made = identity("scale-out", name)
    model: Model = {
        "id": made,
        "name": name,
        "description": "Scale-out repository",
        "performanceTier": {
            "performanceExtents": [
                {"id": one, "name": at.repositories[one]["name"], "status": ["Normal"]} for one in extents
            ],
            "advancedSettings": {"perVmBackup": True, "fullWhenExtentOffline": False},
        },
        "placementPolicy": {"type": "DataLocality"},
    }
    if capacity:
        model["capacityTier"] = {
            "isEnabled": True,
            "extents": [{"id": capacity[0]}],
            "copyPolicyEnabled": True,
            "movePolicyEnabled": True,
            "operationalRestorePeriodDays": 14,
            "encryption": capacity[1],
        }
    if archive:
        model["archiveTier"] = {
            "isEnabled": True,
            "extentId": archive[0],
            "archivePeriodDays": 90,
            "encryption": archive[1],
        }
    at.scale_outs[made] = model
    return made


def configuration(at: Installation, place: str, password: str | None) -> None:
    """The configuration backup, encrypted by a password."""
    told = at.clock.told(at.clock.now())
    at.config_backup = {
        "isEnabled": True,
        "backupRepositoryId": place,
        "restorePointsToKeep": 10,
        "notifications": {"SNMPEnabled": False},
        "schedule": {"isEnabled": True, "daily": schedule("10:00:00")["daily"]},
        "lastSuccessfulBackup": {
            "lastSuccessfulTime": told,
            "sessionId": identity("session", "configuration"),
        },
        "encryption": {"isEnabled": password is not None, "passwordId": password or NOTHING},
    }


def _windows() -> Model:
    return {"hostId": identity("host", "vbr01"), "repository": {"path": "D:\\Backup"}}


def _hardened() -> Model:
    return {
        "hostId": identity("host", "lin01"),
        "repository": {"path": "/mnt/backup", "makeRecentBackupsImmutableDays": 14},
    }


def _bucket() -> Model:
    return {
        "account": {
            "servicePoint": "https://s3.tech.example",
            "regionId": "eu-1",
            "credentialsId": _CREDENTIALS,
        },
        "bucket": {"bucketName": "backups", "folderName": "vbr01", "immutability": {"isEnabled": True}},
    }


def _glacier() -> Model:
    return {
        "account": {"credentialsId": _CREDENTIALS, "regionType": "Global"},
        "bucket": {"regionId": "eu-central-1", "bucketName": "archive", "folderName": "vbr01"},
    }


def _data_domain() -> Model:
    return {
        "dellDataDomain": {
            "ddServerName": "dd01.tech.example",
            "credentialsId": _CREDENTIALS,
            "ddBoostEncryptionEnabled": False,
        },
        "repository": {"path": "ddboost://dd01.tech.example:backup@/vbr01"},
    }


_SETTINGS = {
    "WinLocal": _windows,
    "LinuxHardened": _hardened,
    "S3Compatible": _bucket,
    "AmazonS3Glacier": _glacier,
    "DellDataDomain": _data_domain,
}
