"""A POST repeated with its key is done once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts.errors import Invalid, KeyReused
from accounts.models import IdempotencyKey, Person
from accounts.services import idempotency
from accounts.services.idempotency import Answer
from tests.accounts.factories import make_person

pytestmark = pytest.mark.django_db
BODY = {"kind": "change_password", "jobs": [1, 2.5, None], "new_password": "hunter2"}


def claim(person: Person, body: Any = BODY, key: str = "k1", route: str = "/api/v1/requests/") -> Any:
    """Claim with defaults."""
    return idempotency.claim(person=person, key=key, route=route, body=body)


def test_the_second_gets_the_first_answer() -> None:
    person = make_person()
    idempotency.settle(claim(person), status=201, body={"id": 1})
    assert claim(person) == Answer(201, {"id": 1})


@pytest.mark.parametrize("status", [400, 401, 409, 500])
def test_a_key_whose_work_did_not_happen_is_free(status: int) -> None:
    person = make_person()
    idempotency.settle(claim(person), status=status, body={})
    assert isinstance(claim(person), IdempotencyKey)


def test_another_body_is_refused() -> None:
    person = make_person()
    idempotency.settle(claim(person), status=201, body={})
    with pytest.raises(KeyReused):
        claim(person, BODY | {"kind": "delete_password"})


def test_secrets_do_not_enter_the_fingerprint() -> None:
    """P9: what is kept cannot be used to guess a password."""
    other = BODY | {"new_password": "another", "step_up": {"totp": "1"}}
    assert idempotency.fingerprint(other) == idempotency.fingerprint(BODY)


def test_the_fingerprint_is_keyed(settings: Any) -> None:
    before = idempotency.fingerprint(BODY)
    settings.SECRET_KEY = "another"
    assert idempotency.fingerprint(BODY) != before


@pytest.mark.parametrize("other", [{"key": "k2"}, {"route": "/api/v1/jobs/"}])
def test_another_key_or_route_is_another_post(other: dict[str, str]) -> None:
    person = make_person()
    idempotency.settle(claim(person), status=201, body={})
    assert isinstance(claim(person, **other), IdempotencyKey)


def test_another_persons_key_is_another_post() -> None:
    idempotency.settle(claim(make_person()), status=201, body={})
    assert isinstance(claim(make_person()), IdempotencyKey)


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "a\x00"])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(Invalid):
        claim(make_person(), key=key)


def test_an_answer_is_kept_a_day() -> None:
    person = make_person()
    row = claim(person)
    idempotency.settle(row, status=201, body={})
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(hours=25))
    assert isinstance(claim(person), IdempotencyKey)


def test_an_unknown_outcome_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A crash between the work and its answer: the client looks before it repeats."""
    person = make_person()
    claim(person)
    monkeypatch.setattr(idempotency, "WAIT_SECONDS", 0)
    with pytest.raises(KeyReused, match="no answer yet"):
        claim(person)


@pytest.mark.django_db(transaction=True)
def test_two_at_once_are_answered_once() -> None:
    person = make_person()
    done = []

    def post(_: int) -> int:
        try:
            taken = claim(person)
            if isinstance(taken, Answer):
                return taken.body["id"]
            done.append(1)
            idempotency.settle(taken, status=201, body={"id": 7})
            return 7
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(post, range(4))) == [7] * 4
    assert len(done) == 1
