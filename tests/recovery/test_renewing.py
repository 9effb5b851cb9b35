"""The keyset in force runs out: an alarm, and the next one made by itself, activated by Security alone."""

from datetime import timedelta

import pytest
from django.urls import reverse

from accounts.errors import NotEligible
from accounts.models import User
from approvals.models import ApprovalRequest
from approvals.services.renewing import renew_keysets
from audit.models import Alarm, Entry
from encryption.errors import KeyMaterialError
from recovery.models import EnterpriseTask, Keyset, LossProtection
from recovery.services import renewing
from tests.approvals.conftest import approve, work
from tests.pages.conftest import as_user, text_of
from tests.recovery.conftest import obeyed

pytestmark = pytest.mark.django_db


@pytest.fixture
def running_out(keyset):
    """The keyset in force has a day left of its four weeks."""
    gone = timedelta(days=27)
    Keyset.objects.update(activated_at=keyset.activated_at - gone, expires_at=keyset.expires_at - gone)
    return keyset


def open_alarms() -> list[str]:
    found = Alarm.objects.filter(kind="keyset.expiring").exclude(state=Alarm.State.RESOLVED)
    return list(found.values_list("subject_id", flat=True))


@pytest.mark.alarm("keyset.expiring")
def test_the_alarm_is_raised_once_and_closed_by_the_next_activation(running_out, enterprise, decided):
    from recovery.services import keysets

    for _ in range(2):
        renew_keysets()
    assert [str(one) for one in open_alarms()] == [str(running_out.pk)]
    task = keysets.generate(by=enterprise, suite="x-wing", description="Spring")
    obeyed()
    decided("activate_keyset", keyset=task.pk)
    renew_keysets()
    assert open_alarms() == []


def test_a_fresh_keyset_raises_nothing(keyset):
    renew_keysets()
    assert open_alarms() == []
    assert not EnterpriseTask.objects.filter(state="open").exists()


def test_of_a_short_life_a_quarter_is_told(keyset):
    short = Keyset(activated_at=keyset.activated_at, expires_at=keyset.activated_at + timedelta(weeks=1))
    assert not renewing.runs_out(short, short.activated_at)
    assert renewing.runs_out(short, short.expires_at - timedelta(hours=42))


def test_without_the_setting_none_is_made(running_out):
    renew_keysets()
    assert Keyset.objects.count() == 1
    assert not EnterpriseTask.objects.filter(state="open").exists()


def test_the_next_one_is_made_asked_for_once_and_waits_for_security(people, enterprise, running_out):
    renewing.configure(by=enterprise, automatic=True, suite="x-wing", weeks=6)
    for _ in range(2):
        renew_keysets()
    [made] = EnterpriseTask.objects.filter(state="open")
    obeyed()
    for _ in range(2):
        renew_keysets()
    [request] = ApprovalRequest.objects.filter(kind="activate_keyset", state="pending")
    assert request.asker_id == enterprise.pk
    assert Keyset.objects.get(state="active") == running_out
    approve(people.dpo, request)
    assert work(request).state == "executed"
    obeyed()
    active = Keyset.objects.get(state="active")
    assert active.pk == made.pk
    assert active.expires_at - active.activated_at == timedelta(weeks=6)


def test_a_rejected_one_is_not_asked_for_again(people, enterprise, running_out):
    from tests.approvals.conftest import reject

    renewing.configure(by=enterprise, automatic=True, suite="x-wing", weeks=6)
    renew_keysets()
    obeyed()
    renew_keysets()
    reject(people.dpo, ApprovalRequest.objects.get(kind="activate_keyset", state="pending"))
    renew_keysets()
    assert not ApprovalRequest.objects.filter(state="pending").exists()
    assert open_alarms()


def test_who_left_asks_for_nothing(enterprise, running_out):
    renewing.configure(by=enterprise, automatic=True, suite="x-wing", weeks=6)
    renew_keysets()
    obeyed()
    User.objects.filter(pk=enterprise.pk).update(is_active=False)
    renew_keysets()
    assert not ApprovalRequest.objects.filter(state="pending").exists()


def test_who_may_not_ask_sets_nothing(people, enterprise):
    with pytest.raises(NotEligible):
        renewing.configure(by=people.operator, automatic=True, suite="rsa-4096", weeks=4)
    with pytest.raises(KeyMaterialError):
        renewing.configure(by=enterprise, automatic=True, suite="rsa-1024", weeks=4)
    assert not LossProtection.objects.get().automatic


def test_set_in_pages(people, enterprise):
    page = reverse("recovery_automatic")
    given = {"automatic": "on", "weeks": 8, "suite": "rsa-4096"}
    assert as_user(people.operator).post(page, given).status_code == 403
    browser = as_user(people.dpo)
    assert browser.post(page, given | {"weeks": 0}).status_code == 400
    assert browser.post(page, given).status_code == 302
    assert "for 8 weeks" in text_of(browser.get(reverse("recovery")))
    assert Entry.objects.filter(event="keysets.automatic").count() == 1


def test_the_web_sets_this_and_nothing_else(as_role, enterprise):
    import psycopg

    web = as_role("web")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("UPDATE recovery_lossprotection SET trusted_key = NULL")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        web.execute("UPDATE recovery_backupserver SET state = 'registered'")
    web.execute("UPDATE recovery_lossprotection SET retention_weeks = 4 WHERE false")
