"""Attacks on any web application, one a class of known faults: each is refused here, and stays so."""

import time

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.contrib.sessions.models import Session
from django.test import Client
from django.urls import get_resolver
from guardian.conf import settings as guardian_settings
from rest_framework.renderers import BrowsableAPIRenderer
from rest_framework.views import APIView

from accounts.models import Role, User
from audit.models import Entry
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.pages.conftest import as_user

pytestmark = pytest.mark.django_db
JSON = "application/json"


@pytest.fixture
def olga() -> User:
    return make_user("olga", role=Role.OPERATOR)


def browser(**headers: str) -> Client:
    return Client(HTTP_HOST="localhost:8000", headers=headers)


def test_no_route_of_the_api_is_browsable(olga):
    """CVE-2020-25626: HTML made of what somebody typed."""
    client = as_user(olga)
    for path in ("/api/v1/jobs/", "/api/v1/me/", "/api/v1/requests/", "/api/v1/audit/entries/"):
        told = client.get(path, headers={"Accept": "text/html"})
        assert told.status_code in (403, 406)
        assert told["Content-Type"] == "application/problem+json"


def test_no_view_renders_forms():
    views = [one.callback for one in _patterns(get_resolver().url_patterns) if hasattr(one.callback, "cls")]
    rendering = [view.cls for view in views if issubclass(view.cls, APIView)]
    assert rendering
    assert not [view for view in rendering if BrowsableAPIRenderer in view.renderer_classes]


@pytest.mark.parametrize("origin", [None, "https://evil.example"])
@pytest.mark.parametrize("path", ["/api/v1/jobs/", "/api/v1/requests/", "/requests/activate/"])
def test_form_of_another_site_is_refused(olga, origin, path):
    """CSRF: a session without the page's token does nothing; the try is counted as nobody's (P12)."""
    client = as_user(olga)
    client.handler.enforce_csrf_checks = True
    headers = {"Origin": origin} if origin else {}
    told = client.post(path, {}, content_type=JSON, headers=headers)
    assert told.status_code == 403
    [told] = Entry.objects.exclude(event__startswith="sign")
    assert told.event == "anonymous.refused"


@pytest.mark.parametrize("host", ["evil.test", "localhost.evil.test", "localhost:8000@evil.test", ""])
def test_name_of_another_host_is_refused(host):
    """Host header: no link and no redirect is made of it."""
    told = Client(HTTP_HOST=host).get("/account/login/")
    assert told.status_code in (302, 400)
    assert "evil" not in told.headers.get("Location", "")


@pytest.mark.parametrize(
    "target",
    [
        "//evil.test",
        "/\\evil.test",
        "https:evil.test",
        "https://evil.test",
        "/\t/evil.test",
        "\n//evil.test",
        "javascript:x",
    ],
)
def test_sign_in_leads_to_no_other_site(olga, target):
    """Open redirect."""
    told = browser().post("/account/login/", {"login": "olga", "password": PASSWORD, "next": target})
    assert told["Location"] == "/"


def test_session_is_another_after_signing_in(olga):
    """Session fixation: an id that somebody planted is worth nothing afterwards."""
    client = browser()
    client.cookies["session"] = "p" * 32
    client.post("/account/login/", {"login": "olga", "password": PASSWORD})
    assert client.cookies["session"].value != "p" * 32
    assert not Session.objects.filter(session_key="p" * 32).exists()


def test_password_alone_opens_nothing_where_a_factor_is_set():
    """MFA bypass: half a sign-in is none."""
    anna = make_user("anna", role=Role.ADMINISTRATOR, is_staff=True)
    add_totp(anna)
    client = browser()
    client.post("/account/login/", {"login": "anna", "password": PASSWORD})
    for path in ("/", "/admin/", "/requests/", "/jobs/", "/docs/api/"):
        assert client.get(path)["Location"].startswith(("/account/", "/admin/login/"))
    assert client.get("/api/v1/me/").status_code == 401


def test_console_of_a_superuser_needs_the_factor():
    """Admin bypass: the console has no door of its own."""
    make_user("root", is_superuser=True, is_staff=True)
    client = browser()
    client.post("/admin/login/?next=/admin/", {"username": "root", "password": PASSWORD})
    assert client.get("/admin/").status_code == 302


def test_console_changes_no_password_past_the_factor():
    client = as_user(make_user("otto", role=Role.OPERATOR, is_staff=True))
    form = {"old_password": PASSWORD, "new_password1": "x" * 20, "new_password2": "x" * 20}
    assert client.post("/admin/password_change/", form)["Location"] == "/account/password/"
    assert User.objects.get(username="otto").check_password(PASSWORD)


@pytest.mark.parametrize("model", ["socialaccount", "socialapp", "socialtoken"])
def test_no_superuser_connects_identities_in_the_console(model):
    """P14: an identity connected by hand would open another's account."""
    root = make_user("root", is_superuser=True, is_staff=True)
    add_totp(root)
    assert as_user(root).get(f"/admin/socialaccount/{model}/add/").status_code == 404


