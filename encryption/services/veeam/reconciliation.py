"""Every event and every difference of a Veeam server belongs to one executed request, or is an exception.

An exception has an owner: a person who looked and answers for it. What belongs to a drift is settled by the
request that explains the drift.
"""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery
from django.utils import timezone

from audit import services as audit
from audit.events import Event
from encryption.models import Drift, Reconciled, VeeamDifference, VeeamEvent, VeeamServer
from encryption.services.veeam import deeds, exceptions, receptions, tellings

# So many events are judged in one transaction.
_BATCH = 500
# An exception this young is judged again: its event may have come, or its step ended, since.
_AGAIN = timedelta(minutes=30)
_OURS_ALONE = "Our own account, but no executed request touched this then."


def reconcile_all() -> None:
    """Reconcile every server, and see that somebody listens; by beat, in the worker."""
    for server in VeeamServer.objects.order_by("pk").values_list("pk", flat=True):
        reconcile(server)
    receptions.watch()


def reconcile(server_id: UUID) -> None:
    """Say of each event and difference of a server where it belongs; then look at young exceptions again."""
    server = VeeamServer.objects.filter(pk=server_id).first()
    if server is None:
        return
    after: tuple[object, ...] | None = None
    while batch := _unjudged(server, after):
        after = (batch[-1].received_at, batch[-1].pk)
        with audit.act(by=audit.WORKER, subject=server):
            _settle_events_within(server, batch)
    with audit.act(by=audit.WORKER, subject=server):
        for difference in VeeamDifference.objects.filter(server=server, reconciled=None)[:_BATCH]:
            settle_difference_within(difference)
        _judge_again_within(server)
        exceptions.sound_within(server)


def _unjudged(server: VeeamServer, after: tuple[object, ...] | None) -> list[VeeamEvent]:
    rows = VeeamEvent.objects.filter(server=server, reconciled=None).order_by("received_at", "pk")
    if after is not None:
        rows = rows.filter(Q(received_at__gt=after[0]) | Q(received_at=after[0], pk__gt=after[1]))
    return list(rows[:_BATCH])


def _settle_events_within(server: VeeamServer, events: Sequence[VeeamEvent]) -> None:
    known = deeds.Deeds(server, min(event.happened_at for event in events))
    made = [row for event in events if (row := _row_of(server, event, known)) is not None]
    Reconciled.objects.bulk_create(made, ignore_conflicts=True)
    for row in made:
        if row.request is None and row.event is not None:
            _join_drift_within(row, row.event)
    if made:
        settled = sum(row.request is not None for row in made)
        facts = {"events": len(made), "settled": settled, "exceptions": len(made) - settled}
        audit.record(Event.VEEAM_RECONCILED, facts=facts)


def _row_of(server: VeeamServer, event: VeeamEvent, known: deeds.Deeds) -> Reconciled | None:
    """Where an event belongs; None while a step of ours runs that it may be of."""
    if tellings.is_doubtful(event):
        return Reconciled(event=event, why="The event can be read in two ways; who did it is in doubt.")
    if not tellings.same_account(event.user_name, server.account):
        meanwhile = known.request_of(event.subject, event.number, event.happened_at) is not None
        return Reconciled(event=event, why=_why_not_ours(event, meanwhile=meanwhile))
    if request := known.request_of(event.subject, event.number, event.happened_at):
        return Reconciled(event=event, request=request, why="Our own account, in this request's time.")
    if known.busy:
        return None
    if event.number == tellings.VERIFIED and (person := deeds.adopter_of(event)):
        # Nothing was changed and no request was needed: who typed the value answers for it.
        return Reconciled(event=event, owner=person, why="A value was offered for adoption, and tried.")
    return Reconciled(event=event, why=_OURS_ALONE)


def _why_not_ours(event: VeeamEvent, *, meanwhile: bool) -> str:
    """Say who it was; `meanwhile`: while a step of ours wrote the job, which Veeam takes as a whole alone."""
    who = event.user_name or "somebody whom Veeam does not name"
    if meanwhile and event.number == tellings.JOB_UPDATED:
        return f"{exceptions.MEANWHILE} {who}: see whether it still holds."[:200]
    if not tellings.says_encryption(event):
        return f"Other settings of the job, by {who}."[:200]
    return f"By {who}, who is not our account."[:200]


