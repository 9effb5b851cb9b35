"""Mails to several people: each by itself, and nobody twice for the same thing."""

import hashlib
from collections.abc import Iterable

from django.core.cache import cache
from django.core.mail import get_connection
from django.core.mail.message import EmailMessage

from accounts.models import User
from accounts.services.notices import address_of

# Longer than a request may wait.
KEEP = 31 * 24 * 3600


def send_each(what: str, messages: Iterable[EmailMessage]) -> int:
    """Send each by itself: an address that is refused keeps no other waiting, and none is told twice for it.

    Raises the first error once all were tried, so that the task tries the rest again.
    """
    sent, failed = 0, list[Exception]()
    with get_connection() as mail:
        for message in messages:
            [address] = message.to
            if was_told(what, address):
                continue
            try:
                sent += mail.send_messages([message]) or 0
            except (OSError, ValueError) as error:
                failed.append(error)
            else:
                note_told(what, address)
    if failed:
        raise failed[0]
    return sent


def was_told(what: str, address: str) -> bool:
    """Say whether an address was told of something already."""
    return bool(cache.get(_key(what, address)))


def note_told(what: str, address: str) -> None:
    """Remember that an address was told of something."""
    cache.set(_key(what, address), True, KEEP)


def addresses(users: Iterable[User]) -> list[str]:
    """Return where these accounts read mail, each once; who has no address is left out."""
    return sorted({address_of(user) for user in users} - {""})


def _key(what: str, address: str) -> str:
    return f"{what}-{hashlib.sha256(address.encode()).hexdigest()}"
