"""A small installation where everything is as it is advised: each gap is then made by one lever."""

from datetime import timedelta

from veeamsec.peer import encryption, runs
from veeamsec.peer.installation import Installation
from veeamsec.peer.seeds import ground, growth
from veeamsec.peer.shapes import job

STANDARD = "Standard Password"
_SIZE = 40 << 30
_DAYS = 10


def sound(at: Installation) -> None:
    """Fill an installation."""
    ground.people(at)
    # Beside the account that governs, nobody may change a password but the sealed one.
    at.accounts = [one for one in at.accounts if one.name not in (ground.SOMEBODY, ground.GUARDING)]
    ground.practices(at)
    for practice in at.practices:
        practice["status"] = "OK"
    main = ground.repository(at, "LinuxHardened", "Hardened Repository", 40_000, 18_000)
    second = ground.repository(at, "LinuxHardened", "Second Hardened Repository", 40_000, 9_000)
    cloud = ground.repository(at, "S3Compatible", "Object Storage", 100_000, 20_000)
    now = at.clock.now()
    password = at.add_password(STANDARD, now - timedelta(days=100))
    block = encryption.by_password(password.id, password.unique_id)
    # Its capacity tier copies what is written, at once.
    wide = ground.scale_out(at, "Scale-out Repository", [second], capacity=(cloud, block), archive=None)
    ground.configuration(at, cloud, password.id)
    for kind, name, place, guests in (
        ("VSphereBackup", "Finance VMs", main, ["fin01", "fin02"]),
        ("FileBackup", "File Shares", main, ["share"]),
        ("VSphereBackup", "HR VMs", wide, ["hr01"]),
        ("BackupCopy", "Finance Copy", cloud, ["Finance VMs"]),
        ("FileBackupCopy", "File Shares Copy", cloud, ["File Shares"]),
        ("VSphereReplica", "Finance Replica", main, ["fin01"]),
    ):
        model = job(kind, name, place, guests=guests, block=block)
        growth.recent(at, at.add_job(model, place, guests, now - timedelta(days=_DAYS), _SIZE), _DAYS)
    session = runs.analyze(at, by=ground.GOVERNING)
    runs.finish(at, session["id"])
