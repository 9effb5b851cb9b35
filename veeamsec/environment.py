"""What the environment says: the few variables that configure an installation, read once and checked."""

import sys
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import unquote, urlsplit

import environ
from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

from audit.forwarders import gate
from veeamsec.home import Home
from veeamsec.production import Environment, production_faults

PROCESSES = ("owner", "web", "worker", "enterprise", "beat", "receiver")
# Who comes to the database as another, with a password file of its own: the receiver writes as the web does,
# and the enterprise worker as the worker.
_COMES_AS = {"receiver": "web", "enterprise": "worker"}
DEFAULT_ORIGIN = "http://localhost:8000"
DATABASE = "veeamsec"

env = environ.Env()


def read() -> Environment:
    """Read the environment; in production an unsafe or missing setting is refused by its name."""
    base = Path(__file__).resolve().parent.parent
    found = Environment(
        home=Home(Path(env.str("VEEAMSEC_HOME", str(base / "var"))).expanduser().resolve()),
        process=env.str("VEEAMSEC_PROCESS", "web"),
        production=env.bool("VEEAMSEC_PRODUCTION", False),
        origin=env.str("VEEAMSEC_ORIGIN", DEFAULT_ORIGIN).rstrip("/"),
        database_url=env.str("DATABASE_URL", ""),
        broker_url=env.str("CELERY_BROKER_URL", ""),
    )
    faults = [*_faults(found), *(production_faults(found) if found.production else [])]
    if faults:
        _refuse(faults)
    return found


# As long as a worker's lease.
IDLE_SECONDS = 60


def database(found: Environment) -> dict[str, Any]:
    """Django's DATABASES entry for this process: its own role, its password in a file that only it reads."""
    if found.process == "beat":
        return {"ENGINE": "django.db.backends.dummy"}
    place = env.db_url_config(found.database_url) if found.database_url else {}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": place.get("NAME") or DATABASE,
        # A folder of sockets stands as %2F… in an address.
        "HOST": unquote(place.get("HOST") or "") or str(found.home.sockets),
        "PORT": place.get("PORT") or "",
        "USER": f"veeamsec_{_COMES_AS.get(found.process, found.process)}",
        "OPTIONS": {
            # Nothing waits inside a transaction of ours: who does was stopped, and holds others up.
            # And on today's disks an index costs no more than a scan.
            "options": f"-c idle_in_transaction_session_timeout={IDLE_SECONDS}s -c random_page_cost=1.1",
            **place.get("OPTIONS", {}),
            "passfile": str(found.home.passfile(found.process)),
            "application_name": f"veeamsec-{found.process}",
        },
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "TEST": {"NAME": f"test_{place.get('NAME') or DATABASE}"},
    }


def syslog() -> dict[str, Any]:
    """Where the receiver listens for Veeam's events: an address, and a port a transport (0 is not at all)."""
    ports = {"udp": 5514, "tcp": 5514, "tls": 6514}
    return {"address": env.str("VEEAMSEC_SYSLOG_ADDRESS", "127.0.0.1")} | {
        transport: env.int(f"VEEAMSEC_SYSLOG_{transport.upper()}", port) for transport, port in ports.items()
    }


def forward_to() -> tuple[gate.Network, ...]:
    """Return the private networks that the log may be forwarded to; a wrong one is refused."""
    try:
        return gate.networks(env.str("VEEAMSEC_FORWARD_TO", ""))
    except ValueError as error:
        _refuse([f"VEEAMSEC_FORWARD_TO: {error}"])


def broker(found: Environment) -> str:
    """Celery's broker."""
    return found.broker_url or f"redis+socket://{found.home.sockets}/valkey.sock"


def cache(found: Environment) -> str:
    """The shared cache: the broker's server, another database of it."""
    if not found.broker_url:
        return f"unix://{found.home.sockets}/valkey.sock?db=1"
    parts = urlsplit(found.broker_url)
    if parts.scheme == "redis+socket":
        return f"unix://{parts.path}?db=1"
    return parts._replace(path="/1").geturl()


def secret_key(found: Environment) -> str:
    """Django's secret key: the web's file; others sign nothing for browsers and get a passing one."""
    path = found.home.keys / "web" / "secret_key"
    if found.process != "web" or not path.exists():
        return get_random_secret_key()
    if path.stat().st_mode & 0o077:
        _refuse([f"{path}: others can read it; chmod 600"])
    return path.read_text()


def _faults(found: Environment) -> list[str]:
    faults = []
    if found.process not in PROCESSES:
        faults.append(f"VEEAMSEC_PROCESS: {found.process!r} is none of {', '.join(PROCESSES)}")
    if urlsplit(found.origin).scheme not in ("http", "https") or not found.host:
        faults.append("VEEAMSEC_ORIGIN: not an address like https://veeamsec.example.com")
    if found.host.replace(".", "").isdigit() or ":" in found.host:
        faults.append("VEEAMSEC_ORIGIN: an IP address cannot carry passkeys; use a name")
    return faults


def _refuse(faults: list[str]) -> NoReturn:
    text = "VeeamSec does not start:\n" + "\n".join(f"  - {fault}" for fault in faults)
    if "pytest" in sys.modules:
        raise ImproperlyConfigured(text)
    raise SystemExit(text)
