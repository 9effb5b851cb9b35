"""Who else may change passwords there, and what an enforced server says when somebody may."""

import pytest

from accounts.errors import NotEligible
from audit.models import Alarm, Entry
from encryption.errors import ServerRefused, VeeamUnreachable
from encryption.services.veeam import enforcement, observing, servers
from tests.alarms import assert_ended
from tests.encryption.conftest import make_user
from tests.encryption.veeam.standin import user

pytestmark = pytest.mark.django_db


def test_our_account_and_the_emergency_account_are_no_others(there, read, server, admin):
    there.people = [user(r"tech\VeeamSec"), user(r"TECH\breakglass")]
    enforcement.set_mode(server.pk, mode="enforced", by=admin, emergency_account=r"TECH\breakglass")
    assert read().enforcement["others"] == []
    assert not Alarm.objects.filter(kind="veeam.not_enforced").exists()


def test_another_administrator_raises_an_alarm(there, read, server, admin):
    there.people = [user(r"TECH\veeamsec"), user(r"TECH\somebody")]
    enforcement.set_mode(server.pk, mode="enforced", by=admin)
    assert [one["name"] for one in read().enforcement["others"]] == [r"TECH\somebody"]
    assert Alarm.objects.get(kind="veeam.not_enforced").severity == "critical"


def test_a_watched_server_shows_them_without_an_alarm(there, read):
    there.people = [user(r"TECH\somebody")]
    assert read().enforcement["count"] == 1
    assert not Alarm.objects.exists()


@pytest.mark.alarm("veeam.not_enforced")
def test_the_alarm_ends_when_the_role_is_gone(there, read, server, admin):
    there.people = [user(r"TECH\somebody")]
    enforcement.set_mode(server.pk, mode="enforced", by=admin)
    read()
    there.people = []
    read()
    assert Alarm.objects.get(kind="veeam.not_enforced").state == "resolved"


def test_an_alarm_stays_while_users_cannot_be_read(there, read, server, admin):
    there.people = [user(r"TECH\somebody")]
    enforcement.set_mode(server.pk, mode="enforced", by=admin)
    read()
    there.refused.add("users")
    assert "may not read users" in read().enforcement["unchecked"]
    assert Alarm.objects.get(kind="veeam.not_enforced").state == "raised"


@pytest.mark.parametrize(
    ("role", "counts"),
    [
        ("Veeam Backup Administrator", True),
        ("Backup Administrator", True),
        ("Security Administrator", True),
        ("Night shift", True),
        ("Veeam Backup Viewer", False),
        ("Veeam Restore Operator", False),
    ],
)
def test_roles_that_may_change_passwords(role, counts):
    found = enforcement.others_of([user("anna", role)], ["Night shift"], allowed=[], host="vbr01")
    assert bool(found) is counts


@pytest.mark.parametrize(
    ("name", "account", "same"),
    [
        (r"TECH\svc", r"tech\SVC", True),
        (r"VBR01\svc", "svc", True),
        (r"OTHER\svc", "svc", False),
        (r"OTHER\svc", r"TECH\svc", False),
        ("svc@tech.local", r"TECH\svc", False),
    ],
)
def test_an_account_without_a_domain_is_the_servers_own(name, account, same):
    found = enforcement.others_of([user(name)], [], allowed=[account], host="vbr01.tech.local")
    assert (found == []) is same


def test_an_operator_does_not_say_how_a_server_is_held(server):
    with pytest.raises(NotEligible):
        enforcement.set_mode(server.pk, mode="enforced", by=make_user("otto"))
    assert Entry.objects.filter(event="attempt.refused").exists()


def test_a_disconnected_server_is_not_enforced(server, admin):
    servers.disconnect(server.pk, by=admin)
    with pytest.raises(ServerRefused):
        enforcement.set_mode(server.pk, mode="enforced", by=admin)


def test_a_change_of_mode_is_in_the_log(server, admin):
    enforcement.set_mode(server.pk, mode="enforced", by=admin)
    entry = Entry.objects.get(event="veeam.mode_changed")
    assert entry.facts["mode"] == "enforced"


def test_the_alarms_of_a_server_end_when_it_is_disconnected(there, read, server, admin):
    there.people = [user(r"TECH\somebody")]
    enforcement.set_mode(server.pk, mode="enforced", by=admin)
    observing.note_away(read(), VeeamUnreachable("no answer"))
    servers.disconnect(server.pk, by=admin)
    observing.note_away(server, VeeamUnreachable("a reading that began before"))
    for kind in ("unobserved", "veeam.not_enforced"):
        assert_ended(kind)
