"""What needs the reader, at one glance."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from accounts.models import User
from approvals import selectors as approvals
from audit import selectors as audit
from encryption import badge as badges
from encryption import selectors as encryption
from encryption.badge import Badge, Facts, State
from veeamsec.pages import alarming, analysis, entries, rows, words
from veeamsec.pages.tiles import Tile
from veeamsec.pages.viewer import viewer_of, waiting_for

LATEST, WAITING, NAMED = 6, 6, 3


class Shown(NamedTuple):
    """What a sign needs of a job, and its name: a thousand whole rows take longer than all the rest."""

    pk: UUID
    name: str
    password_id: UUID | None
    full_next: bool
    observed_fingerprint: str
    observed_at: datetime | None


@require_safe
def overview(request: HttpRequest) -> HttpResponse:
    """The first page after signing in."""
    viewer = viewer_of(request)
    seen = encryption.jobs_for(viewer).select_related(None)
    jobs = [Shown(*row) for row in seen.values_list(*Shown._fields)]
    facts, now = badges.facts_of(jobs), timezone.now()
    signed = {job: badges.judge(found, now) for job, found in facts.items()}
    waiting = waiting_for(request)
    alarms = alarming.open_alarms(viewer)
    context = {
        "first_name": viewer.person.name.split()[0],
        "lead": _lead(len(waiting), len(alarms)),
        "may_ask": viewer.has_perm("encryption.ask_change_job"),
        "tiles": _tiles(facts.values(), signed, viewer),
        "waiting": rows.request_rows(waiting[:WAITING], viewer, {one.pk for one in waiting}),
        "shortfalls": _shortfalls(jobs, signed),
        "alarms": alarms[:NAMED],
        "latest": _latest(viewer),
    }
    return render(request, "pages/overview.html", context)


def _lead(waiting: int, alarms: int) -> str:
    asked = f"{words.count(waiting, 'request')} {'waits' if waiting == 1 else 'wait'} for you."
    calm = "No alarm is open."
    loud = f"{words.count(alarms, 'alarm')} {'needs' if alarms == 1 else 'need'} an answer."
    return f"{asked if waiting else 'Nothing waits for you.'} {loud if alarms else calm}"


def _tiles(facts: Collection[Facts], signed: Mapping[UUID, Badge], viewer: User) -> list[Tile]:
    encrypted = sum(found.activated for found in facts)
    states = [sign.state for sign in signed.values()]
    green, partly = states.count(State.APPROVED), states.count(State.APPROVED_FROM)
    held = [volume for found in facts for volume in found.volumes.values()]
    points, size = sum(volume.points for volume in held), sum(volume.size for volume in held)
    return [
        Tile(
            "Jobs encrypted",
            f"{encrypted}",
            f"of {len(facts)}",
            done=encrypted,
            total=len(facts),
            href=reverse("jobs"),
        ),
        Tile(
            "Approved by security",
            f"{green}",
            f"of {encrypted}",
            note=f"{partly:,} more, with older points" if partly else "",
            done=green,
            total=encrypted,
            bar="seal",
            href=reverse("jobs"),
        ),
        Tile("Restore points", f"{points:,}", note=words.size(size), href=reverse("repositories")),
        _seats(),
        *analysis.tiles_of_overview(viewer),
    ]


def _seats() -> Tile:
    room = approvals.headroom()
    headroom = f"{room.spare} more than needed" if room.spare > 0 else "none to spare"
    note = headroom if room.spare >= 0 else "nothing can be approved"
    of = "active seat" if room.active == 1 else "active seats"
    return Tile("Security Role", f"{room.active}", of, note=note, href=reverse("people"))


@dataclass(frozen=True, slots=True)
class Shortfall:
    """Jobs that lack the same thing."""

    title: str
    note: str
    tone: str
    state: str
    url: str


# State → one job, many jobs, tone, pill.
_LACKS = {
    State.DRIFT: (
        "job was changed behind our back",
        "jobs were changed behind our back",
        "refuse",
        "No badge",
    ),
    State.PLAIN: ("job is not encrypted", "jobs are not encrypted", "refuse", "Not encrypted"),
    State.UNAPPROVED: ("job's approval is not proven", "jobs' approvals are not proven", "wait", "No badge"),
    State.NOT_KNOWN: ("job's encryption is not known", "jobs' encryption is not known", "wait", "Not known"),
    State.UNKNOWN: ("job was not observed lately", "jobs were not observed lately", "wait", "Not observed"),
    State.ADMINISTRATOR: (
        "job was approved by an administrator only",
        "jobs were approved by an administrator only",
        "act",
        "No badge",
    ),
    State.APPROVED_FROM: (
        "job has restore points from before the approval",
        "jobs have restore points from before the approval",
        "wait",
        "Not full",
    ),
}


def _shortfalls(jobs: Iterable[Shown], signed: Mapping[UUID, Badge]) -> list[Shortfall]:
    by_state: dict[State, list[Shown]] = {}
    for job in jobs:
        by_state.setdefault(signed[job.pk].state, []).append(job)
    found = []
    for state, (one, many, tone, pill) in _LACKS.items():
        if lacking := by_state.get(state):
            names = ", ".join(job.name for job in lacking[:NAMED])
            more = f" and {len(lacking) - NAMED} more" if len(lacking) > NAMED else ""
            url = reverse("job", args=[lacking[0].pk]) if len(lacking) == 1 else reverse("jobs")
            title = f"{len(lacking):,} {one if len(lacking) == 1 else many}"
            found.append(Shortfall(title, names + more, tone, pill, url))
    return found


def _latest(viewer: User) -> list[entries.Line] | None:
    if not viewer.has_perm("audit.view_entry"):
        return None
    return entries.lines(audit.entries().exclude(event__in=entries.NOISE)[:LATEST])
