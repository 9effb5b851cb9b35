"""The keyset in force runs out: an alarm, and, where that was set, the next one made in time.

A new keyset stays inactive; its activation is a request like any other.
"""

from datetime import datetime, timedelta

from django.utils import timezone

from accounts.models import User
from audit import queue
from audit import services as audit
from audit.alarms import Kind
from audit.events import Event
from audit.models import Alarm
from encryption.crypto import keysets as suites
from encryption.errors import KeyMaterialError
from recovery.errors import UnknownKeyset
from recovery.models import EnterpriseTask, Keyset, LossProtection
from recovery.services import keysets

# Security has a week to decide, and that is what a request gets by default; of a short life, a quarter.
AHEAD, OF_ITS_LIFE = timedelta(days=7), 4


def configure(*, by: User, automatic: bool, suite: str, weeks: int) -> LossProtection:
    """Set whether keysets are made by themselves, of which suite and for how long.

    Raises NotEligible, KeyMaterialError, NotApproved, UnknownKeyset before setup.
    """
    with audit.act(by=by, subject="keysets"):
        keysets.check_may_ask(by)
        if suite not in (suites.RSA, suites.X_WING) or weeks not in keysets.RETENTION_WEEKS:
            raise KeyMaterialError("Take a known suite, and 1 to 520 weeks.")
        suites.check_suite(suite)
        held = LossProtection.objects.select_for_update().filter(pk=1).first()
        if held is None:
            raise UnknownKeyset("This installation is no Enterprise Manager: run setup.")
        held.automatic, held.automatic_by = automatic, by.pk if automatic else None
        held.suite, held.retention_weeks = suite, weeks
        held.save(update_fields=["automatic", "automatic_by", "suite", "retention_weeks"])
        facts = {"automatic": automatic, "suite": suite, "weeks": weeks}
        audit.record(Event.KEYSETS_AUTOMATIC, facts=facts)
    return held


def watch() -> None:
    """Raise or close the alarm of the keyset in force, and wish for the next one where that was set."""
    now = timezone.now()
    with audit.act(by=audit.BEAT, subject="keysets"):
        held = LossProtection.objects.select_for_update().filter(pk=1).first()
        active = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
        ends = active is not None and runs_out(active, now)
        _close_within(None if active is None or not ends else active)
        if active is None or not ends:
            return
        text = f"The keyset {active} runs out, or has; new restore points are still wrapped for it."
        audit.raise_alarm_within(Kind.KEYSET_EXPIRING, active, Alarm.Severity.WARNING, text)
        if held is not None and held.automatic and active.own and next_one(active) is None:
            _wish_within(held, now)


def runs_out(active: Keyset, now: datetime) -> bool:
    """Say whether it is time to think of the keyset that follows."""
    if active.activated_at is None or active.expires_at is None:
        return False
    ahead = min(AHEAD, (active.expires_at - active.activated_at) / OF_ITS_LIFE)
    return active.expires_at - now <= ahead


def next_one(active: Keyset) -> Keyset | EnterpriseTask | None:
    """Return the keyset, or the wish for one, that waits to follow the one in force."""
    waiting = Keyset.objects.filter(own=True, state=Keyset.State.INACTIVE, created_at__gt=active.created_at)
    wished = EnterpriseTask.objects.filter(action="generate", state=EnterpriseTask.State.OPEN)
    return waiting.first() or wished.first()


def _wish_within(held: LossProtection, now: datetime) -> None:
    given = {"description": f"Made by itself, {now:%-d %B %Y}", "suite": held.suite}
    task = EnterpriseTask.objects.create(action="generate", given=given, asked_by=held.automatic_by)
    audit.record(Event.KEYSET_WISHED, subject=("recovery.keyset", task.pk), facts={"suite": held.suite})
    queue.ring(queue.Task.ENTERPRISE, task.pk)


def _close_within(but: Keyset | None) -> None:
    raised = Alarm.objects.filter(kind=Kind.KEYSET_EXPIRING).exclude(state=Alarm.State.RESOLVED)
    over = raised if but is None else raised.exclude(subject_id=str(but.pk))
    for keyset in Keyset.objects.filter(pk__in=list(over.values_list("subject_id", flat=True))):
        audit.resolve_alarm_within(Kind.KEYSET_EXPIRING, keyset)
