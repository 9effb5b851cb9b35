"""What checks ask of this installation: settings, keys, processes, checkpoints; read as the worker."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from celery import current_app
from django.conf import settings
from django.db import connection

from audit.models import Checkpoint
from audit.services import outside, watching
from compliance.checks.facts import InstallationFacts
from encryption.crypto import providers

_MOUNTS = Path("/proc/self/mounts")
_LOCAL = ("", "localhost", "127.0.0.1", "::1")


def look() -> InstallationFacts:
    """Return how this installation runs."""
    connections = dict(_connections())
    note = outside.newest()
    return InstallationFacts(
        production=settings.VEEAMSEC_PRODUCTION,
        demo=settings.VEEAMSEC_DEMO,
        parted=_parted(),
        keys=providers.keeper(),
        in_clear=tuple(text for text, safe in connections.items() if not safe),
        connections=len(connections),
        settings=tuple(_unsafe_settings()),
        checkpoint_at=None if note is None else datetime.fromtimestamp(note.stat().st_mtime, UTC),
        checkpoint_on=file_system(outside.folder()),
        outside_named=settings.VEEAMSEC_CHECKPOINTS_OUTSIDE is not None,
        outside_at=_copied_at(),
    )


def _copied_at() -> datetime | None:
    """Return when the newest checkpoint was signed that is safe in the folder outside."""
    copied = Checkpoint.objects.filter(size__lte=watching.copied()).order_by("-size")
    return copied.values_list("time", flat=True).first()


def _parted() -> bool:
    """Say whether the web's keys belong to another user of the system than the worker's."""
    try:
        return Path(settings.WEB_KEYS).stat().st_uid != Path(settings.WORKER_KEYS).stat().st_uid
    except PermissionError:
        # What a worker may not even look at is parted well.
        return True
    except FileNotFoundError:
        return False


def _connections() -> Iterator[tuple[str, bool]]:
    """Yield what is amiss of each connection if it is not safe, and whether it is."""
    yield "The pages are not under https.", urlsplit(settings.VEEAMSEC_ORIGIN).scheme == "https"
    place = connection.settings_dict
    verified = place["OPTIONS"].get("sslmode") == "verify-full"
    yield "The database is reached over a network without verified TLS.", _is_local(place["HOST"]) or verified
    for what, address in (("broker", str(current_app.conf.broker_url)), ("cache", _cache())):
        safe = urlsplit(address).scheme in ("rediss", "unix", "redis+socket")
        safe = safe or _is_local(urlsplit(address).hostname or "")
        yield f"The {what} is reached over a network without TLS.", safe
    if settings.EMAIL_BACKEND.endswith("smtp.EmailBackend"):
        under_tls = settings.EMAIL_USE_TLS or settings.EMAIL_USE_SSL
        yield "Mail is handed to its server without TLS.", under_tls or _is_local(settings.EMAIL_HOST)


def _cache() -> str:
    location: Any = settings.CACHES["default"]["LOCATION"]
    return str(location)


def _is_local(host: str) -> bool:
    return host in _LOCAL or host.startswith("/")


def _unsafe_settings() -> Iterator[str]:
    if settings.DEBUG:
        yield "DEBUG is on."
    for name in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE", "SECURE_HSTS_SECONDS"):
        if not getattr(settings, name):
            yield f"{name} is off, as the origin is not https."
    if "*" in settings.ALLOWED_HOSTS:
        yield "Pages are served under any name."


def file_system(folder: Path) -> str:
    """Return the type of the file system that a folder lies on, by the longest mount point; "" if unknown."""
    try:
        lines = _MOUNTS.read_text().splitlines()
    except OSError:
        return ""
    at = os.path.realpath(folder)
    found, kind = "", ""
    for line in lines:
        _, point, fstype, *_ = line.split(" ")
        inside = point == "/" or at == point or at.startswith(point + "/")
        if inside and len(point) >= len(found):
            found, kind = point, fstype
    return kind
