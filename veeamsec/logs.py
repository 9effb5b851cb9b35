"""What processes write to their output: one line each, with the reference that an error page shows."""

import logging
import re
import traceback
from contextvars import ContextVar
from types import TracebackType
from typing import Any

reference: ContextVar[str] = ContextVar("reference", default="-")


# Of a chain of errors so many are told.
_CAUSES = 5

# A one-time link carries its token in the path.
TOKEN_PATHS = re.compile(r"/start/[^/\s]+")


class HideTokens(logging.Filter):
    """Takes the tokens of one-time links out of a line: Django tells each refused request with its path."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the message out without them; keep the record."""
        message = record.getMessage()
        if (hidden := TOKEN_PATHS.sub("/start/…", message)) != message:
            record.msg, record.args = hidden, ()
        return True


class AddReference(logging.Filter):
    """Puts the reference of the request at hand on every record."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the field; keep the record."""
        # Django tells of a refused request after the middleware is through with it.
        request = getattr(record, "request", None)
        record.reference = getattr(request, "reference", None) or reference.get()
        return True


class Line(logging.Formatter):
    """A record; of an error its kind and its places, never its text: a text may carry a value."""

    def formatException(
        self,
        ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None],
    ) -> str:
        """Return the error and what it came from, innermost last."""
        told: list[str] = []
        error = ei[1]
        while error is not None and len(told) < _CAUSES:
            frames = traceback.extract_tb(error.__traceback__)
            places = "".join(f"\n  {frame.filename}:{frame.lineno} {frame.name}" for frame in frames)
            told.append(f"{type(error).__module__}.{type(error).__qualname__} at{places or ' no place'}")
            error = error.__cause__ or error.__context__
        return "\nafter ".join(told)


LOGGING: dict[str, Any] = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "reference": {"()": "veeamsec.logs.AddReference"},
        "tokens": {"()": "veeamsec.logs.HideTokens"},
    },
    "formatters": {
        "line": {
            "()": "veeamsec.logs.Line",
            "format": "%(asctime)s %(levelname)s %(reference)s %(name)s: %(message)s",
        },
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["reference", "tokens"],
        },
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
