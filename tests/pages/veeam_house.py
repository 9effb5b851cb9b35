"""A Veeam server as an import leaves it: jobs of several kinds, passwords with versions, years of points."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import uuid4

from django.utils import timezone

from encryption.models import (
    Drift,
    EncryptionPassword,
    Engine,
    Job,
    PasswordVersion,
    Repository,
    RestorePoint,
    VeeamJob,
    VeeamPassword,
    VeeamServer,
)
from encryption.services.veeam import points as counting

YEARS = timedelta(days=730)


def make_server(name: str = "VBR01") -> VeeamServer:
    """A server that was read four minutes ago."""
    place = Repository.objects.create(name=name, engine=Engine.VEEAM, location=f"veeam:{uuid4()}")
    return VeeamServer.objects.create(
        repository=place,
        address="vbr01.corp.example",
        thumbprint="ab" * 32,
        account="svc-veeamsec",
        vbr_id=uuid4(),
        vbr_name="VBR01.corp.example",
        build="13.1.0.411",
        revision="1.3-rev2",
        tls_version="TLSv1.3",
        imported_at=timezone.now() - timedelta(minutes=4),
        configuration_backup={"enabled": True, "encrypted": False, "password": None},
        analyzer={
            "items": [
                {"bestPractice": "MFA for the backup console should be enabled", "status": "OK"},
                {"bestPractice": "Password loss protection should be enabled", "status": "Violation"},
                {"bestPractice": "Hardened repositories should have SSH disabled", "status": "UnableToCheck"},
            ]
        },
        forwarding={"checked": True, "ours": True, "muted": [31850]},
    )


def make_password(
    server: VeeamServer, hint: str, *, since: Sequence[int], held: int = 0
) -> list[PasswordVersion]:
    """A password whose versions came in force so many days ago; the newest `held` of them are known here."""
    password = EncryptionPassword.objects.create(hint=hint)
    now = timezone.now()
    VeeamPassword.objects.create(
        password=password, server=server, external=uuid4(), modified_at=now - timedelta(days=since[-1])
    )
    found = []
    for number, days in enumerate(since, start=1):
        until = since[number] if number < len(since) else None
        found.append(
            PasswordVersion.objects.create(
                password=password,
                number=number,
                hint=hint,
                kdf={},
                sealed_password=b"sealed" if number > len(since) - held else None,
                strength=4,
                length=20,
                in_force_from=now - timedelta(days=days),
                in_force_until=None if until is None else now - timedelta(days=until),
            )
        )
    return found


def make_veeam_job(
    server: VeeamServer,
    name: str,
    kind: str,
    versions: Sequence[PasswordVersion],
    *,
    points: int,
    days: int = 730,
) -> Job:
    """A job with so many restore points, evenly over its days, each under the version of its time."""
    job = Job.objects.create(
        name=name,
        repository=server.repository,
        password=versions[-1].password if versions else None,
        observed_fingerprint="cd" * 32,
        observed_at=timezone.now(),
    )
    blocks = [{"path": "storage", "enabled": bool(versions), "kind": "password" if versions else ""}]
    VeeamJob.objects.create(job=job, server=server, external=uuid4(), type=kind, blocks=blocks)
    now = timezone.now()
    RestorePoint.objects.bulk_create(
        _point(job, now - timedelta(days=days * (points - number) / points), versions, number)
        for number in range(points)
    )
    counting.count(server)
    return job


def _point(job: Job, at: datetime, versions: Sequence[PasswordVersion], number: int) -> RestorePoint:
    under = [one for one in versions if one.in_force_from is not None and one.in_force_from <= at]
    return RestorePoint(
        id=uuid4(),
        job=job,
        kind=RestorePoint.Kind.POINT,
        created_at=at,
        size=10_000_000,
        password_version=under[-1] if under else None,
    )


def make_story() -> VeeamServer:
    """Six jobs as the product's own sketch of the page has them."""
    server = make_server()
    infra = make_password(server, "Infra", since=(760, 380, 60), held=1)
    sql = make_password(server, "SQL", since=(760, 300, 3))
    agents = make_password(server, "Agents", since=(480,), held=1)
    make_veeam_job(server, "Domain controllers", "VSphereBackup", infra, points=61)
    changed = make_veeam_job(server, "SQL nightly", "VSphereBackup", sql, points=58)
    make_veeam_job(server, "Laptops", "WindowsAgentBackup", agents, points=240)
    copy = make_veeam_job(server, "Copy to cloud", "BackupCopy", (), points=96, days=500)
    make_veeam_job(
        server,
        "A job with a very long name that somebody gave it for a reason",
        "FileBackup",
        infra,
        points=900,
    )
    actor = {"user": "TECH\\user1", "number": 31700, "at": "2026-11-02T10:42:00Z"}
    Drift.objects.create(job=changed, what=Drift.What.VEEAM_PASSWORD_CHANGED, found={"actor": actor})
    Drift.objects.create(job=copy, what=Drift.What.VEEAM_COPY_PLAIN, found={})
    Drift.objects.create(
        repository=server.repository,
        what=Drift.What.VEEAM_CONFIGURATION_PLAIN,
        found={"name": "Configuration backup"},
    )
    return server
