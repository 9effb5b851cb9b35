"""A destination of alarms: one message when one is raised, taken on, resolved; in order, at least once."""

import json
import os
import signal
import sys
import time

import pytest
from django.db import connections

from accounts.models import Role
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.forwarders import gate
from audit.forwarders.posts import SIGNATURE, TIMESTAMP, signature
from audit.models import Alarm, Entry, Forwarder
from audit.services import forwarding
from tests.encryption.conftest import make_user

KEY = b"k" * 32
SUBJECT = ("encryption.repository", "1")
TEXT = "The repository <!channel> @here [x](https://evil.example) is\nfull \u202e."


def forwarder(server, authority, **changes) -> Forwarder:
    fields = {"name": "alarms", "way": "webhook", "form": "json", "only_alarms": True, "path": "/in"}
    place = {"host": "127.0.0.1", "port": server.server_port, "authority": authority.pair.certificate}
    return Forwarder.objects.create(**(fields | place | changes))


@pytest.fixture
def here(settings) -> None:
    settings.VEEAMSEC_FORWARD_TO = gate.networks("127.0.0.0/8")


def live(by) -> Alarm:
    """Raise an alarm, take it on and end it, with other entries before, between and after."""
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.record(Event.JOB_RUN)
        alarm = audit.raise_alarm_within(Kind.DISK_FULL, SUBJECT, "warning", TEXT)
    with audit.act(by=by, subject=("audit.alarm", alarm.pk)):
        audit.acknowledge_alarm_within(
            Alarm.objects.select_for_update().get(pk=alarm.pk), by=by, note="I look"
        )
    with audit.act(by=audit.WORKER, subject=SUBJECT):
        audit.record(Event.JOB_RUN)
        audit.resolve_alarm_within(Kind.DISK_FULL, SUBJECT)
        audit.record(Event.JOB_RUN)
    return alarm


def forward(row: Forwarder) -> None:
    forwarding.forward(row.pk, secret_of=lambda _: KEY)
    row.refresh_from_db()


def came(server) -> list[dict]:
    return [one for _, _, body in server.came for one in json.loads(body)["entries"]]


@pytest.mark.django_db
def test_three_messages_of_an_alarm_and_nothing_else(server, authority, here):
    alarm = live(make_user("ada", Role.ADMINISTRATOR))
    row = forwarder(server, authority)
    forward(row)
    told = [(one["event"], one["alarm"]["state"]) for one in came(server)]
    assert told == [
        ("alarm.raised", "raised"),
        ("alarm.acknowledged", "acknowledged"),
        ("alarm.closed", "resolved"),
    ]
    assert {one["alarm"]["id"] for one in came(server)} == {str(alarm.pk)}
    assert row.position == Entry.objects.count() - 1


@pytest.mark.django_db
def test_a_message_says_what_a_person_needs_and_is_signed(server, authority, here):
    live(make_user("ada", Role.ADMINISTRATOR))
    forward(forwarder(server, authority))
    ((_, headers, body),) = server.came
    assert headers[SIGNATURE] == signature(KEY, headers[TIMESTAMP], body)
    told = came(server)[0]["alarm"]
    assert (told["severity"], told["heading"], told["todo"]) == (
        "warning",
        Kind.DISK_FULL.heading,
        Kind.DISK_FULL.todo,
    )
    assert told["url"].endswith("/alarms/")


@pytest.mark.django_db
@pytest.mark.parametrize(("names", "text"), [(False, None), (True, TEXT)])
def test_an_alarm_s_text_goes_where_names_go(server, authority, here, names, text):
    live(make_user("ada", Role.ADMINISTRATOR))
    forward(forwarder(server, authority, with_names=names))
    assert came(server)[0]["alarm"].get("text") == text


@pytest.mark.django_db
def test_the_whole_log_tells_of_alarms_in_words_too(server, authority, here):
    live(make_user("ada", Role.ADMINISTRATOR))
    forward(forwarder(server, authority, only_alarms=False))
    assert [one["alarm"]["state"] for one in came(server) if "alarm" in one] == [
        "raised",
        "acknowledged",
        "resolved",
    ]
    assert len(came(server)) == Entry.objects.count()