def test_staff_without_a_role_opens_nothing_of_the_console():
    client = as_user(make_user("stan", is_staff=True))
    paths = [path for path in _console_lists() if path != "/admin/"]
    assert len(paths) > 15
    assert {client.get(path).status_code for path in paths} == {403}


def test_anonymous_is_nobody_for_guardian():
    assert guardian_settings.ANONYMOUS_USER_NAME is None
    assert not User.objects.filter(username__iexact="anonymoususer").exists()


@pytest.mark.parametrize(
    "body", [b"[" * 100_000, b'{"a":' * 50_000, b'{"a":1,"a":2}', b"[]", b'"x"', b'{"a":NaN}']
)
def test_odd_json_is_refused(olga, body):
    told = as_user(olga).post("/api/v1/jobs/", body, content_type=JSON)
    assert (told.status_code, told.json()["code"]) == (400, "invalid")


@pytest.mark.parametrize("text", ["\\ud800", "\\u0000", "a\\u0000b"])
def test_text_that_no_database_takes_is_refused(olga, text):
    body = b'{"name":"' + text.encode() + b'"}'
    assert as_user(olga).post("/api/v1/jobs/", body, content_type=JSON).status_code == 400


def test_backslash_before_a_zero_is_text(olga):
    told = as_user(olga).post("/api/v1/jobs/", b'{"name":"\\\\u0000"}', content_type=JSON)
    assert "name" not in told.json()["errors"]


def test_large_body_is_refused_unread(olga):
    """CVE-2026-73228: memory stays flat, for what is too much is not read."""
    told = as_user(olga).post("/api/v1/jobs/", b'{"name":"' + b"x" * 3_000_000 + b'"}', content_type=JSON)
    assert (told.status_code, told.json()["code"]) == (413, "too_large")


def test_large_form_is_refused(olga):
    form = {f"field{number}": "x" for number in range(2000)}
    assert as_user(olga).post("/requests/activate/", form).status_code in (400, 413)


@pytest.mark.parametrize(
    "kind", ["text/csv", "application/xml", "multipart/form-data; boundary=x", "text/plain"]
)
def test_only_json_is_read(olga, kind):
    assert as_user(olga).post("/api/v1/jobs/", b"x", content_type=kind).status_code == 415


@pytest.mark.parametrize(
    "path", ["/search/?q=", "/requests/?q=", "/api/v1/jobs/?name=", "/admin/encryption/job/?q="]
)
def test_long_odd_search_is_quick(path):
    """ReDoS: as much as the server takes in a line of what patterns stumble over."""
    anna = make_user("anna", role=Role.ADMINISTRATOR, is_staff=True)
    add_totp(anna)
    client, started = as_user(anna), time.process_time()
    for text in ("a" * 4000, "((a+)+" * 600, "%25" * 1300):
        assert client.get(path + text).status_code < 500
    assert time.process_time() - started < 3


def test_many_calls_are_told_to_wait(olga, settings):
    settings.VEEAMSEC_CALLS_A_MINUTE = {"address": 100, "account": 3, "decisions": 1}
    client = as_user(olga)
    told = [client.get("/api/v1/me/") for _ in range(4)][-1]
    assert (told.status_code, told.json()["code"]) == (429, "throttled")
    assert 1 <= int(told["Retry-After"]) <= 60


def test_decisions_are_told_to_wait_sooner(olga, settings):
    settings.VEEAMSEC_CALLS_A_MINUTE = {"address": 100, "account": 100, "decisions": 2}
    client = as_user(olga)
    address = "/api/v1/requests/00000000-0000-0000-0000-000000000001/approve/"
    told = [client.post(address, {}, content_type=JSON).status_code for _ in range(3)]
    assert (told[-1], client.get("/api/v1/me/").status_code) == (429, 200)


def test_guesses_at_tokens_are_told_to_wait(settings):
    settings.VEEAMSEC_CALLS_A_MINUTE = {"address": 2, "account": 100, "decisions": 100}
    told = [browser(Authorization=f"Bearer guess{number}").get("/api/v1/me/") for number in range(3)]
    assert [one.status_code for one in told] == [401, 401, 429]
    assert told[-1]["Retry-After"]


def test_nobody_gives_themselves_permissions(olga):
    """P14: rows of Django's own permissions open nothing."""
    olga.user_permissions.set(Permission.objects.filter(codename__in=["view_entry", "change_user"]))
    olga.refresh_from_db()
    assert as_user(olga).get("/api/v1/audit/entries/").status_code == 403


def _patterns(patterns):
    for one in patterns:
        if hasattr(one, "url_patterns"):
            yield from _patterns(one.url_patterns)
        else:
            yield one


def _console_lists() -> list[str]:
    return [f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry]
