"""What processes write to their output: one line each, with the reference that an error page shows."""

import logging
from contextvars import ContextVar
from typing import Any

reference: ContextVar[str] = ContextVar("reference", default="-")


class AddReference(logging.Filter):
    """Puts the reference of the request at hand on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the field; keep the record."""
        # Django tells of a refused request after the middleware is through with it.
        request = getattr(record, "request", None)
        record.reference = getattr(request, "reference", None) or reference.get()
        return True


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"reference": {"()": "veeamsec.logs.AddReference"}},
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(reference)s %(name)s: %(message)s"}},
    "handlers": {
        "console": {"class": "logging.StreamHandler", "formatter": "line", "filters": ["reference"]},
    },
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        # Its own handlers would write everything twice.
        "django": {"handlers": [], "level": "INFO", "propagate": True},
        "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
        "celery.beat": {"level": "WARNING"},
        "axes": {"level": "WARNING"},
    },
}
