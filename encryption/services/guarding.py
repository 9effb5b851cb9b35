"""Whether a master key is to be had: asked every half minute by the process that needs it.

What needs a key that is away waits in the outbox and goes on by itself; people hear of it by an alarm, which
ends with its cause.
"""

from pathlib import Path

from django.conf import settings
from django.core.cache import cache

from audit import services as audit
from audit.alarms import Kind
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption import selectors
from encryption.crypto import providers
from encryption.errors import KeyMaterialError, KeysAway

# As long as a process may be silent before nobody knows any more who keeps its key.
_REMEMBERED = 600


def watch_worker() -> None:
    """Ask for the worker's master key, and raise or end its alarm; as the worker."""
    _watch("worker", settings.WORKER_KEYS, audit.WORKER)


def watch_enterprise() -> None:
    """Ask for the enterprise worker's master key, and raise or end its alarm; in that process alone."""
    _watch("enterprise", settings.ENTERPRISE_KEYS, audit.ENTERPRISE)


def _watch(process: str, folder: Path, by: audit.SystemActor) -> None:
    try:
        providers.load_master(folder)
    except (KeysAway, KeyMaterialError) as error:
        away = str(error)
    else:
        away = ""
    cache.set(selectors.keeper_at(process), providers.keeper(), _REMEMBERED)
    subject = f"keys.{process}"
    raised = Alarm.objects.filter(kind=Kind.KMS_AWAY, subject_type=subject)
    if bool(away) == raised.exclude(state=Alarm.State.RESOLVED).exists():
        return
    with audit.act(by=by, subject=subject):
        if away:
            text = f"The {process} has no master key. {away} What needs it waits; nothing is lost."
            raise_alarm_within(Kind.KMS_AWAY, subject, Alarm.Severity.CRITICAL, text)
        else:
            resolve_alarm_within(Kind.KMS_AWAY, subject)
