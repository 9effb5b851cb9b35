"""Veeam's own verify, used with care: it blocks a password after 15 wrong values within a minute."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from uuid import UUID

from django.core.cache import cache
from django.db import connection
from django.views.decorators.debug import sensitive_variables

from encryption.crypto.secret import Secret
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import VerifyBlocked

# A third of what Veeam bears: people try values there too.
MOST_WRONG = 5
MINUTE = timedelta(minutes=1)
# A value that was wrong stays so until the password is changed again, which has another time.
_REMEMBERED = timedelta(hours=24)
# Since revision 1.3-rev0.
_VERIFIES = "1.3"


@contextmanager
def alone(server: UUID, password: UUID) -> Iterator[None]:
    """Be the only process that changes, makes or tries one password of a server; the others wait."""
    key = [f"veeam {server}", str(password)]
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext(%s), hashtext(%s))", key)
    try:
        yield
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext(%s), hashtext(%s))", key)


def can_verify(client: VeeamClient) -> bool:
    """Say whether a server of this revision compares a value with the one that it holds."""
    return client.revision >= _VERIFIES


@sensitive_variables("secret")
def opens(client: VeeamClient, server: UUID, password: UUID, secret: Secret) -> bool:
    """Ask Veeam whether a value is the password's. Raises VerifyBlocked before Veeam would block.

    Called under `alone`.
    """
    key = f"veeam:wrong:{server}:{password}"
    cache.add(key, 0, MINUTE.total_seconds())
    if (cache.get(key) or 0) >= MOST_WRONG:
        raise VerifyBlocked("Several wrong values were tried within a minute; wait for the next one.")
    if client.verify_password(password, secret):
        return True
    # The key may have ended while Veeam answered.
    cache.add(key, 0, MINUTE.total_seconds())
    cache.incr(key)
    return False


@sensitive_variables("secret")
def holds(
    client: VeeamClient,
    server: UUID,
    password: UUID,
    secret: Secret,
    *,
    version: UUID,
    since: datetime | None,
) -> bool:
    """Say whether a password is the value of a version; what was wrong is not tried again.

    `since` is the password's time of change. Called under `alone`; raises VerifyBlocked.
    """
    key = f"veeam:other:{server}:{password}:{version}:{since:%s.%f}" if since else ""
    if key and cache.get(key):
        return False
    found = opens(client, server, password, secret)
    if key and not found:
        cache.set(key, True, _REMEMBERED.total_seconds())
    return found
