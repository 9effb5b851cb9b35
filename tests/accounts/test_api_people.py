"""The API of people: one's own tokens, everybody's roles, and suspending a member of Security."""

import json
from typing import Any

import pytest
from django.test import Client
from rest_framework.test import APIClient

from accounts.models import ApiToken, IdempotencyKey, Role, Suspension, User
from accounts.services import users
from tests.accounts.conftest import totp_code
from tests.accounts.factories import add_totp, make_security, make_user
from tests.accounts.suspending import REASON, confirm, seat_of, suspend

pytestmark = pytest.mark.django_db
NEW = {"name": "report", "days": 30, "scopes": ["api"]}


@pytest.fixture
def members() -> list[User]:
    found = make_security(("dora", "carl", "tess"))
    for user in found:
        add_totp(user)
    return found


def browser_of(user: User) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user)
    return client


def bearer(user: User) -> APIClient:
    token = users.create_token(user=user, name="test", days=1, scopes=["api"], by=user)
    return APIClient(headers={"host": "localhost:8000", "authorization": f"Bearer {token}"})


def post(client: Client, path: str, body: Any, **headers: str) -> Any:
    return client.post(f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers=headers)


def act(user: User, of: User, name: str, **body: Any) -> Any:
    """One act with its step-up, over HTTP."""
    client, member = browser_of(user), seat_of(of)
    begun = post(client, f"security-role/members/{member}/challenge/", {"act": name} | body)
    if begun.status_code != 200:
        return begun
    User.objects.filter(pk=user.pk).update(totp_last_step=-1)
    sent = {"nonce": begun.json()["nonce"], "step_up": {"totp": totp_code()}}
    return post(client, f"security-role/members/{member}/{name}/", sent | body)


def test_a_token_is_made_at_a_browser_and_shown_once():
    anna = make_user("anna", role=Role.OPERATOR)
    made = post(browser_of(anna), "tokens/", NEW)
    assert made.status_code == 201, made.content
    client = APIClient(headers={"host": "localhost:8000", "authorization": f"Bearer {made.json()['token']}"})
    [line] = client.get("/api/v1/tokens/").json()["results"]
    assert (line["name"], line["scopes"], line["is_over"]) == ("report", ["api"], False)
    assert "token" not in line


def test_p8_a_token_makes_no_token():
    """P8"""
    anna = make_user("anna", role=Role.OPERATOR)
    answer = bearer(anna).post("/api/v1/tokens/", NEW)
    assert (answer.status_code, answer.json()["code"]) == (403, "interactive_required")
    assert ApiToken.objects.count() == 1


def test_a_repeated_post_makes_one_token_and_keeps_no_text():
    client = browser_of(make_user("anna", role=Role.OPERATOR))
    first = post(client, "tokens/", NEW, **{"Idempotency-Key": "k"})
    again = post(client, "tokens/", NEW, **{"Idempotency-Key": "k"})
    assert again.json() == first.json() | {"token": None}
    assert ApiToken.objects.count() == 1
    assert first.json()["token"] not in json.dumps(IdempotencyKey.objects.get().answer)


def test_a_token_is_revoked_by_its_owner_alone():
    anna, otto = make_user("anna", role=Role.OPERATOR), make_user("otto", role=Role.OPERATOR)
    client = bearer(anna)
    [line] = client.get("/api/v1/tokens/").json()["results"]
    assert bearer(otto).delete(f"/api/v1/tokens/{line['id']}/").status_code == 404
    assert client.delete(f"/api/v1/tokens/{line['id']}/").status_code == 204
    assert client.get("/api/v1/tokens/").status_code == 401


def test_tokens_come_in_pages():
    anna = make_user("anna", role=Role.OPERATOR)
    for number in range(3):
        users.create_token(user=anna, name=f"t{number}", days=1, scopes=["api"], by=anna)
    client = browser_of(anna)
    first = client.get("/api/v1/tokens/?page_size=2").json()
    rest = client.get(first["next"]).json()
    names = [line["name"] for page in (first, rest) for line in page["results"]]
    assert (names, rest["next"]) == (["t2", "t1", "t0"], None)


def test_people_are_listed_for_who_may_see_them(members):
    rows = browser_of(make_user("aude", role=Role.AUDITOR)).get("/api/v1/people/").json()["results"]
    found = {row["username"]: (row["roles"], row["security"], row["factors"]) for row in rows}
    assert found == {"aude": (["auditor"], None, []), "carl": ([], "ciso", ["totp"])} | {
        "dora": ([], "dpo", ["totp"]),
        "tess": ([], "other", ["totp"]),
    }


@pytest.mark.parametrize("role", [Role.OPERATOR, None])
def test_people_are_not_listed_for_others(role):
    answer = browser_of(make_user("otto", role=role)).get("/api/v1/people/")
    assert (answer.status_code, answer.json()["code"]) == (403, "not_eligible")


def test_the_security_role_tells_its_headroom(members):
    body = browser_of(members[0]).get("/api/v1/security-role/").json()
    assert body["headroom"] == {
        "active": 3,
        "needed": 2,
        "spare": 1,
        "note": "3 active members, 1 more than needed.",
    }
    suspend(members[0], members[1])
    body = browser_of(members[0]).get("/api/v1/security-role/").json()
    assert "one absence stops you" in body["headroom"]["note"]
    assert {row["name"]: row["active"] for row in body["members"]}["Carl"] is False


def test_p3_a_member_is_suspended_confirmed_and_lifted(members):
    """P3"""
    dora, carl, tess = members
    suspended = act(dora, carl, "suspend", reason=REASON)
    assert suspended.status_code == 200, suspended.content
    assert suspended.json()["active"] is False
    assert act(tess, carl, "confirm").json()["suspended_until"] is None
    assert act(tess, carl, "lift").json()["active"] is False
    assert act(dora, carl, "lift").json()["active"] is True


def test_p3_an_administrator_raises_the_alarm_and_suspends_nobody(members):
    """P3"""
    anna = make_user("anna", role=Role.ADMINISTRATOR)
    add_totp(anna)
    refused = act(anna, members[0], "suspend", reason=REASON)
    assert (refused.status_code, refused.json()["code"]) == (403, "not_eligible")
    path = f"security-role/members/{seat_of(members[0])}/alarm/"
    assert post(browser_of(anna), path, {"reason": "Odd."}).status_code == 204
    assert not Suspension.objects.exists()


@pytest.mark.parametrize("name", ["suspend", "confirm", "lift", "challenge"])
def test_p8_a_token_does_nothing_to_a_seat(members, name):
    """P8: whatever it sends."""
    path = f"/api/v1/security-role/members/{seat_of(members[1])}/{name}/"
    body = {"act": "suspend", "reason": "x"} if name == "challenge" else {}
    answer = bearer(members[0]).post(path, body)
    assert (answer.status_code, answer.json()["code"]) == (403, "interactive_required")


def test_p3_who_is_suspended_has_no_token_and_no_sign_in(members, browser):
    """P3: at once."""
    from tests.accounts.steps import code_step, password_step, signed_in

    dora, carl, tess = members
    client = bearer(carl)
    suspend(dora, carl)
    confirm(tess, carl)
    assert client.get("/api/v1/me/").status_code == 401
    password_step(browser, carl)
    code_step(browser, totp_code())
    assert not signed_in(browser)
