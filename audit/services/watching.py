"""What goes wrong in silence: work that nobody begins, entries that nobody seals, seals kept here alone."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import cache
from django.db.models import Q
from django.utils import timezone

from audit import queue, selectors
from audit.alarms import Kind
from audit.models import Alarm, Checkpoint, Entry, Outbox
from audit.services import outside
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from audit.services.log import act
from audit.statement import BEAT

LOG = "log"
# How far the notes were copied outside.
COPIED = "audit:copied"
# The sweep rings after half a minute, and again; a worker that is alive takes the row long before.
STUCK = timedelta(minutes=15)
# A checkpoint comes with the minute.
UNSEALED = timedelta(minutes=10)
# A machine that is away for a night is no reason to wake anybody.
INSIDE = timedelta(days=1)


def watch() -> None:
    """Raise or end the alarms about the outbox and the log's seals."""
    _tell_stuck()
    _tell(Kind.LOG_UNSEALED, _unsealed())
    _tell(Kind.CHECKPOINT_INSIDE, _inside())


def copy_checkpoints() -> int:
    """Copy the notes to the folder outside that the operator named; return the size that is safe there.

    OSError when it cannot be written. A folder on our own disk is none: what burns here burns there.
    """
    place = settings.VEEAMSEC_CHECKPOINTS_OUTSIDE
    if place is None or not outside.folder().exists() or outside.on_our_disk(place):
        return 0
    size = outside.copy(place)
    # Who watches does not touch a share that may hang.
    cache.set(COPIED, size, None)
    return size


def copied() -> int:
    """Return the size up to which checkpoints lie outside, as the last copy left them there; 0 for none."""
    return cache.get(COPIED) or 0


def _tell_stuck() -> None:
    late = timezone.now() - STUCK
    free = Q(lease_until=None) | Q(lease_until__lt=late)
    # What fails is another alarm's; what was never begun, or begun by a process that is gone, is this one's.
    rows = Outbox.objects.filter(free, done_at=None, due__lt=late, failures=0)
    known = {task.value for task in queue.Task}
    stuck = known & set(rows.order_by().values_list("name", flat=True).distinct())
    open_ones = selectors.open_alarms().filter(kind=Kind.OUTBOX_STUCK)
    raised = set(open_ones.values_list("subject_type", flat=True))
    if stuck == raised:
        return
    with act(by=BEAT, subject="outbox"):
        for name in sorted(stuck - raised):
            text = f"{name} was asked for more than {_minutes(STUCK)} minutes ago, and no worker took it up."
            raise_alarm_within(Kind.OUTBOX_STUCK, name, Alarm.Severity.CRITICAL, text)
        for name in sorted(raised - stuck):
            resolve_alarm_within(Kind.OUTBOX_STUCK, name)


def _unsealed() -> str:
    head = selectors.head()
    size = head.size if head else 0
    oldest = Entry.objects.filter(sequence__gte=size).order_by("sequence").first()
    if oldest is None or oldest.time > timezone.now() - UNSEALED:
        return ""
    return (
        f"Entry {oldest.sequence} and what followed is under no checkpoint for {_minutes(UNSEALED)} minutes."
    )


def _inside() -> str:
    oldest = Checkpoint.objects.filter(size__gt=copied()).order_by("size").first()
    if oldest is None or oldest.time > timezone.now() - INSIDE:
        return ""
    if settings.VEEAMSEC_CHECKPOINTS_OUTSIDE is None:
        return "No folder outside is named, so who owns this machine could make the log anew."
    return (
        "The newest seals could not be copied outside for a day: the folder is away, full or on our own disk."
    )


def _tell(kind: Kind, text: str) -> None:
    raised = selectors.open_alarms().filter(kind=kind).exists()
    if bool(text) == raised:
        return
    with act(by=BEAT, subject=LOG):
        if text:
            raise_alarm_within(kind, LOG, Alarm.Severity.CRITICAL, text)
        else:
            resolve_alarm_within(kind, LOG)


def _minutes(time: timedelta) -> int:
    return int(time.total_seconds() // 60)
