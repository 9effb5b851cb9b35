"""Checks over a house of our own engine: what is well passes, what is broken is found and named."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import time_machine

from accounts.models import ApiToken, User
from accounts.services import users
from audit import services as audit
from compliance.checks import Status
from compliance.services import analyzing
from encryption.models import Repository, RestorePoint
from encryption.services import backups, drift
from recovery.models import CustodyRecord, Keyset
from recovery.services import custody
from tests.accounts import factories
from tests.approvals.conftest import SECRET, approve, new_policy, run, work

pytestmark = pytest.mark.django_db(transaction=True)
PASSED, SHORT, UNABLE = Status.PASSED, Status.NOT_IMPLEMENTED, Status.UNABLE
COPIES = [
    {"medium": medium, "place": place, "offsite": away, "offline": away, "custodian": custodian}
    for medium, place, away, custodian in (
        ("paper", "bank safe", True, "Carl"),
        ("chip card", "office safe", False, "Dora"),
        ("paper", "second house", True, "Tess"),
    )
]


def answers(people) -> dict[str, str]:
    done = analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    return {finding.code: finding.found for finding in done.findings.all()}


def all_of(found: dict[str, str], *codes: str) -> set[str]:
    return {found[code] for code in codes}


def test_an_approved_job_passes(people, encrypted):
    found = answers(people)
    assert all_of(
        found,
        "jobs.encrypted",
        "points.approved",
        "passwords.approved",
        "passwords.strength",
        "passwords.rotated",
        "passwords.leavers",
        "passwords.shared",
        "passwords.old_needed",
        "drift.explained",
        "requests.by_security",
        "security.seats",
        "security.separation",
        "policies.four_eyes",
        "people.tokens",
        "recovery.protection",
        "recovery.expiring",
    ) == {PASSED}
    assert all_of(found, "custody.copies", "custody.proved", "data.copies", "data.restores") == {SHORT}
    assert found["recovery.exported"] == SHORT
    assert found["changes.reconciled"] == UNABLE


def test_what_was_mended_passes(people, encrypted, decided, tmp_path, settings):
    decided("export_keyset", keyset=Keyset.objects.get().pk, passphrase="a passphrase long enough")
    point = RestorePoint.objects.order_by("-created_at").first()
    session = backups.start_restore(
        point.pk, to=str(settings.VEEAMSEC_HOME / "restores" / "x"), by=people.operator
    )
    backups.run_restore(session.pk)
    session.refresh_from_db()
    assert session.state == "succeeded", session.error
    Repository.objects.update(immutable=True)
    for user in User.objects.filter(is_active=True, is_human=True):
        if not user.authenticator_set.exists():
            factories.add_totp(user)
    audit.sign_checkpoint()
    found = answers(people)
    assert all_of(found, "recovery.exported", "data.restores", "data.immutable", "people.factors") == {PASSED}
    assert found["log.outside"] == UNABLE


def test_custody_is_stated_proved_and_drilled(people, roster, ask, job):
    work(approve(people.dpo, ask(custody=COPIES)))
    for user in (people.ciso, people.dpo, people.third):
        record = CustodyRecord.objects.get(person=user.person_id)
        custody.judge(custody.prove(record.pk, SECRET, by=user).pk)
    found = answers(people)
    assert all_of(found, "custody.copies", "custody.proved") == {PASSED}
    assert found["custody.drilled"] == SHORT
    custody.judge(custody.prove(CustodyRecord.objects.first().pk, SECRET, by=people.ciso).pk)
    assert answers(people)["custody.drilled"] == PASSED


def test_a_plain_job_with_points_falls_short(people, job):
    run(job)
    found = answers(people)
    assert all_of(found, "jobs.encrypted", "points.approved", "recovery.protection") == {SHORT}
    assert all_of(found, "passwords.approved", "passwords.strength", "recovery.exported") == {UNABLE}


def test_an_administrators_quick_approval_is_named(people, roster, ask, job):
    work(approve(people.administrator, ask()))
    run(job)
    found = answers(people)
    codes = ("requests.by_security", "passwords.approved", "points.approved")
    assert all_of(found, *codes) == {SHORT}
    assert found["jobs.encrypted"] == PASSED


def test_a_changed_keyring_is_a_drift(people, encrypted):
    for keyring in Path(encrypted.repository.location).rglob("keyring*"):
        keyring.write_bytes(keyring.read_bytes()[:-40])
    drift.observe(encrypted.pk)
    assert answers(people)["drift.explained"] == SHORT


def test_a_year_later_things_are_old(people, encrypted):
    with time_machine.travel(datetime.now(UTC) + timedelta(days=400)):
        found = answers(people)
    assert all_of(found, "passwords.rotated", "recovery.expiring", "data.restores", "log.outside") == {SHORT}
    assert found["requests.by_security"] == UNABLE


def test_who_asked_and_left_still_knows_it(people, encrypted):
    User.objects.filter(person=people.operator.person_id).update(is_active=False)
    assert answers(people)["passwords.leavers"] == SHORT


def test_one_password_for_too_many_jobs(people, roster, ask, make_job):
    work(approve(people.dpo, ask(*(make_job(f"Files {number}") for number in range(11)))))
    assert answers(people)["passwords.shared"] == SHORT


def test_too_few_for_the_policy_and_offices_that_mix(people):
    new_policy(quorum=3, mfa_required=False)
    # A role of the backup team the database refuses to whoever holds a seat.
    User.objects.filter(pk=people.dpo.pk).update(is_superuser=True)
    people.third.authenticator_set.all().delete()
    factories.add_totp(people.operator)
    users.create_token(user=people.operator, name="x", days=30, scopes=["api"], by=people.operator)
    ApiToken.objects.update(expiry=None)
    found = answers(people)
    codes = ("policies.four_eyes", "security.separation", "security.seats", "people.factors", "people.tokens")
    assert all_of(found, *codes) == {SHORT}
