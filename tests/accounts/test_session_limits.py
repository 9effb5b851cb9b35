"""Sessions end when they are left, when they grow old, and when a factor changes; people are told."""

from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.errors import NotFound
from accounts.models import Notice, Role, User
from accounts.services import sessions, users
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.accounts.steps import code_step, password_step, signed_in

pytestmark = pytest.mark.django_db


def enter(user: User, agent: str = "Firefox") -> Client:
    """Sign in with a browser of its own."""
    client = Client(headers={"host": "localhost:8000", "user-agent": agent})
    # The code of this half minute counts as new again.
    User.objects.filter(pk=user.pk).update(totp_last_step=-1)
    cache.clear()
    password_step(client, user)
    code_step(client, totp_code())
    assert signed_in(client)
    return client


@pytest.fixture
def otto() -> User:
    user = make_user("otto", role=Role.OPERATOR)
    add_totp(user)
    return user


def status(client: Client, **headers: str) -> int:
    return client.get("/account/", headers=headers).status_code


def test_a_session_that_was_left_alone_ends(otto):
    client = enter(otto)
    assert status(client) == 200
    with time_machine.travel(timezone.now() + sessions.IDLE + timedelta(minutes=1)):
        assert status(client) == 302


def test_a_session_in_use_goes_on_to_its_longest(otto):
    client, start = enter(otto), timezone.now()
    with time_machine.travel(start) as clock:
        while clock_is_before(start + sessions.LONGEST):
            assert status(client) == 200
            clock.shift(timedelta(minutes=25))
        clock.shift(timedelta(minutes=1))
        assert status(client) == 302


def clock_is_before(moment) -> bool:
    return timezone.now() < moment


def test_a_page_that_asks_by_itself_keeps_no_session_alive(otto):
    client, start = enter(otto), timezone.now()
    with time_machine.travel(start + timedelta(minutes=20)):
        assert status(client, **{"HX-Request": "true"}) == 200
    with time_machine.travel(start + timedelta(minutes=31)):
        assert status(client) == 302


def test_a_changed_factor_ends_the_other_sessions(otto):
    here, there = enter(otto), enter(otto, "Chrome")
    assert (status(here), status(there)) == (200, 200)
    with sessions.changing_factor(otto, Authenticator.Type.TOTP, "removed", keep=here.session.session_key):
        pass
    assert (status(here), status(there)) == (200, 302)
    assert Notice.objects.get(what=Notice.What.FACTOR_CHANGED).user == otto


def test_a_new_device_is_told_and_a_known_one_is_not(otto):
    enter(otto)
    enter(otto)
    assert not Notice.objects.exists()
    enter(otto, "Another browser")
    assert Notice.objects.get().what == Notice.What.NEW_DEVICE


def test_a_changed_password_is_told(otto):
    users.set_own_password(by=otto, current=PASSWORD, new="quite another sentence of words 8")
    assert Notice.objects.get().what == Notice.What.PASSWORD_CHANGED


def test_one_ends_ones_own_sessions(otto):
    here, there = enter(otto), enter(otto, "Chrome")
    rows = {row.session_key: row for row in sessions.own(otto)}
    sessions.end(rows[there.session.session_key].pk, by=otto)
    assert (status(here), status(there)) == (200, 302)


def test_nobody_ends_anothers_session(otto):
    enter(otto)
    with pytest.raises(NotFound):
        sessions.end(sessions.own(otto)[0].pk, by=make_user("eve"))


def test_one_ends_all_other_sessions(otto):
    here, there = enter(otto), enter(otto, "Chrome")
    assert sessions.end_others(by=otto, keep=here.session.session_key) == 1
    assert (status(here), status(there)) == (200, 302)


def test_a_page_within_the_minute_writes_nothing(otto):
    client = enter(otto)
    assert status(client) == 200
    with CaptureQueriesContext(connection) as found:
        assert status(client) == 200
    assert not [one["sql"] for one in found if one["sql"].startswith(("INSERT", "UPDATE", "DELETE"))]


def test_the_use_of_a_session_is_noted_once_a_minute(otto):
    client, start = enter(otto), timezone.now()
    with time_machine.travel(start + timedelta(seconds=90), tick=False):
        assert status(client) == 200
        assert sessions.own(otto)[0].last_seen_at == timezone.now()


@pytest.mark.parametrize("other", [{"REMOTE_ADDR": "10.1.2.3"}, {"headers": {"user-agent": "Chrome"}}])
def test_a_session_used_from_elsewhere_is_noted_at_once(otto, other):
    client = enter(otto)
    assert status(client) == 200
    client.get("/account/", **other)
    seen = sessions.own(otto)[0]
    assert (seen.ip, seen.user_agent) == (
        other.get("REMOTE_ADDR", "127.0.0.1"),
        other.get("headers", {}).get("user-agent", "Firefox"),
    )
