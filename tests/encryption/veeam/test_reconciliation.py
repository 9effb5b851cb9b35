"""Every event and every difference belongs to one executed request, or is an exception with an owner."""

import uuid
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Role
from audit import services as audit
from audit.events import Event
from audit.models import Alarm, Entry
from encryption.errors import ServerRefused, Unknown
from encryption.models import (
    Drift,
    EncryptionPassword,
    Job,
    PasswordVersion,
    Reconciled,
    Rekey,
    RekeyJob,
    VeeamDifference,
    VeeamPassword,
    VeeamServer,
)
from encryption.selectors import reconciliation as counts
from encryption.services.veeam import exceptions, tellings
from encryption.services.veeam.reconciliation import reconcile
from tests.encryption.conftest import make_user
from tests.encryption.veeam import lines
from tests.encryption.veeam.lines import job_line, line, password_line, receive
from tests.encryption.veeam.standin import name_of

pytestmark = pytest.mark.django_db
GOLD = name_of("Gold")


@pytest.fixture
def house(there, read) -> VeeamServer:
    """A server with one job under one password, known under the name that its lines carry."""
    there.add_job("Mail", there.add_password("Gold"))
    server = read()
    VeeamServer.objects.update(syslog_name="vbr01")
    server.refresh_from_db()
    return server


def step(minutes: float = 0, *, action: str = "change", ended: bool = True, **proof: Any) -> RekeyJob:
    """A step of an executed request on the job, that began so many minutes ago."""
    at = timezone.now() - timedelta(minutes=minutes)
    password = EncryptionPassword.objects.get(hint="Gold")
    newest = PasswordVersion.objects.filter(password=password).order_by("-number").first()
    version = PasswordVersion.objects.create(
        password=password,
        number=newest.number + 1,
        hint="Gold",
        kdf={},
        strength=4,
        length=20,
        request=uuid.uuid4(),
    )
    rekey = Rekey.objects.create(
        request=version.request,
        action=action,
        version=None if action == "deactivate" else version,
        order={},
        retry_until=at,
        state=Rekey.State.SUCCEEDED if ended else Rekey.State.RUNNING,
        ended_at=at if ended else None,
    )
    return RekeyJob.objects.create(
        rekey=rekey,
        job=Job.objects.get(name="Mail"),
        state=RekeyJob.State.SUCCEEDED if ended else RekeyJob.State.RUNNING,
        old_fingerprint="ab" * 32,
        new_fingerprint="",
        started_at=at,
        ended_at=at + timedelta(seconds=20) if ended else None,
        proof=proof,
    )


def where(event: Any) -> Reconciled | None:
    return Reconciled.objects.filter(event=event).first()


def alarms(kind: str) -> list[str]:
    return list(Alarm.objects.filter(kind=kind).exclude(state="resolved").values_list("text", flat=True))


@pytest.mark.parametrize("number", [lines.CHANGED, lines.VERIFIED, lines.ADDED])
def test_what_our_account_did_in_a_steps_time_is_the_requests(house, number):
    done = step()
    (event,) = receive(password_line(number, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request == done.rekey.request
    assert alarms("veeam.unexplained") == []


def test_the_update_of_a_job_is_the_requests_that_put_it(house):
    done = step()
    (event,) = receive(job_line(name_of("Mail"), timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request == done.rekey.request


def test_of_two_requests_the_nearer_one_did_it(house):
    step(9)
    near = step(1)
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request == near.rekey.request


@pytest.mark.parametrize("user", [lines.SOMEBODY, "veeamsec2", r"OTHER\veeamsec", "", r"TECH\veeamsec | x"])
def test_what_another_account_did_is_an_exception_even_in_a_steps_time(house, user):
    """P2: a change behind our back does not hide in the time of an approved one."""
    step()
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), user))
    reconcile(house.pk)
    assert (where(event).request, where(event).owner) == (None, None)
    assert alarms("veeam.unexplained")


def test_a_line_in_doubt_is_never_ours(house):
    """P2: a hint that imitates a field does not make somebody's change ours."""
    step()
    forged = f'x" UserName="{lines.OURS}'
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS, Hint=forged))
    reconcile(house.pk)
    assert where(event).request is None
    assert "two ways" in where(event).why


