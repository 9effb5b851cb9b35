"""P12: pages refuse as the API does: each attempt is in the log, and without the log nothing is done."""

from collections.abc import Iterator

import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.models import Role
from audit.events import Event
from audit.models import Entry
from tests.accounts.factories import add_totp, make_security, make_user
from tests.pages.conftest import as_user

HOST = {"host": "localhost:8000"}


def refusals(event: Event) -> list[dict[str, object]]:
    return [entry.facts for entry in Entry.objects.filter(event=event)]


@pytest.mark.django_db
@pytest.mark.parametrize("name", ["ask_activate", "ask_grant", "sessions_end"])
def test_an_anonymous_post_is_refused_and_counted(name):
    """P12"""
    answer = Client(headers=HOST).post(reverse(name))
    assert answer.url.startswith(reverse("account_login"))
    [facts] = refusals(Event.ANONYMOUS_REFUSED)
    assert (facts["code"], facts["action"]) == ("not_authenticated", "POST")


@pytest.mark.django_db
def test_an_anonymous_read_is_no_attempt():
    Client(headers=HOST).get(reverse("requests"))
    assert refusals(Event.ANONYMOUS_REFUSED) == []


@pytest.mark.django_db
def test_a_post_that_is_not_for_a_role_is_an_entry():
    """P12: also where the page itself refuses, before any use case."""
    auditor = make_user("aude", role=Role.AUDITOR)
    assert as_user(auditor).post(reverse("ask_grant")).status_code == 403
    [facts] = refusals(Event.ATTEMPT_REFUSED)
    assert (facts["code"], facts["action"]) == ("permission_denied", "POST ask_grant")


@pytest.mark.django_db
def test_reading_a_page_that_is_not_for_a_role_is_none():
    as_user(make_user("aude", role=Role.AUDITOR)).get(reverse("ask_grant"))
    assert refusals(Event.ATTEMPT_REFUSED) == []


@pytest.mark.django_db
def test_a_forged_form_in_somebodys_browser_is_counted():
    """P12: as nobody's, for another site would else write in somebody's name."""
    user = make_user("otto", role=Role.OPERATOR)
    client = Client(enforce_csrf_checks=True, headers=HOST)
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert client.post(reverse("sessions_end")).status_code == 403
    assert len(refusals(Event.ANONYMOUS_REFUSED)) == 1
    assert refusals(Event.ATTEMPT_REFUSED) == []


@pytest.fixture
def no_log(transactional_db: None) -> Iterator[None]:
    """A log that cannot be written; it is put right again after the test."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_entry RENAME TO audit_gone")
    yield
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_gone RENAME TO audit_entry")


@pytest.fixture
def member(transactional_db: None):
    """A member of Security, with a factor."""
    user = make_security()[0]
    add_totp(user)
    return user


def assert_unavailable(answer) -> None:
    text = answer.content.decode()
    assert answer.status_code == 503
    assert "Nothing can be recorded, so nothing is done" in text
    assert "The log cannot be written." in text
    assert "Nothing was changed." in text


@pytest.mark.django_db(transaction=True)
def test_without_the_log_a_page_does_nothing_and_says_so(member, no_log):
    """P12"""
    client = Client(headers=HOST, raise_request_exception=False)
    client.force_login(member, backend="allauth.account.auth_backends.AuthenticationBackend")
    assert_unavailable(client.post(reverse("session_end", args=[1])))


@pytest.mark.django_db(transaction=True)
def test_without_the_log_nobody_is_refused_silently(no_log):
    """P12: the refusal of an anonymous post fails as loudly."""
    client = Client(headers=HOST, raise_request_exception=False)
    assert_unavailable(client.post(reverse("sessions_end")))


@pytest.mark.django_db(transaction=True)
def test_without_the_log_nobody_signs_in(member, no_log):
    """P12"""
    client = Client(headers=HOST, raise_request_exception=False)
    answer = client.post(reverse("account_login"), {"login": "nobody-here", "password": "x"})
    assert_unavailable(answer)


def test_the_api_says_it_too(rf):
    from veeamsec import errors

    answer = errors.unavailable(rf.post("/api/v1/jobs/"))
    assert (answer.status_code, b"urn:veeamsec:problem:unavailable" in answer.content) == (503, True)