def _join_drift_within(row: Reconciled, event: VeeamEvent) -> None:
    """Tie an exception to the drift of what it tells of, and name its actor there."""
    differences = VeeamDifference.objects.filter(server=event.server_id).filter(
        Q(job__veeam__external=_uuid(event.subject)) | Q(password__veeam__external=_uuid(event.subject))
    )
    found = differences.select_related("reconciled__drift", "job__veeam", "password__veeam")
    for difference in found.filter(found_at__gte=event.happened_at - deeds.SKEW).order_by("found_at")[:5]:
        settled = getattr(difference, "reconciled", None)
        if settled is None or event not in tellings.events_of(difference):
            continue
        if settled.drift is not None:
            tellings.name_actor_within(difference, settled.drift)
        Reconciled.objects.filter(event=event).update(
            drift=settled.drift, request=settled.request, why=_like(settled)
        )
        row.drift, row.request = settled.drift, settled.request
        return


def _like(settled: Reconciled) -> str:
    return "With the change that it tells of." if settled.request is None else settled.why


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


def settle_difference_within(difference: VeeamDifference) -> Reconciled:
    """Say where a difference belongs, in the caller's transaction; after its drift was opened, if it has one.

    Whoever finds the difference calls it; a drift that is not explained is named with its actor, as told by
    Veeam's own event.
    """
    request = deeds.request_of_difference(difference)
    drift = None if request else _drift_of(difference)
    if request is None and drift is not None:
        request = drift.explained_by
    told = drift is not None and tellings.name_actor_within(difference, drift)
    events = [] if request and drift is None else tellings.events_of(difference)
    if request:
        why = "What was read back is what this request left." if drift is None else "It explains the change."
    else:
        why = f"Veeam's events tell of it: {events[0].user_name}." if events else _untold(difference)
    row, made = Reconciled.objects.get_or_create(
        difference=difference, defaults={"request": request, "drift": drift, "why": why[:200]}
    )
    if not made and row.request is None:
        row.request, row.drift, row.why = request, drift or row.drift, why[:200]
        row.save(update_fields=["request", "drift", "why"])
    if told or events:
        open_rows = Reconciled.objects.filter(event__in=events, request=None)
        open_rows.update(request=row.request, drift=row.drift, why="With the change that it tells of.")
    return row


def _untold(difference: VeeamDifference) -> str:
    """Why nobody is named: the server sent nothing, or nobody listened then."""
    since = difference.happened_at or difference.after_time
    for gap in receptions.gaps(since):
        if gap.since <= difference.found_at and (gap.until is None or since is None or gap.until >= since):
            return "No event tells of it: nobody listened then."
    if not receptions.ever():
        return "No event tells of it: events are not received yet."
    return "No event tells of it, though they were received then."


def _drift_of(difference: VeeamDifference) -> Drift | None:
    """The drift that a difference opened, or added to: the newest of its thing."""
    if difference.job_id is None and difference.password_id is None:
        return None
    rows = Drift.objects.filter(job=difference.job_id, password=difference.password_id)
    rows = rows.exclude(what__in=Drift.GAPS)
    since = difference.found_at - deeds.SKEW
    return rows.filter(Q(closed_at=None) | Q(closed_at__gte=since)).order_by("-found_at").first()


def _judge_again_within(server: VeeamServer) -> None:
    """Look at exceptions once more: at what a request explained since, and at what is young."""
    own = Q(event__server=server) | Q(difference__server=server)
    explained = Drift.objects.filter(pk=OuterRef("drift")).values("explained_by")
    Reconciled.objects.filter(own, request=None, drift__explained_by__isnull=False).update(
        request=Subquery(explained), why="This request explains the change."
    )
    young = Reconciled.objects.filter(request=None, settled_at__gte=timezone.now() - _AGAIN)
    rows = young.filter(event__server=server, why=_OURS_ALONE).select_related("event")[:_BATCH]
    events = [row.event for row in rows if row.event is not None]
    known = deeds.Deeds(server, min((one.happened_at for one in events), default=timezone.now()))
    for event in events:
        again = _row_of(server, event, known)
        if again is not None and (again.request is not None or again.owner is not None):
            found = {"request": again.request, "owner": again.owner, "why": again.why}
            Reconciled.objects.filter(event=event, owner=None).update(**found)
    for row in young.filter(difference__server=server).select_related("difference")[:_BATCH]:
        if row.difference is not None:
            settle_difference_within(row.difference)
