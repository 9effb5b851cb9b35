"""What tests of people share."""

import hashlib
import time
import uuid
from base64 import b32decode
from collections.abc import Callable, Iterator
from datetime import datetime

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from django.core.cache import cache
from django.test import Client

from accounts.models import Role, User
from accounts.stepup_proof import Binding
from tests.accounts.factories import TOTP_SECRET, make_user


@pytest.fixture(autouse=True)
def _no_leftovers() -> Iterator[None]:
    cache.clear()
    yield


def totp_code(secret: str = TOTP_SECRET, *, steps: int = 0, at: datetime | None = None) -> str:
    """The code that an app shows now, or some steps later."""
    seconds = at.timestamp() if at else time.time()
    app = TOTP(b32decode(secret), 6, SHA1(), 30, enforce_key_length=False)
    return app.generate(int(seconds) + 30 * steps).decode()


@pytest.fixture
def binding() -> Callable[..., Binding]:
    """Make the binding of a decision by an account; fields may be given."""

    def make(user: User, **fields: object) -> Binding:
        values = {
            "request": uuid.UUID(int=1),
            "digest": "d" * 64,
            "verdict": "approve",
            "capacity": "security",
            "person": user.person_id,
            "comment_digest": hashlib.sha256(b"").hexdigest(),
        }
        return Binding(**(values | fields))

    return make


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": "localhost:8000"})


@pytest.fixture
def anna() -> User:
    return make_user("anna", role=Role.ADMINISTRATOR, is_staff=True)
