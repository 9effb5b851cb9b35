"""A Veeam server with events and changes: settled, with an owner, without one, and of nobody known."""

from datetime import timedelta
from typing import Any

from django.utils import timezone

from approvals.models import ApprovalRequest
from encryption.models import (
    Drift,
    Job,
    Reconciled,
    VeeamDifference,
    VeeamEvent,
    VeeamReception,
    VeeamServer,
)
from tests.pages.veeam_house import make_story

TEXTS = {
    31700: "Encryption password SQL (R-1042) has been modified.",
    31850: "Saved encryption password does not match the provided password.",
    23050: "Settings of job SQL nightly have been updated.",
    31800: "=cmd|' /C calc'!A0",
}


def make_event(
    server: VeeamServer | None, number: int, hours: float, user: str, host: str = ""
) -> VeeamEvent:
    """An event so many hours ago."""
    at = timezone.now() - timedelta(hours=hours)
    return VeeamEvent.objects.create(
        server=server,
        number=number,
        host=host or "vbr01.corp.example",
        happened_at=at,
        received_at=at,
        peer="10.0.0.7",
        transport="tls",
        user_name=user,
        description=TEXTS.get(number, f"Something of {number}."),
        digest=f"{number}-{hours}-{user}"[:64],
    )


def make_reconciled(people: Any, request: ApprovalRequest | None = None) -> VeeamServer:
    """The story's server, with two populations and two gaps."""
    server, now = make_story(), timezone.now()
    ours = [make_event(server, 31700, hours, r"TECH\svc-veeamsec") for hours in (1, 2, 3)]
    for event in ours:
        why = "Our own account, in this request's time."
        Reconciled.objects.create(event=event, request=request.pk if request else server.pk, why=why)
    drift = Drift.objects.filter(job__repository=server.pk).exclude(what__in=Drift.GAPS).first()
    for number, hours in ((31700, 5), (31850, 6), (23050, 7), (31800, 8)):
        event = make_event(server, number, hours, r"TECH\user1")
        why = r"By TECH\user1, who is not our account."
        Reconciled.objects.create(event=event, why=why, drift=drift if number == 31700 else None)
    owned = make_event(server, 42401, 30, r"TECH\user2")
    Reconciled.objects.create(event=owned, owner=people.dpo, note="Announced: the yearly drill.", why="By …")
    make_event(server, 42402, 0.01, r"TECH\user1")
    make_event(None, 31600, 4, "somebody", host="stranger")
    job = Job.objects.filter(repository=server.pk).first()
    difference = VeeamDifference.objects.create(
        server=server, what="job.encryption", job=job, happened_at=now
    )
    Reconciled.objects.create(
        difference=difference, drift=drift, why="No event tells of it: nobody listened then."
    )
    for begun, ended in ((200, 120), (119, 30), (29.5, None)):
        alive = now if ended is None else now - timedelta(hours=ended)
        VeeamReception.objects.create(
            began_at=now - timedelta(hours=begun),
            alive_at=alive,
            ended_at=None if ended is None else alive,
            ports={"tls": 6514},
            received=40,
            dropped=3,
        )
    return server
