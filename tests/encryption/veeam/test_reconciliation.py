"""Every event and every difference belongs to one executed request, or is an exception."""

import uuid

import psycopg
import pytest
from django.utils import timezone

from audit import services as audit
from audit.events import Event
from audit.models import Entry
from encryption.models import (
    Drift,
    EncryptionPassword,
    PasswordVersion,
    Reconciled,
    RekeyJob,
    VeeamPassword,
    VeeamServer,
)
from encryption.selectors.reconciliation import events_of, population_of
from encryption.services.veeam import events, tellings
from encryption.services.veeam.reconciliation import reconcile
from tests.encryption.veeam import lines
from tests.encryption.veeam.lines import job_line, password_line, receive
from tests.encryption.veeam.standin import name_of
from tests.encryption.veeam.told import GOLD, alarms, step, where

pytestmark = pytest.mark.django_db


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


def test_an_event_from_before_its_server_was_known_is_counted_too(house):
    """The counts are complete: what a reading claims is reconciled in its turn."""
    VeeamServer.objects.filter(pk=house.pk).update(vbr_name="", syslog_name="")
    done = step()
    early = receive(*(password_line(n, GOLD, timezone.now(), lines.OURS) for n in (lines.CHANGED, 31850)))
    reconcile(house.pk)
    assert population_of(events_of(house)).total == 0
    VeeamServer.objects.filter(pk=house.pk).update(vbr_name="vbr01")
    assert events.claim(house) == 2
    reconcile(house.pk)
    found = population_of(events_of(house))
    assert (found.total, found.settled, found.waiting) == (2, 2, 0)
    assert {where(event).request for event in early} == {done.rekey.request}


@pytest.mark.parametrize("column", ["request", "drift_id", "why", "settled_at", "event_id"])
def test_p2_the_web_says_of_nothing_where_it_belongs(as_role, column):
    """P2: else an unapproved change would hide behind an executed request."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(f"UPDATE encryption_reconciled SET {column} = NULL")


def test_the_web_gives_an_exception_its_owner(as_role):
    as_role("web").execute("UPDATE encryption_reconciled SET owner_id = NULL, note = ''")
    assert Reconciled.objects.count() == 0
