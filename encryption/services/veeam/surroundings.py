"""What else a Veeam server says of itself: its configuration backup, its analyzer, whom it tells.

Every part may be refused to the account, or missing in an older revision: then it says why it is not known,
and nothing is concluded.
"""

from collections.abc import Callable
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.models import User
from audit import queue
from audit import services as audit
from audit.events import Event
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import EngineError, ServerRefused
from encryption.models import VeeamServer
from encryption.services.veeam import enforcement, practices, servers

# What must reach us: passwords, jobs' settings, KMS servers, Veeam's own four eyes.
WATCHED = (31600, 31700, 31800, 31850, 23050, 42300, 42301, 42302, *range(42400, 42406))
_NEWEST = 200


def read(client: VeeamClient, server: VeeamServer) -> dict[str, Any]:
    """Return the fields of a server's row that are read beside jobs and points."""
    return {
        "analyzer": _part(lambda: _analyzer(client)),
        "configuration_backup": _part(lambda: _configuration_backup(client)),
        "enforcement": enforcement.read(client, server),
        "forwarding": _part(lambda: _forwarding(client)),
        "four_eyes": _part(lambda: _four_eyes(client)),
    }


def ask_analysis(repository_id: UUID, *, by: User) -> None:
    """Ask the worker to start Veeam's analyzer. Raises NotEligible, ServerRefused, Unknown."""
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        servers.check_administrator(by)
        server = servers.locked(repository_id)
        if server.mode == VeeamServer.Mode.OFF:
            raise ServerRefused("This server is disconnected.")
        queue.ring(queue.Task.VEEAM_ANALYZE, server.pk)
        audit.record(Event.VEEAM_ANALYZED)


def analyze(repository_id: UUID) -> None:
    """Start Veeam's analyzer in the worker; the next import reads its results."""
    server = VeeamServer.objects.exclude(mode=VeeamServer.Mode.OFF).filter(pk=repository_id).first()
    if server is None:
        return
    try:
        with servers.client_for(server) as client:
            servers.identify(server, client)
            session = client.analyzer_start()
            said: dict[str, Any] = {"started": str(session.id), "started_at": _now()}
    except EngineError as error:
        said = {"refused": error.message, "started_at": _now()}
    VeeamServer.objects.filter(pk=server.pk).update(analyzer={**server.analyzer, **said})


def _part(ask: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return {"checked_at": _now(), "unchecked": "", **ask()}
    except EngineError as error:
        return {"checked_at": _now(), "unchecked": error.message}


def _configuration_backup(client: VeeamClient) -> dict[str, Any]:
    found = client.config_backup()
    return {
        "enabled": found.enabled,
        "encrypted": found.encrypted,
        "password": str(found.password) if found.password else None,
        "succeeded_at": _text(found.succeeded_at),
    }


def _analyzer(client: VeeamClient) -> dict[str, Any]:
    items = [
        {
            "id": str(one.id),
            "note": one.note,
            "practice": one.practice,
            "status": one.status,
            "text": practices.sentence(one.practice),
        }
        for one in islice(client.analyzer_results(), _NEWEST)
    ]
    last = client.analyzer_last_run()
    ran = {"ended_at": _text(last.ended_at), "result": last.result, "state": last.state} if last else None
    return {"items": items, "last_run": ran}


def _forwarding(client: VeeamClient) -> dict[str, Any]:
    found = client.event_forwarding()
    muted = [
        {"id": number, "severities": list(found.muted[number])}
        for number in sorted(found.muted)
        if number in WATCHED or 31600 <= number <= 31850
    ]
    return {
        "host": found.host,
        "muted": muted,
        "ours": _is_ours(found.host, found.port, found.protocol),
        "port": found.port,
        "protocol": found.protocol,
    }


def _is_ours(host: str, port: int | None, protocol: str) -> bool:
    """Say whether events are sent to where our receiver listens, as far as names tell."""
    where = settings.VEEAMSEC_SYSLOG
    names = {str(where["address"]).casefold(), (urlsplit(settings.VEEAMSEC_ORIGIN).hostname or "").casefold()}
    return host.casefold() in names and port == where.get(protocol.casefold())


def _four_eyes(client: VeeamClient) -> dict[str, Any]:
    events = [
        {
            "created_at": _text(one.created_at),
            "created_by": one.created_by,
            "description": one.description[:500],
            "expires_at": _text(one.expires_at),
            "id": str(one.id),
            "name": one.name[:255],
            "processed_at": _text(one.processed_at),
            "processed_by": one.processed_by,
            "state": one.state,
        }
        for one in islice(client.authorization_events(None), _NEWEST)
    ]
    return {"events": events}


def _text(moment: datetime | None) -> str | None:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}" if moment else None


def _now() -> str:
    return f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
