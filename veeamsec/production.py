"""What production refuses to start with, each by its name; before Django is there."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from encryption.crypto.providers import choice
from veeamsec.home import Home

# Names that people set out of habit; the product reads none of them, and says so where it matters.
DEBUG_NAMES = ("DEBUG", "DJANGO_DEBUG", "VEEAMSEC_DEBUG")
YES = ("1", "true", "yes", "on")


@dataclass(frozen=True)
class Environment:
    """One process's view of the installation."""

    home: Home
    process: str
    production: bool
    origin: str
    database_url: str
    broker_url: str

    @property
    def host(self) -> str:
        """The host name in the origin: the only one that pages are served under."""
        return urlsplit(self.origin).hostname or ""

    @property
    def secure(self) -> bool:
        """Whether people come by https."""
        return self.origin.startswith("https://")


def production_faults(found: Environment) -> list[str]:
    """Everything unsafe or missing in one process's environment, as `NAME: why`."""
    return [*_missing(found), *_in_clear(found), *_process(found), *_keys(found), *_home(found)]


def _missing(found: Environment) -> Iterator[str]:
    if not found.database_url:
        yield "DATABASE_URL: missing; the private server is for one machine and one person"
    if not found.broker_url:
        yield "CELERY_BROKER_URL: missing; the private server is for one machine and one person"
    if "VEEAMSEC_HOME" not in os.environ:
        yield "VEEAMSEC_HOME: missing"
    if found.process in ("web", "worker") and not os.environ.get("VEEAMSEC_ROOTS"):
        yield "VEEAMSEC_ROOTS: missing; no folder outside of the home could be backed up"
    if found.process == "worker" and not os.environ.get("EMAIL_URL"):
        yield "EMAIL_URL: missing; nobody would be told of a request"
    if found.process == "web" and os.environ.get("VEEAMSEC_BEHIND_PROXY", "").lower() not in YES:
        yield "VEEAMSEC_BEHIND_PROXY: missing; the web speaks plain HTTP and needs a proxy that ends TLS"


def _in_clear(found: Environment) -> Iterator[str]:
    """What would travel or lie open."""
    if not found.secure:
        yield "VEEAMSEC_ORIGIN: must be https"
    for name in DEBUG_NAMES:
        if os.environ.get(name, "").lower() in YES:
            yield f"{name}: set; error pages never show more than a reference, remove it"
    broker = urlsplit(found.broker_url)
    if broker.scheme == "redis" and not _local(broker.hostname):
        yield "CELERY_BROKER_URL: reaches another machine in clear; use rediss://"
    database = urlsplit(found.database_url)
    verified = parse_qs(database.query).get("sslmode") == ["verify-full"]
    if found.database_url and not _local(database.hostname) and not verified:
        yield "DATABASE_URL: reaches another machine; add ?sslmode=verify-full&sslrootcert=…"
    if database.password and found.process != "owner":
        yield "DATABASE_URL: holds a password; a process reads its own from its key folder"


def _local(host: str | None) -> bool:
    return host in (None, "", "localhost", "127.0.0.1", "::1") or host.lower().startswith("%2f")


def _process(found: Environment) -> Iterator[str]:
    if found.process != "owner" and os.geteuid() == 0:
        yield f"VEEAMSEC_PROCESS: {found.process} runs as root; give it a user of its own"
    # Whoever reads both folders is web and worker in one: nothing would part them any more.
    for other in {
        "web": ("worker", "enterprise", "owner"),
        "worker": ("web", "enterprise", "owner"),
        "enterprise": ("web", "worker", "owner"),
        "beat": ("web", "worker", "enterprise", "owner", "receiver"),
        "receiver": ("web", "worker", "enterprise", "owner"),
    }.get(found.process, ()):
        if os.access(found.home.keys / other, os.R_OK):
            yield f"{found.home.keys / other}: the user of {found.process} can read it; part them"


def _keys(found: Environment) -> Iterator[str]:
    # The others neither hold a master key nor may read what leads to one.
    if found.process in ("worker", "enterprise"):
        yield from (f"{choice.SETTING}: {fault}" for fault in choice.faults(choice.address()))


def _home(found: Environment) -> Iterator[str]:
    if found.process == "web" and not _exists(found.home.keys / "web" / "secret_key"):
        yield f"{found.home.keys / 'web' / 'secret_key'}: missing; run `manage.py setup`"
    if _exists(found.home.path / "credentials.json"):
        yield f"{found.home.path}: a demo's home, whose passwords stand in a file"
    for folder in (found.home.path, found.home.keys):
        if _exists(folder) and folder.stat().st_mode & 0o022:
            yield f"{folder}: others can write it; chmod go-w"


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except PermissionError:
        return False
