"""Nobody learns from an answer which names and links there are: same status, same text, same work."""

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import EnrolmentLink, Role, User
from accounts.selectors import token_digest
from tests.accounts.factories import PASSWORD, add_totp, make_security, make_user
from tests.accounts.suspending import suspend
from tests.hashers import CheapArgon2

pytestmark = pytest.mark.django_db
HOST = {"host": "localhost:8000"}
KNOWN = {
    "operator": lambda: make_user("otto", role=Role.OPERATOR),
    "with a factor": lambda: add_totp(make_user("otto", role=Role.OPERATOR)).user,
    "inactive": lambda: make_user("otto", role=Role.OPERATOR, is_active=False),
    "service": lambda: make_user("otto", role=Role.SERVICE),
    "without a password": lambda: _without_password(make_user("otto", role=Role.OPERATOR)),
    "superuser": lambda: make_user("otto", is_superuser=True, is_staff=True),
}


def _without_password(user: User) -> User:
    user.set_unusable_password()
    user.save()
    return user


def tell(answer) -> tuple[int, str, str]:
    """What somebody outside sees of an answer, without what is new in each."""
    text = re.sub(r"(csrfmiddlewaretoken|nonce|value)=?\"[^\"]*\"", "", answer.content.decode())
    return (
        answer.status_code,
        answer.headers.get("Location", ""),
        re.sub(r"[0-9a-zA-Z]{32,}|\b[0-9a-f]{8}\b", "", text),
    )


def try_sign_in(name: str) -> tuple[int, str, str]:
    cache.clear()
    return tell(Client(headers=HOST).post(reverse("account_login"), {"login": name, "password": "wrong"}))


@pytest.fixture
def computed(monkeypatch) -> list[str]:
    """Each password hash that is computed, by whatever way."""
    calls: list[str] = []
    encode = CheapArgon2.encode
    verify = CheapArgon2.verify

    def count_encode(self, password, salt):
        calls.append("hash")
        return encode(self, password, salt)

    def count_verify(self, password, encoded):
        calls.append("hash")
        return verify(self, password, encoded)

    monkeypatch.setattr(CheapArgon2, "encode", count_encode)
    monkeypatch.setattr(CheapArgon2, "verify", count_verify)
    return calls


@pytest.mark.parametrize("kind", KNOWN)
def test_a_wrong_password_tells_nothing_of_the_name(kind):
    user = KNOWN[kind]()
    assert try_sign_in(user.username) == try_sign_in("otta")


def test_a_wrong_password_tells_nothing_of_a_suspension():
    members = make_security(("dora", "carl", "tess"))
    for member in members:
        add_totp(member)
    suspend(members[1], members[2])
    assert try_sign_in("tess") == try_sign_in("carl") == try_sign_in("nobody")


@pytest.mark.parametrize("kind", KNOWN)
def test_the_password_is_hashed_for_unknown_names_too(kind, computed):
    """By calls, not by the clock: as much work for a name that there is as for one that there is not."""
    user = KNOWN[kind]()
    counts = []
    for name in (user.username, "otta"):
        computed.clear()
        try_sign_in(name)
        counts.append(len(computed))
    assert counts[0] == counts[1] > 0


def test_what_counts_calls_would_see_none(computed):
    Client(headers=HOST).get(reverse("account_login"))
    assert computed == []


def link(user: User, **fields: object) -> str:
    EnrolmentLink.objects.create(
        token_hash=token_digest("t" * 43),
        seat="user",
        user=user,
        **({"expires_at": timezone.now() + timedelta(hours=1)} | fields),
    )
    return "t" * 43


DEAD: dict[str, Callable[[], str]] = {
    "unknown": lambda: "x" * 43,
    "used": lambda: link(make_user("otto"), used_at=timezone.now()),
    "over": lambda: link(make_user("otto"), expires_at=timezone.now()),
    "of an inactive account": lambda: link(make_user("otto", is_active=False)),
}


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("kind", DEAD)
def test_a_link_that_is_not_good_tells_nothing(kind, method):
    token = DEAD[kind]()
    typed = {"password": PASSWORD, "again": PASSWORD, "username": "otto"} if method == "post" else {}
    told = [
        tell(getattr(Client(headers=HOST), method)(reverse("first_start", args=[one]), typed))
        for one in (token, "y" * 43)
    ]
    assert told[0] == told[1]
    assert told[0][0] == 404


@pytest.mark.parametrize("kind", DEAD)
def test_a_link_that_is_not_good_costs_the_same(kind, computed):
    """No hash for any of them: what is looked up is a digest of 256 random bits, not a name."""
    token = DEAD[kind]()
    computed.clear()
    Client(headers=HOST).post(reverse("first_start", args=[token]), {"password": PASSWORD})
    assert computed == []
