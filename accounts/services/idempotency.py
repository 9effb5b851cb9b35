"""A POST that a client repeats with the same key is done once and answered alike (Idempotency-Key).

The claim is a row of its own, committed before the work: of two at once one works, the other waits.
"""

import hashlib
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import rfc8785
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts.errors import Invalid, KeyReused
from accounts.models import IdempotencyKey, Person

KEEP = timedelta(hours=24)
KEY_LIMIT = 255
WAIT_SECONDS = 10.0
PAUSE_SECONDS = 0.05
# Left out of the fingerprint, so that nothing kept can be used to guess them.
SECRETS = frozenset(
    {"new_password", "password", "passphrase", "step_up", "credentials", "secret", "nonce", "key", "token"}
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered the first time."""

    status: int
    body: Any


def claim(*, person: Person, key: str, route: str, body: Any) -> IdempotencyKey | Answer:
    """Take a key for a POST: the row to `settle` when the work is ours, or the answer given before.

    Invalid for a key that is none; KeyReused for another body, or while the first answer is not known.
    """
    if not 0 < len(key) <= KEY_LIMIT or not key.isprintable():
        raise Invalid(f"An idempotency key has 1 to {KEY_LIMIT} printable characters.")
    mac = fingerprint(body)
    until = time.monotonic() + WAIT_SECONDS
    while True:
        taken = _insert(person, key, route, mac) or _answer(person, key, route, mac)
        if taken is not None:
            return taken
        if time.monotonic() > until:
            raise KeyReused(
                "The first try with this idempotency key has no answer yet. Look before you repeat it."
            )
        time.sleep(PAUSE_SECONDS)


def settle(row: IdempotencyKey, *, status: int, body: Any) -> None:
    """Keep the answer for a day; one after which nothing was created frees the key instead."""
    if status >= 400:
        release(row)
        return
    IdempotencyKey.objects.filter(pk=row.pk).update(status=status, answer=body)


def release(row: IdempotencyKey) -> None:
    """Free a key whose work did not happen."""
    IdempotencyKey.objects.filter(pk=row.pk, status=None).delete()


def fingerprint(body: Any) -> bytes:
    """Return an HMAC-SHA-256 of a body without its secrets, under Django's secret key."""
    key = hashlib.sha256(b"veeamsec/1|idempotency|" + settings.SECRET_KEY.encode()).digest()
    return hmac.digest(key, rfc8785.dumps(_plain(body)), "sha256")


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(name): _plain(item) for name, item in value.items() if str(name) not in SECRETS}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    # Canonical JSON has no integers beyond 2**53.
    return value if isinstance(value, str | bool | None) else str(value)


def _insert(person: Person, key: str, route: str, mac: bytes) -> IdempotencyKey | None:
    old = timezone.now() - KEEP
    IdempotencyKey.objects.filter(person=person, created_at__lt=old).delete()
    try:
        with transaction.atomic():
            return IdempotencyKey.objects.create(person=person, key=key, route=route, body_mac=mac)
    except IntegrityError:
        return None


def _answer(person: Person, key: str, route: str, mac: bytes) -> Answer | None:
    found = IdempotencyKey.objects.filter(person=person, key=key, route=route).first()
    if found is None:
        return None
    if not hmac.compare_digest(bytes(found.body_mac), mac):
        raise KeyReused("This idempotency key came before with another body. Use a new one.")
    return Answer(found.status, found.answer) if found.status is not None else None
