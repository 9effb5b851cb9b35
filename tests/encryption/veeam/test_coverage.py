"""Gaps: what is not encrypted, once each, without an alarm, until Security gives a reason."""

import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from audit.models import Alarm
from encryption import badge
from encryption.models import Drift, Job
from tests.encryption.veeam.standin import block, name_of

pytestmark = pytest.mark.django_db
What = Drift.What


def test_a_job_without_encryption_is_a_gap_without_an_alarm(there, read):
    there.add_job("Mail")
    read()
    gap = Drift.objects.get()
    assert (gap.what, gap.job.name, gap.closed_at) == (What.VEEAM_JOB_PLAIN, "Mail", None)
    assert not Alarm.objects.exists()


def test_a_gap_leaves_the_badge_as_it_is(there, read):
    there.add_job("Mail")
    read()
    assert badge.badge(Job.objects.get()).state == badge.State.PLAIN


def test_a_gap_that_is_known_is_not_told_again(there, read):
    there.add_job("Mail")
    read()
    read()
    assert Drift.objects.count() == 1


def test_a_reason_holds_while_the_same_is_found(there, read):
    there.add_job("Mail")
    read()
    explain()
    read()
    assert open_gaps() == []


def test_a_gap_that_comes_again_wants_a_new_reason(there, read):
    mail = there.add_job("Mail")
    read()
    explain()
    there.encrypt(mail, there.add_password("Gold"))
    read()
    Drift.objects.exclude(what__in=Drift.GAPS).update(closed_at=timezone.now())
    there.add_job("Other")
    read()
    assert open_gaps() == [What.VEEAM_JOB_PLAIN]


def test_a_gap_that_is_closed_there_closes_here(there, read):
    mail = there.add_job("Mail")
    read()
    there.encrypt(mail, there.add_password("Gold"))
    read()
    assert open_gaps() == []


def test_a_copy_that_decrypts_is_a_gap(there, read):
    gold = there.add_password("Gold")
    mail = there.add_job("Mail", gold)
    copy = there.add_job("Copy", kind="BackupCopy")
    there.models[copy]["sourceObjects"] = {"includes": {"jobs": [{"id": str(mail)}]}}
    read()
    gap = Drift.objects.get()
    assert (gap.what, gap.found["sources"]) == (What.VEEAM_COPY_PLAIN, [str(mail)])


def test_a_copy_of_a_plain_job_is_a_plain_job(there, read):
    mail = there.add_job("Mail")
    copy = there.add_job("Copy", kind="BackupCopy")
    there.models[copy]["sourceObjects"] = {"includes": {"jobs": [{"id": str(mail)}]}}
    read()
    assert open_gaps() == [What.VEEAM_JOB_PLAIN, What.VEEAM_JOB_PLAIN]


def test_a_second_target_in_clear_is_a_copy_that_decrypts(there, read):
    gold = there.add_password("Gold")
    files = there.add_job("Files", kind="FileBackup")
    there.models[files] = {
        "id": str(files),
        "name": "Files",
        "type": "FileBackup",
        "backupRepository": {"advancedSettings": {"storageData": {"encryption": block(gold)}}},
        "secondaryTargets": [{"encryption": block(None)}],
    }
    read()
    assert open_gaps() == [What.VEEAM_COPY_PLAIN]


def test_a_replica_is_no_gap(there, read):
    external = name_of("Replica")
    there.models[external] = {"id": str(external), "name": "Replica", "type": "VSphereReplica"}
    read()
    assert open_gaps() == []


def test_a_tier_in_clear_is_a_gap_of_the_server(there, read, server):
    tier = {"isEnabled": True, "encryption": {"isEnabled": False}}
    there.scale_out = [{"id": str(name_of("SOBR")), "name": "SOBR", "capacityTier": tier}]
    read()
    gap = Drift.objects.get()
    assert (gap.what, gap.repository_id) == (What.VEEAM_TIER_PLAIN, server.pk)
    assert gap.found["tiers"][0]["tier"] == "capacity"


def test_another_tier_in_clear_wants_a_new_reason(there, read):
    tier = {"isEnabled": True, "encryption": {"isEnabled": False}}
    there.scale_out = [{"id": str(name_of("SOBR")), "name": "SOBR", "capacityTier": tier}]
    read()
    explain()
    there.scale_out.append({"id": str(name_of("SOBR2")), "name": "SOBR2", "capacityTier": tier})
    read()
    assert open_gaps() == [What.VEEAM_TIER_PLAIN]


def test_an_archive_tier_that_does_not_say_is_no_gap(there, read):
    there.scale_out = [{"id": str(name_of("SOBR")), "name": "SOBR", "archiveTier": {"isEnabled": True}}]
    read()
    assert open_gaps() == []


def test_a_configuration_backup_in_clear_is_a_gap(there, read):
    there.configuration = replace(there.configuration, encrypted=False)
    read()
    assert open_gaps() == [What.VEEAM_CONFIGURATION_PLAIN]


def test_a_configuration_backup_that_may_not_be_read_is_no_gap(there, read):
    there.refused.add("configuration")
    read()
    assert open_gaps() == []


def explain() -> None:
    Drift.objects.update(closed_at=timezone.now(), explained_by=uuid.uuid4())


def open_gaps() -> list[str]:
    rows = Drift.objects.filter(what__in=Drift.GAPS, closed_at=None)
    return list(rows.order_by("what").values_list("what", flat=True))
