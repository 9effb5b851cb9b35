"""Refusals of nobody in particular: all are counted, one entry a minute and address says how many."""

import hashlib
from typing import Any

from django.core.cache import cache
from django.db import DatabaseError, transaction
from redis.exceptions import RedisError

from audit.errors import AuditUnavailable
from audit.events import Event
from audit.models import Entry
from audit.statement import Draft, plain

MINUTE = 60
# How long a count waits for the next refusal that reports it.
KEEP = 30 * 24 * 3600


def refuse_anonymous(*, address: str, code: str, action: str) -> None:
    """Log that somebody unknown was refused; `action` says at which door. Raises AuditUnavailable."""
    count(address, {"code": code, "action": action})


def count(address: str, facts: dict[str, Any]) -> None:
    """Count one refusal from an address, and write its entry if none was written within the minute."""
    key = "audit:anonymous:" + hashlib.sha256(address.encode()).hexdigest()
    try:
        cache.add(key, 0, KEEP)
        total = cache.incr(key)
        if not cache.add(f"{key}:minute", 1, MINUTE):
            return
        cache.decr(key, total)
    except (RedisError, ValueError) as error:
        raise AuditUnavailable("The log cannot be written, so nothing was done.") from error
    draft = Draft(
        event=Event.ANONYMOUS_REFUSED,
        actor=None,
        person=None,
        subject_type="",
        subject_id="",
        facts=plain(facts | {"count": total}),
        # An address can belong to a person: it can be erased.
        names={"address": plain(address)} if address else {},
    )
    try:
        with transaction.atomic(durable=True):
            Entry.objects.append([draft])
    except (DatabaseError, ValueError) as error:
        raise AuditUnavailable("The log cannot be written, so nothing was done.") from error
