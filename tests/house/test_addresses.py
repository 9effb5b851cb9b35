"""Anonymous gets nothing but sign-in, enrolment, health and static files: the whole map of addresses."""

import re
import uuid

import pytest
from django.urls import URLPattern, get_resolver
from django.urls.resolvers import RoutePattern

# Each is here for a reason: without it nobody could come in, or a probe could not ask.
OPEN = {
    "healthz",
    "readyz",
    "account_login",
    "account_logout",  # leads on, whoever comes
    "account_inactive",
    "mfa_authenticate",  # the second half of a sign-in
    "mfa_login_webauthn",  # the challenge of a passkey sign-in
    "mfa_trust",
    "first_start",  # behind a one-time token
    "login",  # the console's own door, which leads to ours
}
SAMPLES = {"uuid": str(uuid.UUID(int=1)), "int": "1", "str": "x", "slug": "x", "path": "x"}


def addresses(patterns=None, prefix=""):
    """Every (name, path) of the map, with samples for its arguments."""
    for pattern in patterns if patterns is not None else get_resolver().url_patterns:
        path = prefix + sample(pattern.pattern)
        if isinstance(pattern, URLPattern):
            yield pattern.name or "", "/" + path
        else:
            yield from addresses(pattern.url_patterns, path)


def sample(pattern) -> str:
    if isinstance(pattern, RoutePattern):
        return re.sub(r"<(?:(\w+):)?\w+>", lambda found: SAMPLES.get(found[1] or "str", "x"), str(pattern))
    return re.sub(r"\(\?P<\w+>[^)]*\)", "x", str(pattern)).strip("^$").replace("\\", "")


CLOSED = sorted({(name, path) for name, path in addresses() if name not in OPEN})


def refused(response) -> bool:
    doors = ("/account/login/", "/admin/login/")
    leads_to_login = response.status_code == 302 and response["Location"].startswith(doors)
    return leads_to_login or response.status_code in (401, 403, 404, 405)


def test_the_map_is_not_empty():
    assert len(CLOSED) > 20


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "path"), CLOSED)
@pytest.mark.parametrize("method", ["get", "post"])
def test_anonymous_is_refused(client, name, path, method):
    response = getattr(client, method)(path)
    assert refused(response), (name, path, response.status_code)


@pytest.mark.django_db
@pytest.mark.parametrize(("name", "path"), [pair for pair in CLOSED if pair[1].startswith("/api/")])
def test_the_api_says_401_and_how(client, name, path):
    response = client.get(path)
    assert (response.status_code, response["WWW-Authenticate"]) == (401, "Bearer")
