"""A password that the worker makes: nobody typed it, one custodian is shown it, once, after the execution."""

import re

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Person
from approvals import statement as statements
from approvals.errors import Invalid, OwnRequest
from approvals.services import execution, requests
from audit.models import Alarm, Entry
from encryption.crypto import secret as secrets
from encryption.models import PasswordVersion
from encryption.services import intake, vault
from recovery import selectors
from recovery.errors import OutOfTime, Replayed
from recovery.models import CustodyRecord, Release
from recovery.services import custody, releases
from tests.accounts.factories import handed_a_link
from tests.approvals.conftest import CUSTODY, SECRET, approve, new_policy, work
from tests.approvals.executing import change, forge, stale
from tests.recovery.page import Page, handed

pytestmark = pytest.mark.django_db
COPY = CUSTODY | {"custodian": "Norbert"}


def made(people, **fields):
    """What is given for a password that is made, for Norbert unless told otherwise."""
    given = {"new_password": None, "generate": True, "custodian": people.nobody.pk, "custody": [COPY]}
    return given | fields


@pytest.fixture
def release(people, roster, ask) -> Release:
    """What waits for Norbert after an executed activation."""
    request = work(approve(people.dpo, ask(**made(people))))
    assert request.state == "executed", request.outcome
    return Release.objects.get()


def test_nobody_knows_it_until_the_custodian_reads_it_once(release, people):
    version = release.version
    assert (version.known_to, version.asked_by) == ([], people.operator.person_id)
    shown = handed(release, people.nobody)
    assert vault.password_of(version).reveal() == shown.encode()
    version.refresh_from_db()
    assert version.known_to == [str(people.nobody.person_id)]
    with pytest.raises(Replayed):
        releases.take(release.pk, by=people.nobody)
    with pytest.raises(Replayed):
        releases.open_page(release.pk, Page().point, by=people.nobody)


def test_neither_asker_nor_approver_nor_anybody_else_is_shown_it(release, people):
    for other in (people.operator, people.dpo, people.administrator, people.superuser):
        with pytest.raises(NotEligible):
            releases.open_page(release.pk, Page().point, by=other)
        with pytest.raises(NotEligible):
            releases.take(release.pk, by=other)
    assert Release.objects.get().public_key is None


def test_it_is_long_mixed_and_judged_as_any_other(release, people):
    shown = handed(release, people.nobody)
    assert re.fullmatch(r"([A-HJ-NP-Za-km-z2-9]{4}-){5}[A-HJ-NP-Za-km-z2-9]{4}", shown)
    assert (release.version.strength, release.version.length) == (4, len(shown))
    assert intake.judge(intake.check_new(shown)) == 4


def test_each_is_another_with_all_three_kinds_of_signs():
    shown = {secrets.generate().reveal().decode() for _ in range(200)}
    assert len(shown) == 200
    kinds = (str.isupper, str.islower, str.isdigit)
    assert all(any(kind(sign) for sign in text) for text in shown for kind in kinds)


def test_nothing_is_handed_over_before_the_execution(people, roster, ask):
    request = approve(people.dpo, ask(**made(people)))
    execution.execute(request.pk)
    assert PasswordVersion.objects.get().known_to == []
    assert not Release.objects.exists()


def test_p1_the_custodian_does_not_decide(people, roster, ask):
    """P1"""
    request = ask(**made(people, custodian=people.ciso.pk, custody=[COPY | {"custodian": "Carl"}]))
    with pytest.raises(OwnRequest):
        approve(people.ciso, request)


def test_p5_the_statement_says_who_is_shown_it_and_what_follows(people, roster, ask):
    """P5"""
    said = statements.parse(bytes(ask(**made(people)).statement))
    assert said.change["secret_sha256"] is None
    assert (said.change["generated"], said.change["name"]) == (True, "Norbert")
    assert said.change["subjects"] == [str(people.nobody.person_id)]
    assert any(row["what"] == "generated" and "Norbert" in row["text"] for row in said.consequences)