@pytest.mark.parametrize(
    ("number", "subject", "minutes"),
    [(lines.CHANGED, GOLD, 30), (lines.DELETED, GOLD, 0), (lines.CHANGED, uuid.uuid4(), 0), (42301, GOLD, 0)],
)
def test_what_our_account_did_at_no_requests_time_or_thing_is_an_exception(house, number, subject, minutes):
    """P2: whoever uses our account elsewhere is seen."""
    step(minutes)
    (event,) = receive(password_line(number, subject, timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request is None


def test_our_own_event_waits_while_a_step_runs(house):
    running = step(ended=False)
    (event,) = receive(password_line(lines.ADDED, uuid.uuid4(), timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event) is None
    RekeyJob.objects.filter(pk=running.pk).update(
        state="succeeded", ended_at=timezone.now(), proof={"password": event.subject}
    )
    reconcile(house.pk)
    assert where(event).request == running.rekey.request


def test_an_event_that_was_judged_before_its_step_was_known_is_judged_again(house):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request is None
    done = step()
    reconcile(house.pk)
    assert where(event).request == done.rekey.request


def test_the_deletion_of_a_password_is_its_requests(house):
    request, password = uuid.uuid4(), EncryptionPassword.objects.get(hint="Gold")
    with audit.act(by=audit.WORKER, subject=("approvals.approvalrequest", request)):
        EncryptionPassword.objects.filter(pk=password.pk).update(deleted_at=timezone.now())
        audit.record(Event.PASSWORD_DELETED, subject=password)
        audit.record(Event.REQUEST_EXECUTED)
    (event,) = receive(password_line(lines.DELETED, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    assert where(event).request == request


def test_a_drift_gets_its_actor_from_the_event_and_from_nothing_else(house, there, read):
    at = timezone.now().replace(microsecond=0)
    there.change(GOLD, "another-Value-77", at)
    read()
    drift = Drift.objects.get(what="veeam.password_changed")
    assert "By " not in drift.text
    (event,) = receive(password_line(lines.CHANGED, GOLD, at))
    reconcile(house.pk)
    drift.refresh_from_db()
    said = rf"By TECH\user1, {at.day} {at:%b %Y, %H:%M} UTC, from Veeam's event 31700."
    assert drift.text.endswith(said)
    assert any(said in text for text in alarms("drift"))
    assert where(event).drift == drift
    assert Reconciled.objects.get(difference__what="password.changed").drift == drift
    assert alarms("veeam.unexplained") == []


def test_an_event_that_came_first_names_the_actor_when_the_change_is_found(house, there, read):
    at = timezone.now().replace(microsecond=0)
    (event,) = receive(password_line(lines.CHANGED, GOLD, at))
    reconcile(house.pk)
    assert alarms("veeam.unexplained")
    there.change(GOLD, "another-Value-77", at)
    read()
    reconcile(house.pk)
    drift = Drift.objects.get(what="veeam.password_changed")
    assert drift.found["actor"]["user"] == r"TECH\user1"
    assert where(event).drift == drift
    assert alarms("veeam.unexplained") == []


def test_the_actor_stays_when_the_drift_is_found_again(house, there, read):
    at = timezone.now().replace(microsecond=0)
    there.encrypt(name_of("Mail"), None)
    receive(job_line(name_of("Mail"), at))
    read()
    reconcile(house.pk)
    read()
    assert Drift.objects.get(what="veeam.encryption_off").found["actor"]["user"] == r"TECH\user1"


def test_other_settings_of_a_job_name_nobody_and_make_no_noise(house, there, read):
    there.encrypt(name_of("Mail"), None)
    receive(job_line(name_of("Mail"), timezone.now(), changes='<changes><c name="Schedule" /></changes>'))
    read()
    reconcile(house.pk)
    assert "actor" not in Drift.objects.get(what="veeam.encryption_off").found
    assert alarms("veeam.unexplained") == []


def test_what_explains_a_drift_settles_what_belongs_to_it(house, there, read):
    at = timezone.now().replace(microsecond=0)
    there.change(GOLD, "another-Value-77", at)
    read()
    receive(password_line(lines.CHANGED, GOLD, at))
    reconcile(house.pk)
    request = uuid.uuid4()
    Drift.objects.update(explained_by=request, closed_at=timezone.now())
    reconcile(house.pk)
    assert set(Reconciled.objects.values_list("request", flat=True)) == {request}


def test_a_difference_that_a_step_read_back_is_the_requests(house, there, read):
    at = timezone.now().replace(microsecond=0)
    done = step(1)
    PasswordVersion.objects.filter(request=done.rekey.request).update(in_force_from=at)
    there.change(GOLD, "another-Value-77", at)
    read()
    row = Reconciled.objects.get(difference__what="password.changed")
    assert (row.request, row.drift) == (done.rekey.request, None)


def test_a_difference_without_an_event_says_why_nobody_is_named(house, there, read):
    there.change(GOLD, "another-Value-77", timezone.now())
    read()
    assert "not received yet" in Reconciled.objects.get(difference__what="password.changed").why


def test_a_wrong_value_that_somebody_tried_is_an_alarm_until_it_has_an_owner(house, admin):
    info = '<ModifiedUserInfo fullName="TECH\\user1" loginType="0" />'
    wrong = {"ID": GOLD, "UserFullInfo": info, "PasswordMatched": "False"}
    (event,) = receive(line(lines.VERIFIED, timezone.now(), **wrong))
    reconcile(house.pk)
    (text,) = alarms("veeam.verify_failed")
    assert r"TECH\user1" in text
    exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note="asked them", server=house.pk)
    assert alarms("veeam.verify_failed") == []


@pytest.mark.parametrize("matched", ["True", ""])
def test_a_right_value_is_no_alarm(house, matched):
    receive(line(lines.VERIFIED, timezone.now(), ID=GOLD, UserName=lines.SOMEBODY, PasswordMatched=matched))
    reconcile(house.pk)
    assert alarms("veeam.verify_failed") == []


def test_an_exception_gets_an_owner_in_the_log(house, admin):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    row = where(event)
    assert exceptions.assign([row.pk], by=admin, owner=admin.pk, note="a drill", server=house.pk) == 1
    row.refresh_from_db()
    assert (row.owner, row.note, alarms("veeam.unexplained")) == (admin, "a drill", [])
    entry = Entry.objects.filter(event="veeam.exception_assigned").get()
    assert (entry.facts["owner"], "drill" in str(entry.facts)) == (str(admin.pk), False)


def test_who_does_not_decide_neither_gives_nor_takes_exceptions(house, admin):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    operator, row = make_user("oscar", Role.OPERATOR), where(event)
    for by, owner in ((operator, admin), (admin, operator)):
        with pytest.raises(NotEligible):
            exceptions.assign([row.pk], by=by, owner=owner.pk, note="x", server=house.pk)
    assert [user.username for user in exceptions.answerable()] == ["olivia"]


def test_what_is_settled_gets_no_owner(house, admin):
    step()
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS))
    reconcile(house.pk)
    with pytest.raises(Unknown):
        exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note="x", server=house.pk)


@pytest.mark.parametrize("note", ["", "  ", "x" * 2001])
def test_an_owner_says_what_it_was(house, admin, note):
    (event,) = receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    with pytest.raises(ServerRefused):
        exceptions.assign([where(event).pk], by=admin, owner=admin.pk, note=note, server=house.pk)


def test_the_populations_add_up(house, there, read, admin):
    """Every event and difference is in exactly one part, and the parts make the whole."""
    step(1)
    now = timezone.now()
    receive(*(password_line(lines.CHANGED, GOLD, now - timedelta(seconds=n), lines.OURS) for n in range(7)))
    receive(*(password_line(lines.CHANGED, uuid.uuid4(), now - timedelta(seconds=n)) for n in range(5)))
    there.change(GOLD, "another-Value-77", now.replace(microsecond=0) - timedelta(hours=2))
    there.add_password("Silver")
    read()
    reconcile(house.pk)
    first = counts.exceptions_of(house).filter(event__isnull=False).first()
    exceptions.assign([first.pk], by=admin, owner=admin.pk, note="x", server=house.pk)
    receive(password_line(lines.CHANGED, GOLD, now, r"TECH\late"))
    events = counts.population_of(counts.events_of(house))
    differences = counts.population_of(counts.differences_of(house))
    assert (events.total, events.settled, events.owned, events.unowned, events.waiting) == (13, 7, 1, 4, 1)
    for one in (events, differences):
        assert one.total == one.settled + one.owned + one.unowned + one.waiting
    assert differences.total == VeeamDifference.objects.count() == 2
    rows = counts.exceptions_of(house).count() + counts.settled_of(house).count()
    assert rows == events.total + differences.total - events.waiting - differences.waiting


def test_reconciling_again_changes_nothing(house):
    step()
    receive(password_line(lines.CHANGED, GOLD, timezone.now(), lines.OURS))
    receive(password_line(lines.CHANGED, GOLD, timezone.now()))
    reconcile(house.pk)
    before = list(Reconciled.objects.order_by("pk").values()), Entry.objects.count()
    reconcile(house.pk)
    assert (list(Reconciled.objects.order_by("pk").values()), Entry.objects.count()) == before


def test_many_events_cost_a_bounded_number_of_queries(house, django_assert_max_num_queries):
    receive(
        *(
            password_line(lines.VERIFIED, VeeamPassword.objects.get().external, lines.soon(n))
            for n in range(60)
        )
    )
    with django_assert_max_num_queries(250):
        reconcile(house.pk)


@pytest.mark.parametrize(
    ("told", "ours", "same"),
    [
        (r"TECH\veeamsec", r"tech\VeeamSec", True),
        ("veeamsec", r"TECH\veeamsec", True),
        (r"TECH\veeamsec", "veeamsec@tech.local", True),
        (r"OTHER\veeamsec", r"TECH\veeamsec", False),
        (r"TECH\veeamsec2", r"TECH\veeamsec", False),
        ("", "", False),
        (r".\veeamsec", "veeamsec", True),
    ],
)
def test_an_account_is_the_same_under_its_names(told, ours, same):
    assert tellings.same_account(told, ours) is same
