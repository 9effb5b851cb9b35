"""Whether this installation works, for probes: no secrets, no names, no versions."""

from django.conf import settings
from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.http import require_safe
from redis.exceptions import RedisError


@login_not_required
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:
    """200 when database and broker answer, else 503; says whether processes are separated."""
    parts = {"database": _database(), "broker": _broker()}
    well = all(parts.values())
    body = {"status": "ok" if well else "failing", **parts, "one_os_user": not settings.VEEAMSEC_PRODUCTION}
    return JsonResponse(body, status=200 if well else 503)


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
