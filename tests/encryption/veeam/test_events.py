"""Lines of Veeam's syslog become rows: once each, of the server that sent them, whatever else comes."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.db import connection, transaction
from django.db.utils import IntegrityError
from django.utils import timezone

from audit.models import Alarm, Entry
from encryption.models import VeeamEvent, VeeamReception, VeeamServer
from encryption.services.veeam import events, receptions
from tests.encryption.veeam import lines
from tests.encryption.veeam.lines import arrived, line, password_line, receive
from tests.encryption.veeam.standin import name_of

pytestmark = pytest.mark.django_db
AT = datetime(2026, 11, 2, 10, 42, tzinfo=UTC)


def test_an_event_says_who_did_what(server):
    VeeamServer.objects.update(vbr_name="vbr01")
    (event,) = receive(password_line(lines.CHANGED, name_of("Gold"), AT))
    assert (event.number, event.server_id, event.happened_at) == (31700, server.pk, AT)
    assert (event.subject, event.name, event.user_name) == (str(name_of("Gold")), "Gold", r"TECH\user1")
    assert (event.host, event.transport, event.description) == ("vbr01", "tcp", "Something of 31700.")


def test_the_same_line_twice_is_one_event():
    same = password_line(lines.CHANGED, name_of("Gold"), AT)
    receive(same, same)
    receive(same)
    assert VeeamEvent.objects.count() == 1


def test_an_event_of_no_known_server_is_kept_without_one(server):
    (event,) = receive(line(31600, AT, host="stranger"))
    assert (event.server, event.host) == (None, "stranger")


@pytest.mark.parametrize("host", ["vbr01", "VBR01.tech.local", "Vbr.Example"])
def test_a_server_is_known_by_its_names(server, host):
    VeeamServer.objects.update(syslog_name="vbr01.tech.local")
    (event,) = receive(line(31600, AT, host=host))
    assert event.server_id == server.pk


def test_a_short_name_that_two_servers_share_names_neither(server, connect):
    other = connect("Other", address="other.example")
    VeeamServer.objects.filter(pk=server.pk).update(syslog_name="vbr01.a.example")
    VeeamServer.objects.filter(pk=other.pk).update(syslog_name="vbr01.b.example")
    (event,) = receive(line(31600, AT, host="vbr01"))
    assert event.server is None


@pytest.mark.parametrize("number", [31600, 31700, 31800, 31850, 23050, 42300, 42302, 42400, 42405, 41810])
def test_what_is_about_encryption_is_taken(number):
    assert len(receive(line(number, AT))) == 1


@pytest.mark.parametrize("number", [190, 31599, 31851, 42303, 42406, 44000])
def test_other_events_are_counted_and_dropped(number):
    taken = events.store([arrived(line(number, AT))])
    assert (taken.received, taken.refused, VeeamEvent.objects.count()) == (0, 1, 0)


def test_garbage_among_events_takes_none_with_it():
    good = [line(31600, AT, host=f"h{number}") for number in range(3)]
    bad = [b"\xff\xfe\0", b"", b"<14>1 x", b"[" * 5000, line(31600, AT)[:60]]
    taken = events.store([arrived(one) for pair in zip(good, bad, strict=False) for one in pair])
    assert (taken.received, taken.refused) == (3, 3)
    assert VeeamEvent.objects.count() == 3


def test_nul_and_half_characters_are_stored_in_words():
    (event,) = receive(line(31600, AT, Hint="a\0b").replace(b"a\0b", b"a\0b\xed\xa0\x80"))
    assert "\0" not in event.name + str(event.fields)


def test_long_texts_are_cut_to_their_columns():
    (event,) = receive(line(31600, AT, Hint="x" * 5000, UserName="y" * 900, ID="z" * 90))
    assert (len(event.name), len(event.user_name), len(event.subject)) == (255, 255, 64)


def test_a_verification_names_its_person_by_the_full_name():
    info = '<ModifiedUserInfo fullName="TECH\\user1" loginType="0" />'
    (event,) = receive(line(31850, AT, ID=name_of("Gold"), UserFullInfo=info, PasswordMatched="False"))
    assert event.user_name == r"TECH\user1"


def test_a_hint_that_imitates_a_field_leaves_its_event_in_doubt():
    forged = f'x" UserName="{lines.OURS}" Version="9'
    (event,) = receive(password_line(lines.CHANGED, name_of("Gold"), AT, Hint=forged))
    assert events.DOUBTFUL in event.fields


def test_events_of_strangers_are_bounded(server):
    many = [arrived(line(31600, AT, host=f"h{number}")) for number in range(9)]
    known = arrived(line(31600, AT, host="vbr.example"))
    taken = events.store([*many, known], room_for_strangers=4)
    assert (taken.received, taken.strangers, taken.dropped) == (5, 4, 5)


def test_nobody_alters_or_deletes_an_event():
    """P13: what Veeam told stays as it was told."""
    receive(line(31600, AT))
    for change in (lambda: VeeamEvent.objects.update(user_name="x"), VeeamEvent.objects.all().delete):
        with pytest.raises(IntegrityError), transaction.atomic():
            change()


def test_the_server_of_an_event_is_found_once(server, connect):
    """P13: whoever asks."""
    receive(line(31600, AT, host="stranger"))
    VeeamEvent.objects.update(server=server)
    for other in (None, connect("Other", address="other.example")):
        with pytest.raises(IntegrityError), transaction.atomic():
            VeeamEvent.objects.update(server=other)


def test_what_came_before_its_server_was_known_by_name_is_claimed(server, connect):
    early = receive(*(line(number, AT, host="vbr09.tech.local") for number in (31600, 31700)))
    stranger, *_ = receive(line(31800, AT, host="elsewhere"))
    assert events.claim(server) == 0
    VeeamServer.objects.filter(pk=server.pk).update(vbr_name="VBR09")
    assert events.claim(server) == len(early)
    assert set(server.events.all()) == set(early)
    stranger.refresh_from_db()
    assert stranger.server is None
    assert Entry.objects.filter(event="veeam.events_claimed").count() == 1


def test_a_name_in_passing_claims_nothing(server):
    """An event that only speaks of a server is not from there."""
    VeeamServer.objects.filter(pk=server.pk).update(vbr_name="vbr09")
    receive(line(31600, AT, host="elsewhere", Hint="of vbr09"))
    assert events.claim(server) == 0


@pytest.mark.parametrize("role", ["web", "worker"])
def test_no_process_may_alter_an_event(as_role, role):
    """P13, by the database's own rights."""
    for verb in ("UPDATE encryption_veeamevent SET user_name = 'x'", "DELETE FROM encryption_veeamevent"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            as_role(role).execute(verb)


def test_the_receivers_role_writes_all_that_it_needs(server):
    with connection.cursor() as cursor:
        cursor.execute("SET ROLE veeamsec_web")
        receive(line(31600, AT))
        reception = receptions.begin({"tcp": 1}, AT)
        receptions.stay(reception, AT + timedelta(seconds=5), receptions.Tally(1, 2, 3))
        receptions.end(reception, AT + timedelta(seconds=9), receptions.Tally(2, 2, 3))
        cursor.execute("RESET ROLE")
    row = VeeamReception.objects.get()
    assert (VeeamEvent.objects.count(), row.received, row.refused, row.dropped) == (1, 2, 2, 3)


@pytest.mark.alarm("veeam.not_listening")
def test_silence_is_told_until_somebody_listens(server, settings):
    settings.VEEAMSEC_SYSLOG = settings.VEEAMSEC_SYSLOG | {"tcp": 6514}
    at = timezone.now() - timedelta(hours=1)
    receptions.end(receptions.begin({"tcp": 6514}, at), at, receptions.Tally())
    receptions.watch()
    assert Alarm.objects.filter(kind="veeam.not_listening", resolved_at=None).exists()
    receptions.begin({"tcp": 6514}, timezone.now())
