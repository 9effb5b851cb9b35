"""How often the API may be called: counted in the shared cache, one count for all web processes.

Windows are fixed minutes: one atomic increment a call, where a sliding window would need a list and a race.
"""

import time
from typing import Any

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

WINDOW = 60


def seconds_to_wait(what: str, who: str) -> int | None:
    """Count one call; None if it is within `VEEAMSEC_CALLS_A_MINUTE[what]`, else when to come back."""
    now = time.time()
    key = f"calls-{what}-{int(now) // WINDOW}-{who}"
    try:
        # One window longer than it counts: nobody's clock is exact.
        cache.add(key, 0, 2 * WINDOW)
        count = cache.incr(key)
    except (ValueError, RedisError):
        # Emptied between the two, or away: a limit is no right, so work goes on without its cache.
        return None
    return None if count <= settings.VEEAMSEC_CALLS_A_MINUTE[what] else WINDOW - int(now) % WINDOW


class PerAccount(BaseThrottle):
    """Calls of one account, whatever it signs in with."""

    what = "account"
    _wait: int | None = None

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count; anonymous calls are counted by their address, before they come here."""
        if request.user.is_authenticated:
            self._wait = seconds_to_wait(self.what, str(request.user.pk))
        return self._wait is None

    def wait(self) -> float | None:
        """When to come back."""
        return self._wait


class Decisions(PerAccount):
    """Decisions and their step-ups: what a view counts so says `throttle_scope = "decisions"`."""

    what = "decisions"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count where a view asks for it."""
        return getattr(view, "throttle_scope", None) != self.what or super().allow_request(request, view)
