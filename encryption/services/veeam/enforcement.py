"""How a Veeam server is held: watched, or enforced, and whether it is what it is said to be.

Enforced means that nobody but our account and one sealed emergency account holds a role there that may change
passwords or jobs. The product cannot take roles away: it checks, shows, and raises an alarm.
"""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.utils import timezone

from accounts.models import User
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.engines.veeam import inventory
from encryption.engines.veeam.client import VeeamClient
from encryption.errors import EngineError, ServerRefused
from encryption.models import VeeamServer
from encryption.services.veeam import servers

Mode = VeeamServer.Mode

# From 13.1 on without "Veeam" before them. Roles of the installation's own may hold any right.
_POWERFUL = ("backup administrator", "security administrator")
_NAMED = 200


def set_mode(
    repository_id: UUID, *, mode: str, by: User, emergency_account: str | None = None
) -> VeeamServer:
    """Say that a server is watched or enforced, and which emergency account may stay. None: as it is.

    Raises NotEligible, ServerRefused, Unknown.
    """
    with audit.act(by=by, subject=("encryption.repository", repository_id)):
        servers.check_administrator(by)
        if mode not in (Mode.WATCHING, Mode.ENFORCED):
            raise ServerRefused("A Veeam server is watched or enforced.")
        server = servers.locked(repository_id)
        if server.mode == Mode.OFF:
            raise ServerRefused(
                "This server is disconnected: enter its account's password to connect it again."
            )
        former = server.mode
        server.mode = mode
        if emergency_account is not None:
            server.emergency_account = emergency_account.strip()[:255]
        server.save(update_fields=["mode", "emergency_account"])
        facts = {"emergency": bool(server.emergency_account), "former": former, "mode": mode}
        audit.record(Event.VEEAM_MODE_CHANGED, facts=facts)
        if mode == Mode.WATCHING:
            resolve_alarm_within(Kind.VEEAM_NOT_ENFORCED, server.repository)
    return server


def read(client: VeeamClient, server: VeeamServer) -> dict[str, Any]:
    """Return who else may change passwords or jobs there, or why that is not known."""
    checked_at = f"{timezone.now():%Y-%m-%dT%H:%M:%SZ}"
    try:
        own = {role.name for role in client.roles() if not role.is_built_in}
        users = list(client.users())
    except EngineError as error:
        why = f"{error.message} Users and roles are read by a Backup Administrator, since revision 1.3-rev1."
        return {"checked_at": checked_at, "others": [], "unchecked": why}
    others = others_of(users, own, allowed=(server.account, server.emergency_account), host=server.vbr_name)
    said = [{"name": one.name, "roles": list(one.roles), "type": one.type} for one in others]
    return {"checked_at": checked_at, "count": len(said), "others": said[:_NAMED], "unchecked": ""}


def others_of(
    users: Iterable[inventory.User], own_roles: Iterable[str], *, allowed: Iterable[str], host: str
) -> list[inventory.User]:
    """Return the users and groups beyond the allowed ones whose role may change passwords or jobs."""
    powerful, ours = {name.casefold() for name in own_roles}, [name for name in allowed if name]

    def may(role: str) -> bool:
        name = role.casefold()
        return name in powerful or any(name.endswith(one) for one in _POWERFUL)

    return [
        user
        for user in users
        if any(map(may, user.roles)) and not any(_is(user.name, name, host) for name in ours)
    ]


def _is(name: str, account: str, host: str) -> bool:
    """Say whether a name there is an account; one without a domain is the server's own."""
    there, here = name.casefold(), account.casefold()
    if there == here:
        return True
    domain, _, local = there.rpartition("\\")
    machine = host.casefold().partition(".")[0]
    return "\\" not in here and "@" not in here and local == here and domain in ("", ".", machine)


def note_within(server: VeeamServer) -> None:
    """Raise the alarm of an enforced server that others may change, or end it."""
    found = server.enforcement
    if server.mode != Mode.ENFORCED or not found.get("others"):
        # Where it could not be checked, an alarm that stands stays.
        if server.mode != Mode.ENFORCED or not found.get("unchecked"):
            resolve_alarm_within(Kind.VEEAM_NOT_ENFORCED, server.repository)
        return
    count = found["count"]
    who = "1 other account or group" if count == 1 else f"{count} other accounts or groups"
    text = f"{who} at {server.repository.name} may change passwords or jobs, although it is held as enforced."
    raise_alarm_within(Kind.VEEAM_NOT_ENFORCED, server.repository, Alarm.Severity.CRITICAL, text)