def test_p5_another_custodian_in_the_row_is_handed_nothing(people, roster, ask):
    """P5: who is handed it stands in what the worker signed, and not in a row that was exchanged since."""
    request = approve(people.dpo, ask(**made(people)))
    execution.execute(request.pk)
    text = bytes(request.statement).replace(
        str(people.nobody.person_id).encode(), str(people.third.person_id).encode()
    )
    forge("approvals_approvalrequest", request.pk, statement=text)
    work(request)
    assert not Release.objects.exists()


def test_a_change_is_generated_too_and_the_former_value_opens_nothing(release, people):
    former = handed(release, people.nobody)
    again = change(people, release.version.password_id, **made(people))
    assert work(approve(people.dpo, again)).state == "executed"
    newest = Release.objects.exclude(pk=release.pk).get()
    assert newest.version.number == 2
    assert handed(newest, people.nobody) != former


def test_it_raises_no_alarm_for_it_was_made_to_be_known_to_them(release, people):
    handed(release, people.nobody)
    assert not Alarm.objects.filter(kind="password.released").exists()


def test_the_custodians_proof_confirms_it_and_secures_it(release, people):
    shown = handed(release, people.nobody)
    record = CustodyRecord.objects.get()
    assert record.person_id == people.nobody.person_id
    assert secured(release) == 0
    proof = custody.prove(record.pk, shown, by=people.nobody)
    custody.judge(proof.pk)
    assert secured(release) == 1


def secured(release: Release) -> int:
    return selectors.custody_of([release.version], timezone.now())[release.version_id].secured


# --- what is refused --------------------------------------------------------------------------------------


def refused(people, ask, match: str, **fields) -> None:
    with pytest.raises(Invalid, match=match):
        ask(**made(people, **fields))


def test_a_typed_and_a_generated_one_are_not_both(people, roster, ask):
    refused(people, ask, "not both", new_password=SECRET)


def test_who_asks_is_not_handed_it(people, roster, ask):
    mine = people.second_account.pk
    refused(people, ask, "another person", custodian=mine, custody=[COPY | {"custodian": "Olga"}])


def test_the_custodians_copy_is_stated(people, roster, ask):
    refused(people, ask, "State the copy that Norbert", custody=[CUSTODY])
    refused(people, ask, "State who will hold", custody=[])


def test_a_custodian_without_a_generated_one_is_refused(people, roster, ask):
    with pytest.raises(Invalid, match="generated, and no other"):
        ask(custodian=people.nobody.pk)


def test_a_service_account_is_no_custodian(people, roster, ask):
    with pytest.raises(Exception, match="no such person"):
        ask(**made(people, custodian=people.service.pk))


def test_a_custodian_with_a_namesake_is_refused_for_who_decides_could_not_tell(people, roster, ask):
    Person.objects.filter(pk=people.auditor.person_id).update(name="Norbert")
    refused(people, ask, "More than one person here is called Norbert")


def test_p1_an_account_that_the_asker_made_is_handed_nothing(people, roster, ask):
    """P1: they may have been the first to use it."""
    handed_a_link(people.nobody, by=people.second_account)
    refused(people, ask, "whose account the asker made")


def test_a_policy_that_demands_a_proof_before_refuses_it_by_name(people, roster, ask):
    new_policy(custody_proof=True)
    refused(people, ask, "demands that a custodian proves .* type the new password")


def test_other_kinds_do_not_take_it(people, roster, job):
    with pytest.raises(Invalid, match="takes no 'generate'"):
        requests.ask("deactivate_encryption", by=people.operator, reason="No.", jobs=[job.pk], generate=True)


def test_a_custodian_who_left_makes_it_stale(people, roster, ask):
    request = approve(people.dpo, ask(**made(people)))
    type(people.nobody).objects.filter(pk=people.nobody.pk).update(is_active=False)
    assert "cannot be handed" in stale(request)


# --- time -------------------------------------------------------------------------------------------------


def test_it_ends_after_a_week(release, people, monkeypatch):
    later = timezone.now() + releases.VALID
    monkeypatch.setattr(timezone, "now", lambda: later)
    with pytest.raises(OutOfTime):
        releases.open_page(release.pk, Page().point, by=people.nobody)


def test_p9_asking_without_a_password_logs_no_secret(release):
    """P9"""
    events = set(Entry.objects.values_list("event", flat=True))
    assert "secret.erased" not in events
    assert {"password.released", "custody.stated"} <= events
