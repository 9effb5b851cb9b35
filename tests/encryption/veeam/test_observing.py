"""What was changed at Veeam between two readings: differences, drifts, and what closes them."""

import uuid
from dataclasses import replace

import pytest
from django.utils import timezone

from audit.models import Alarm
from encryption import rules
from encryption.crypto.secret import Secret
from encryption.errors import VeeamUnreachable
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    PasswordVersion,
    Rekey,
    RekeyJob,
    VeeamDifference,
    VeeamPassword,
)
from encryption.services import vault
from encryption.services.veeam import imports, observing, reading
from tests.encryption.veeam.standin import days, name_of

pytestmark = pytest.mark.django_db
What = Drift.What


@pytest.fixture
def mail(there, read):
    """A job under one password, read once."""
    there.add_job("Mail", there.add_password("Gold"))
    read()
    return Job.objects.get(name="Mail")


def test_a_changed_password_is_a_drift_with_an_alarm(there, read, mail):
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    drift = Drift.objects.get(closed_at=None)
    assert (drift.what, drift.password.hint) == (What.VEEAM_PASSWORD_CHANGED, "Gold")
    assert Alarm.objects.get(kind="drift").severity == "critical"
    difference = VeeamDifference.objects.get()
    assert (difference.what, difference.happened_at) == ("password.changed", days(3))


def test_a_changed_password_changes_the_fingerprint_of_its_jobs(there, read, mail):
    former = mail.observed_fingerprint
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    mail.refresh_from_db()
    assert mail.observed_fingerprint not in ("", former)


def test_a_changed_password_gets_a_version_that_nobody_knows(there, read, mail):
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    first, second = PasswordVersion.objects.order_by("number")
    assert (first.in_force_until, second.in_force_from, second.sealed_password) == (days(3), days(3), None)


def test_the_same_difference_is_written_once(there, read, mail):
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    read()
    assert (VeeamDifference.objects.count(), Drift.objects.count()) == (1, 1)


def test_another_password_for_a_job_is_a_drift(there, read, mail):
    there.encrypt(name_of("Mail"), there.add_password("Silver"))
    read()
    assert opened(job=mail) == [What.VEEAM_ENCRYPTION_CHANGED]
    mail.refresh_from_db()
    assert mail.password.hint == "Silver"


def test_a_password_that_appears_is_a_drift(there, read, mail):
    there.add_password("Silver", at=days(3))
    read()
    silver = EncryptionPassword.objects.get(hint="Silver")
    assert opened(password=silver) == [What.VEEAM_PASSWORD_ADDED]


def test_a_password_that_is_gone_is_a_drift(there, read, mail):
    del there.held[name_of("Gold")]
    read()
    assert opened(password=mail.password) == [What.VEEAM_PASSWORD_DELETED]
    assert VeeamPassword.objects.get(password=mail.password).gone_at is not None


def test_encryption_that_is_switched_off_is_a_drift_and_no_gap_besides(there, read, mail):
    there.encrypt(name_of("Mail"), None)
    read()
    assert opened(job=mail) == [What.VEEAM_ENCRYPTION_OFF]
    mail.refresh_from_db()
    assert (mail.password, mail.observed_fingerprint) == (None, "")


def test_what_is_undone_closes_by_itself(there, read, mail):
    there.encrypt(name_of("Mail"), None)
    read()
    there.encrypt(name_of("Mail"), name_of("Gold"))
    read()
    assert opened(job=mail) == []
    assert Alarm.objects.get(kind="drift").state == "resolved"
    assert VeeamDifference.objects.count() == 2


def test_a_second_change_keeps_what_was_expected(there, read, mail):
    expected = mail.observed_fingerprint
    there.encrypt(name_of("Mail"), None)
    read()
    there.encrypt(name_of("Mail"), there.add_password("Silver"))
    read()
    drift = Drift.objects.get(job=mail, closed_at=None)
    assert (drift.what, drift.found["expected"]) == (What.VEEAM_ENCRYPTION_CHANGED, expected)


def test_an_explained_drift_stays_closed_while_the_same_is_found(there, read, mail):
    there.encrypt(name_of("Mail"), there.add_password("Silver"))
    read()
    Drift.objects.update(closed_at=timezone.now(), explained_by=uuid.uuid4())
    read()
    assert opened(job=mail) == []


def test_an_explained_drift_opens_anew_for_another_change(there, read, mail):
    there.encrypt(name_of("Mail"), there.add_password("Silver"))
    read()
    Drift.objects.update(closed_at=timezone.now(), explained_by=uuid.uuid4())
    there.encrypt(name_of("Mail"), name_of("Gold"))
    read()
    assert opened(job=mail) == [What.VEEAM_ENCRYPTION_CHANGED]


def test_a_job_that_appears_encrypted_is_a_drift(there, read, mail):
    there.add_job("Ledgers", name_of("Gold"))
    read()
    assert opened(job=Job.objects.get(name="Ledgers")) == [What.VEEAM_ENCRYPTION_CHANGED]


def test_an_encrypted_job_that_is_gone_is_a_drift(there, read, mail):
    del there.models[name_of("Mail")]
    read()
    mail.refresh_from_db()
    assert opened(job=mail) == [What.VEEAM_ENCRYPTION_OFF]
    assert (mail.state, mail.password) == ("disabled", None)


