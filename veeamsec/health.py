"""Whether this installation works, for probes: no secrets, no names, no versions."""

from datetime import datetime, timedelta
from typing import cast

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.models import Min
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError

from audit.models import Checkpoint, Entry
from encryption import selectors
from encryption.models import Job
from veeamsec.roles import missing_triggers

# Beat observes every five minutes and signs each minute; an hour without means that nobody works.
OBSERVED_WITHIN = timedelta(hours=1).total_seconds()
SIGNED_WITHIN = timedelta(minutes=15).total_seconds()


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, else 503; says whether processes are separated."""
    parts = {"database": _database(), "broker": _broker()}
    well = all(parts.values())
    body = {"status": "ok" if well else "failing", **parts, "one_os_user": not settings.VEEAMSEC_PRODUCTION}
    return JsonResponse(body, status=200 if well else 503)


@login_not_required
@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 when requests can be decided and done here; else 503 and which part is not ready.

    Ages are in seconds; null: nothing was observed or signed yet. `keys` says who keeps the master keys.
    """
    parts = {"database": _database(), "broker": _broker(), "triggers": False}
    ages: dict[str, int | None] = {"observation_age": None, "checkpoint_age": None}
    if parts["database"]:
        parts["triggers"] = not missing_triggers()
        ages = {"observation_age": _age(_oldest_observation()), "checkpoint_age": _age(_unsigned_since())}
    parts["observations"] = (ages["observation_age"] or 0) < OBSERVED_WITHIN
    parts["checkpoints"] = (ages["checkpoint_age"] or 0) < SIGNED_WITHIN
    well = all(parts.values())
    # Who keeps the master keys; one that is away stops no decision, and has its alarm.
    keys = selectors.keepers() if parts["broker"] else {}
    body = {"status": "ready" if well else "not ready", **parts, **ages, "keys": keys}
    return JsonResponse(body, status=200 if well else 503)


def _age(moment: datetime | None) -> int | None:
    return None if moment is None else max(0, int((timezone.now() - moment).total_seconds()))


def _oldest_observation() -> datetime | None:
    """When the job that was seen longest ago was seen; every badge goes a day after (P10)."""
    seen = Job.objects.exclude(state=Job.State.DELETED).aggregate(oldest=Min("observed_at"))
    return cast(datetime | None, seen["oldest"])


def _unsigned_since() -> datetime | None:
    """Return the time of the oldest entry that no checkpoint signs; now where all are signed."""
    head = Checkpoint.objects.first()
    unsigned = Entry.objects.filter(sequence__gte=head.size if head else 0).order_by("sequence").first()
    return unsigned.time if unsigned else timezone.now() if head else None


def _database() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _broker() -> bool:
    try:
        cache.get("healthz")
    except RedisError:
        return False
    return True