@pytest.mark.django_db
def test_nothing_for_it_is_nothing_sent_and_nothing_waits(server, authority, here, write):
    write(5)
    row = forwarder(server, authority)
    forward(row)
    assert (row.position, row.confirmed_at, server.came) == (4, None, [])


@pytest.mark.django_db
def test_what_is_skipped_does_not_hide_an_error(server, authority, here, write):
    server.status = 503
    live(make_user("ada", Role.ADMINISTRATOR))
    row = forwarder(server, authority)
    forward(row)
    write(3)
    forward(row)
    assert (row.position, row.failures) == (-1, 2)
    server.status = 200
    forward(row)
    assert (row.position, row.failures, row.last_error) == (Entry.objects.count() - 1, 0, "")


@pytest.mark.django_db
def test_its_own_test_arrives_and_no_other_s(server, authority, here):
    row, other = forwarder(server, authority), forwarder(server, authority, name="other")
    for one in (other, row):
        with audit.act(by=audit.CONSOLE, subject=one):
            audit.record(Event.FORWARDER_TESTED)
    forward(row)
    assert [one["subject"]["id"] for one in came(server)] == [str(row.pk)]


@pytest.mark.django_db
def test_a_person_reads_lines_without_mark_up_calls_or_links(server, authority, here):
    live(make_user("ada", Role.ADMINISTRATOR))
    texts = [forwarding._as_sent(row, one) for row in [chat()] for one in forwarding._batch(row)[0]]
    assert texts[0].splitlines() == [
        f"Raised: {Kind.DISK_FULL.heading} (warning)",
        "The repository \u2039!channel\u203a \uff20here (x)(https:\u2215\u2215evil.example) is",
        "full \\u202e.",
        Kind.DISK_FULL.todo,
        "http://localhost:8000/alarms/",
    ]
    assert [text.splitlines()[0] for text in texts[1:]] == [
        f"Acknowledged: {Kind.DISK_FULL.heading}",
        f"Resolved: {Kind.DISK_FULL.heading}",
    ]


@pytest.mark.django_db
def test_a_storm_is_few_messages(monkeypatch):
    for number in range(25):
        with audit.act(by=audit.WORKER, subject=("job", str(number))):
            audit.raise_alarm_within(Kind.DRIFT, ("job", str(number)), "critical", "x")
    row, batches = chat(), []
    while (batch := forwarding._batch(row))[0]:
        batches.append(len(batch[0]))
        row.position = batch[1]
    assert batches == [10, 10, 5]


def chat() -> Forwarder:
    fields = {"name": "chat", "way": "apprise", "form": "text", "only_alarms": True, "with_names": True}
    return Forwarder.objects.create(**fields, host="hooks.slack.com", port=443, path="slack")


@pytest.mark.django_db(transaction=True)
def test_killed_between_sending_and_marking_it_is_sent_again_in_order(server, authority, here):
    """The sender is killed while the receiver has the batch and has not answered yet; then it goes on."""
    for _ in range(3):
        live(audit.WORKER)
    row = forwarder(server, authority)
    real = server.RequestHandlerClass.do_POST

    def slow(handler) -> None:
        real(handler)
        # The answer is in the socket, and its reader is dead before it can mark.
        os.kill(child, signal.SIGKILL)

    connections.close_all()
    sys.stderr.flush()
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        os.read(reader, 1)
        # It never comes to marking: what it sent may have been received, and it does not know.
        forwarding._confirm = lambda *given, **named: time.sleep(30)
        forward(row)
        os._exit(0)
    server.RequestHandlerClass.do_POST = slow
    try:
        os.write(writer, b"x")
        _, status = os.waitpid(child, 0)
    finally:
        server.RequestHandlerClass.do_POST = real
        os.close(reader)
        os.close(writer)
    row.refresh_from_db()
    assert (os.WTERMSIG(status), row.position) == (signal.SIGKILL, -1)
    first = [one["entry"] for one in came(server)]
    forward(row)
    numbers = [one["entry"] for one in came(server)]
    assert numbers == first + first
    assert first == sorted(first)
    assert len(first) == 9
