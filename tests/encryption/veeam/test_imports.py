"""An import: what a server says becomes rows, once."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audit.models import Alarm, Entry, Outbox
from encryption import badge
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    PasswordVersion,
    RestorePoint,
    VeeamDifference,
    VeeamJob,
    VeeamPassword,
    VeeamRepository,
)
from encryption.selectors import opens
from encryption.services.veeam import imports
from tests.encryption.veeam.standin import days, name_of

pytestmark = pytest.mark.django_db


def test_first_import_writes_passwords_jobs_and_points(there, read):
    gold = there.add_password("Gold")
    there.add_job("Mail", gold)
    there.point("Mail", days(1))
    server = read()
    job = Job.objects.get(name="Mail")
    assert (job.password.hint, job.repository_id) == ("Gold", server.pk)
    assert job.observed_fingerprint
    assert job.observed_at
    (point,) = RestorePoint.objects.filter(job=job)
    assert (point.kind, point.password_version.password.hint) == ("point", "Gold")
    assert (server.vbr_name, server.revision, server.tls_version) == ("vbr01", "1.3-rev2", "TLSv1.3")


def test_first_import_finds_no_difference(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    read()
    assert not VeeamDifference.objects.exists()


def test_second_import_changes_nothing(there, read):
    there.add_job("Mail", there.add_password("Gold"))
    there.point("Mail", days(1))
    read()
    before = counts()
    read()
    assert counts() == before


def test_unchanged_jobs_cost_no_more_queries(there, read):
    gold = there.add_password("Gold")
    for number in range(3):
        there.add_job(f"Job {number}", gold)
    read()
    few = queries(read)
    for number in range(3, 40):
        there.add_job(f"Job {number}", gold)
    imports.run_import(read().pk)
    assert queries(read) == few


def test_a_server_that_is_away_says_so(there, read, server):
    read()
    there.away = True
    imports.run_import(server.pk)
    server.refresh_from_db()
    assert "no answer" in server.error
    assert Alarm.objects.get(kind="unobserved").state == "raised"


def test_a_server_that_is_back_ends_the_alarm(there, read, server):
    there.away = True
    imports.run_import(server.pk)
    there.away = False
    read()
    assert Alarm.objects.get(kind="unobserved").state == "resolved"


def test_another_installation_under_the_address_is_not_read(there, read, server):
    read()
    there.vbr_id = name_of("another")
    imports.run_import(server.pk)
    server.refresh_from_db()
    assert "Another Veeam installation" in server.error


def test_beat_rings_once_for_each_server(connect, there):
    for name in ("One", "Two"):
        connect(name)
    Outbox.objects.update(done_at=days(0))
    imports.import_due()
    imports.import_due()
    assert Outbox.objects.filter(name="encryption.veeam_import", done_at=None).count() == 2


def test_an_account_that_reads_little_still_imports(there, read):
    there.refused = {"kms", "server info", "users", "forwarding", "repositories"}
    there.add_job("Mail", there.add_password("Gold"))
    server = read()
    assert Job.objects.filter(name="Mail").exists()
    assert server.enforcement["unchecked"]


def test_a_kms_server_is_a_password(there, read):
    there.kms = [{"id": str(name_of("kms")), "name": "kms.example", "serverCertificateThumbprint": "AA"}]
    job = there.add_job("Vault")
    there.models[job]["storage"]["advancedSettings"]["storageData"]["encryption"] = {
        "isEnabled": True,
        "encryptionType": "ByKms",
        "kmsServerId": str(name_of("kms")),
    }
    read()
    found = Job.objects.get(name="Vault")
    assert found.password.veeam.is_kms
    assert found.password.hint == "KMS kms.example"


def test_a_backup_without_a_job_gets_an_orphaned_one(there, read):
    there.backup("Old backup", None)
    there.point("Old", days(1))
    read()
    orphan = VeeamJob.objects.get(type="orphaned")
    assert RestorePoint.objects.filter(job=orphan.job).count() == 1
    read()
    assert VeeamJob.objects.filter(type="orphaned").count() == 1


def test_of_a_backup_without_a_job_nothing_is_known(there, read):
    """P10: neither that it is encrypted nor that it is not."""
    there.add_job("Plain")
    there.point("Plain", days(1))
    there.backup("Old backup", None)
    there.point("Old", days(1))
    read()
    orphan = VeeamJob.objects.get(type="orphaned").job
    assert badge.badge(orphan).state == badge.State.NOT_KNOWN
    found = opens.opened([orphan], since=days(2), until=days(0))[orphan.pk]
    assert [(one.version, one.known) for one in found.stretches] == [(None, False)]
    figures = opens.figures(Job.objects.all())
    assert (figures.plain_points, figures.unknown_points) == (1, 1)
    assert not Drift.objects.filter(job=orphan).exists()


def test_a_password_that_is_not_listed_still_counts_as_one(there, read):
    there.add_job("Mail", name_of("hidden"))
    read()
    assert Job.objects.get(name="Mail").password.hint == "A password that Veeam does not list"


def test_a_repository_says_its_space_and_immutability(there, read):
    read()
    shelf = VeeamRepository.objects.get(name="Shelf")
    assert (shelf.free_bytes, shelf.immutable) == (10 * 1024**3, True)


def test_what_else_is_read_stands_on_the_row(there, read):
    server = read()
    assert server.configuration_backup["encrypted"] is True
    assert server.forwarding["host"] == "10.0.0.9"
    assert server.four_eyes["events"] == []


def counts() -> list[int]:
    models = (
        EncryptionPassword,
        Job,
        PasswordVersion,
        RestorePoint,
        VeeamDifference,
        VeeamJob,
        VeeamPassword,
    )
    return [model.objects.count() for model in (*models, VeeamRepository, Entry)]


def queries(act) -> int:
    with CaptureQueriesContext(connection) as captured:
        act()
    return len(captured)