def test_a_changed_hint_is_a_difference_and_no_drift(there, read, mail):
    there.held[name_of("Gold")] = replace(there.held[name_of("Gold")], hint="Golden")
    read()
    assert VeeamDifference.objects.get().what == "password.hint"
    assert not Drift.objects.filter(closed_at=None).exists()
    assert EncryptionPassword.objects.get().hint == "Golden"


def test_a_time_that_moved_alone_is_metadata(there, read, mail):
    prove(mail, "plain-Sailing-19")
    there.change(name_of("Gold"), "plain-Sailing-19", days(3))
    read()
    assert opened(password=mail.password) == [What.VEEAM_METADATA]
    assert PasswordVersion.objects.count() == 1
    assert Alarm.objects.get(kind="drift").severity == "warning"


def test_a_value_that_is_not_the_known_one_is_a_change(there, read, mail):
    prove(mail, "plain-Sailing-19")
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    assert opened(password=mail.password) == [What.VEEAM_PASSWORD_CHANGED]


def test_a_value_that_is_put_back_is_known_again(there, read, mail):
    prove(mail, "plain-Sailing-19")
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    there.change(name_of("Gold"), "plain-Sailing-19", days(4))
    read()
    assert opened(password=mail.password) == [What.VEEAM_METADATA]
    newest = PasswordVersion.objects.order_by("number").last()
    assert (newest.number, vault.password_of(newest).reveal()) == (3, b"plain-Sailing-19")


def test_a_change_of_an_executed_step_is_no_drift(there, read, mail, server):
    there.change(name_of("Gold"), "other-Value-20", days(3))
    request = executed(server, mail, there)
    read()
    assert opened(password=mail.password) == []
    difference = VeeamDifference.objects.get()
    assert difference.reconciled.request == request
    version = PasswordVersion.objects.get(request=request)
    assert version.in_force_from == days(3)


def test_an_activation_of_an_executed_step_is_no_drift(there, read, server):
    there.add_password("Gold")
    there.add_job("Mail")
    read()
    mail = Job.objects.get(name="Mail")
    there.encrypt(name_of("Mail"), name_of("Gold"))
    request = executed(server, mail, there, action="activate")
    read()
    assert opened(job=mail) == []
    assert VeeamDifference.objects.get().reconciled.request == request


def test_a_job_under_a_step_is_left_for_the_next_reading(there, read, mail, server):
    there.encrypt(name_of("Mail"), None)
    RekeyJob.objects.create(rekey=rekey_of(mail), job=mail, old_fingerprint="a", new_fingerprint="")
    read()
    assert not VeeamDifference.objects.exists()
    mail.refresh_from_db()
    assert mail.password is not None


def test_a_reading_that_was_overtaken_changes_nothing(there, read, mail, server):
    stale = reading.read(there, lambda _phase, _done: None)
    there.encrypt(name_of("Mail"), None)
    there.change(name_of("Gold"), "other-Value-20", days(3))
    read()
    observing.note(server, there, stale)
    assert VeeamDifference.objects.count() == 2
    mail.refresh_from_db()
    assert (mail.password, mail.observed_fingerprint) == (None, "")


def test_jobs_are_observed_alone_before_a_change(there, read, mail):
    there.add_password("Silver")
    there.add_job("Other", name_of("Gold"))
    there.encrypt(name_of("Mail"), None)
    assert observing.observe([mail.pk]) == [What.VEEAM_ENCRYPTION_OFF]
    assert not Job.objects.filter(name="Other").exists()


def test_a_job_of_a_server_that_is_away_cannot_be_observed(there, read, mail):
    there.away = True
    with pytest.raises(VeeamUnreachable):
        observing.observe([mail.pk])


def test_one_server_that_is_away_changes_nothing_of_its_jobs(there, read, mail, server):
    seen = mail.observed_at
    there.away = True
    imports.run_import(server.pk)
    mail.refresh_from_db()
    assert mail.observed_at == seen


def opened(**thing) -> list[str]:
    rows = Drift.objects.filter(**thing, closed_at=None).exclude(what__in=Drift.GAPS)
    return list(rows.order_by("what").values_list("what", flat=True))


def prove(job, value: str) -> None:
    version = PasswordVersion.objects.get(password=job.password)
    sealed = vault.seal_value(version.pk, version.number, Secret(value.encode()))
    PasswordVersion.objects.filter(pk=version.pk).update(sealed_password=sealed.password)


def rekey_of(job, action="change", request=None) -> Rekey:
    version = PasswordVersion.objects.create(
        password=job.password or EncryptionPassword.objects.get(hint="Gold"),
        number=9,
        hint="Gold",
        kdf={},
        strength=4,
        length=14,
        request=request,
    )
    return Rekey.objects.create(
        request=request or uuid.uuid4(), action=action, version=version, order={}, retry_until=timezone.now()
    )


def executed(server, job, there, action="change") -> uuid.UUID:
    """A step that left what is there now."""
    request = uuid.uuid4()
    held = there.held[name_of("Gold")]
    place = "/storage/advancedSettings/storageData/encryption"
    blocks = [{"enabled": True, "kind": "password", "kms": None, "password": str(held.id), "path": place}]
    RekeyJob.objects.create(
        rekey=rekey_of(job, action, request),
        job=job,
        state="succeeded",
        old_fingerprint=job.observed_fingerprint,
        new_fingerprint="",
        proof={"fingerprint": rules.veeam_fingerprint(server.pk, blocks, {str(held.id): held.modified_at})},
        started_at=timezone.now(),
        ended_at=timezone.now(),
    )
    return request
