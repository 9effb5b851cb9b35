"""One's own account: sessions, tokens."""

from typing import Any

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.urls import reverse

from accounts.models import ApiToken
from tests.approvals.conftest import fresh_code
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db


def fresh(user: Any) -> Client:
    """A browser in which somebody has proven just now that it is them."""
    client = as_user(user)
    answer = client.post(reverse("mfa_reauthenticate"), {"code": fresh_code(user)})
    assert answer.status_code == 302
    return client


def make_token(client: Client) -> str:
    wish = {"name": "Grafana", "scopes": ["api"], "days": 30}
    answer = client.post(reverse("token_new"), wish)
    return text_of(answer).split('id="token">')[1].split("<")[0]


def test_a_token_is_shown_once_and_works(people):
    client = fresh(people.dpo)
    token = make_token(client)
    answer = Client(HTTP_HOST="localhost:8000").get(
        reverse("api_me"), headers={"authorization": f"Bearer {token}"}
    )
    assert answer.status_code == 200
    assert token not in text_of(client.get(reverse("account")))


def test_a_token_is_made_after_a_fresh_proof_alone(people):
    answer = as_user(people.dpo).get(reverse("token_new"))
    assert "reauthenticate" in answer["Location"]


def test_a_token_is_taken_back(people):
    client = fresh(people.dpo)
    make_token(client)
    reference = ApiToken.objects.get().reference
    client.post(reverse("token_revoke", args=[reference]))
    assert not ApiToken.objects.exists()


def test_nobody_takes_back_the_token_of_another(people):
    make_token(fresh(people.dpo))
    reference = ApiToken.objects.get().reference
    answer = as_user(people.ciso).post(reverse("token_revoke", args=[reference]))
    assert (answer.status_code, ApiToken.objects.count()) == (404, 1)


def sessions_of(user: Any) -> list[int]:
    return list(UserSession.objects.filter(user=user).values_list("pk", flat=True))


def test_all_other_sessions_end(people):
    here, there = as_user(people.dpo), as_user(people.dpo)
    for client in (here, there):
        client.get(reverse("account"))
    here.post(reverse("sessions_end"))
    assert [client.get(reverse("account")).status_code for client in (here, there)] == [200, 302]


def test_one_session_ends(people):
    here, there = as_user(people.dpo), as_user(people.dpo)
    here.get(reverse("account"))
    there.get(reverse("account"))
    other = UserSession.objects.exclude(session_key=here.session.session_key).get(user=people.dpo)
    here.post(reverse("session_end", args=[other.pk]))
    assert there.get(reverse("account")).status_code == 302


def test_nobody_ends_a_session_of_another(people):
    victim = as_user(people.dpo)
    victim.get(reverse("account"))
    [own] = sessions_of(people.dpo)
    assert as_user(people.ciso).post(reverse("session_end", args=[own])).status_code == 404
