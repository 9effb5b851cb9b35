"""The API of people: bearer tokens, who one is, who sits in Security, POSTs done once."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.test import APIClient, APIRequestFactory, force_authenticate

from accounts.api import IdempotentPosts
from accounts.errors import Invalid
from accounts.models import ApiToken, Role, User
from accounts.services import users
from tests.accounts.factories import add_totp, make_security, make_user

pytestmark = pytest.mark.django_db
ME, ROLE = "/api/v1/me/", "/api/v1/security-role/"


@pytest.fixture
def otto() -> User:
    return make_user("otto", role=Role.OPERATOR)


def token_of(user: User, *scopes: str) -> str:
    """A token of an account."""
    return users.create_token(user=user, name="test", days=1, scopes=list(scopes) or ["api"], by=user)


def get(path: str, token: str | None = None) -> Any:
    """GET with a bearer token."""
    client = APIClient(
        headers={"host": "localhost:8000"} | ({"authorization": f"Bearer {token}"} if token else {})
    )
    return client.get(path)


def test_a_token_says_who_one_is(otto: User) -> None:
    answer = get(ME, token_of(otto)).json()
    assert {key: answer[key] for key in ("username", "office", "roles", "security", "must_enrol")} == {
        "username": "otto",
        "office": "Otto · Backup operator",
        "roles": ["operator"],
        "security": None,
        "must_enrol": False,
    }


def test_nobody_gets_401(otto: User) -> None:
    assert get(ME).status_code == 401


def test_a_session_is_let_in(otto: User) -> None:
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(otto)
    assert browser.get(ME).status_code == 200


@pytest.mark.parametrize("token", ["x", "ü", "a" * 5000, "%00"])
def test_an_invented_token_gets_401(otto: User, token: str) -> None:
    token_of(otto)
    assert get(ME, token).status_code == 401


def test_an_expired_token_gets_401(otto: User) -> None:
    token = token_of(otto)
    ApiToken.objects.update(expiry=timezone.now() - timedelta(seconds=1))
    assert get(ME, token).status_code == 401


def test_a_token_without_an_end_gets_401(otto: User) -> None:
    """P6: nothing missing opens."""
    token = token_of(otto)
    ApiToken.objects.update(expiry=None)
    assert get(ME, token).status_code == 401


def test_a_token_of_an_inactive_account_gets_401(otto: User) -> None:
    token = token_of(otto)
    User.objects.update(is_active=False)
    assert get(ME, token).status_code == 401


@pytest.mark.parametrize("scopes", [["metrics"], []])
def test_a_token_of_another_scope_gets_401(otto: User, scopes: list[str]) -> None:
    token = token_of(otto)
    ApiToken.objects.update(scopes=scopes)
    assert get(ME, token).status_code == 401


def test_the_use_of_a_token_is_recorded(otto: User) -> None:
    get(ME, token_of(otto))
    assert ApiToken.objects.get().last_used_at


def test_the_security_role_is_shown(otto: User) -> None:
    make_security()
    answer = get(ROLE, token_of(otto)).json()
    assert [(one["name"], one["title"], one["active"]) for one in answer["members"]] == [
        ("Dora", "dpo", True),
        ("Carl", "ciso", True),
    ]


def test_the_security_role_is_only_read(otto: User) -> None:
    token = token_of(otto)
    client = APIClient(headers={"host": "localhost:8000", "authorization": f"Bearer {token}"})
    assert {
        client.post(ROLE, {}).status_code,
        client.delete(ROLE).status_code,
        client.patch(ME, {}).status_code,
    } == {405}


def test_who_must_enrol_gets_no_api_by_session() -> None:
    """P8: not before the second factor."""
    browser = Client(headers={"host": "localhost:8000"})
    anna = make_user(role=Role.ADMINISTRATOR)
    browser.force_login(anna)
    before = browser.get(ME).status_code
    add_totp(anna)
    assert (before, browser.get(ME).status_code) == (403, 200)


class Numbers(IdempotentPosts):
    """A view whose POST counts."""

    calls = 0
    permission_classes = ()

    def post(self, request: Request) -> Response:
        """Count, or fail as asked."""
        type(self).calls += 1
        if request.data.get("refuse"):
            raise Invalid("No.")
        if request.data.get("wrong"):
            raise serializers.ValidationError("wrong")
        if request.data.get("break"):
            raise RuntimeError("broken")
        return Response({"call": type(self).calls, "at": timezone.now()}, status=201)


def post(user: User, body: dict[str, Any], key: str | None = "k") -> Response:
    """POST to the view."""
    headers = {"Idempotency-Key": key} if key else {}
    request = APIRequestFactory().post("/numbers/", body, format="json", headers=headers)
    force_authenticate(request, user)
    return Numbers.as_view()(request).render()


def test_a_repeated_post_gets_the_same_answer(otto: User) -> None:
    first, second = post(otto, {}), post(otto, {})
    assert (first.status_code, json.loads(first.content)) == (second.status_code, json.loads(second.content))


def test_a_repeated_post_is_done_once(otto: User) -> None:
    before = Numbers.calls
    post(otto, {})
    post(otto, {})
    assert Numbers.calls == before + 1


def test_a_repeated_post_says_so(otto: User) -> None:
    post(otto, {})
    assert post(otto, {}).headers["Idempotent-Replayed"] == "true"


def test_without_a_key_each_post_counts(otto: User) -> None:
    assert post(otto, {}, None).data["call"] != post(otto, {}, None).data["call"]


@pytest.mark.parametrize("body", [{"refuse": True}, {"wrong": True}])
def test_a_refused_post_may_be_sent_again(otto: User, body: dict[str, Any]) -> None:
    assert post(otto, body).status_code == 400
    assert post(otto, {}).status_code == 201


def test_a_broken_post_may_be_sent_again(otto: User) -> None:
    with pytest.raises(RuntimeError):
        post(otto, {"break": True})
    assert post(otto, {}).status_code == 201


def test_a_key_with_another_body_is_refused(otto: User) -> None:
    post(otto, {})
    assert post(otto, {"other": 1}).status_code == 409
