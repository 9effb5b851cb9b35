"""Work under way, in words that htmx may fetch again every other second."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse

from encryption.models import JobSession, Rekey, RekeyJob, RestorePoint
from veeamsec.pages import signs, words
from veeamsec.pages.signs import Sign

SHOWN = 12
NAMES = {
    Rekey.Action.ACTIVATE: "Activation",
    Rekey.Action.CHANGE: "Re-key",
    Rekey.Action.DEACTIVATE: "Deactivation",
}
KINDS = {
    JobSession.Kind.BACKUP: "Backup",
    JobSession.Kind.RESTORE: "Restore",
    JobSession.Kind.VERIFY: "Verification",
}
UNDER_WAY = (JobSession.State.QUEUED, JobSession.State.RUNNING)


@dataclass(frozen=True, slots=True)
class Step:
    """One job's step of a re-key."""

    job: str
    url: str
    words: str
    running: bool
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Work:
    """A re-key, as far as it is."""

    id: UUID
    title: str
    state: Sign
    running: bool
    steps: tuple[Step, ...]
    note: str


def rekey_of(rekey_id: UUID | None) -> Work | None:
    """Say how far a request's re-key is, if it has one."""
    found = Rekey.objects.filter(pk__in=[rekey_id] if rekey_id else []).prefetch_related("steps__job").first()
    return of_rekey(found) if found else None


def of_rekey(rekey: Rekey) -> Work:
    """Say how far a re-key is."""
    steps = sorted(rekey.steps.all(), key=lambda step: (step.state not in RekeyJob.OPEN, step.job.name))
    more = f" {len(steps) - SHOWN} more jobs are not shown." if len(steps) > SHOWN else ""
    return Work(
        id=rekey.pk,
        title=NAMES[Rekey.Action(rekey.action)],
        state=signs.of_work(rekey),
        running=rekey.state in (Rekey.State.QUEUED, Rekey.State.RUNNING),
        steps=tuple(_step(step) for step in steps[:SHOWN]),
        note=_note(rekey) + more,
    )


def _step(step: RekeyJob) -> Step:
    running = step.state in RekeyJob.OPEN
    if step.state == RekeyJob.State.FAILED:
        said = step.error or "failed; nothing changed"
    elif running:
        said = f"{step.done:,} of {words.count(step.total, 'key')}" if step.total else "is next"
    else:
        said = f"{words.count(step.total, 'key')}, proved" if step.total else "done, proved"
    return Step(step.job.name, reverse("job", args=[step.job_id]), said, running, step.done, step.total)


def _note(rekey: Rekey) -> str:
    match rekey.state:
        case Rekey.State.SUCCEEDED if rekey.action == Rekey.Action.CHANGE:
            return "The new password opened every key; the former one was refused."
        case Rekey.State.SUCCEEDED:
            return "Read back and found as it was approved."
        case Rekey.State.FAILED:
            return "The key files were read back: they are what they were before."
        case Rekey.State.PARTIAL:
            return "What is not done is tried again under the same approval, within its time."
        case _ if rekey.action == Rekey.Action.CHANGE:
            return "Until the last key is verified, the former password is in force."
        case _:
            return "Until it has succeeded, everything is as it was."


@dataclass(frozen=True, slots=True)
class SessionProgress:
    """A run or restore, as far as it is."""

    title: str
    state: Sign
    running: bool
    done: int
    total: int
    words: str
    error: str
    warnings: tuple[str, ...]
    where: str


def of_session(session: JobSession) -> SessionProgress:
    """Say how far a session is."""
    queued, running = session.state == JobSession.State.QUEUED, session.state in UNDER_WAY
    total = 0
    if session.kind == JobSession.Kind.RESTORE and not session.wish.get("paths"):
        points = RestorePoint.objects.filter(pk__in=[session.restore_point])
        total = next(iter(points.values_list("source_bytes", flat=True)), 0)
    done = f"{words.count(session.done_files, 'file')}, {words.size(session.done_bytes)}"
    return SessionProgress(
        title=KINDS[JobSession.Kind(session.kind)],
        state=signs.of_session(session),
        running=running,
        done=min(session.done_bytes, total) if total else 0,
        total=total,
        words="Waits for a worker." if queued else f"{done}{_took(session)}.",
        error=session.error,
        warnings=tuple(str(warning) for warning in session.warnings),
        where=str(session.wish.get("to", "")) if session.kind == JobSession.Kind.RESTORE else "",
    )


def _took(session: JobSession) -> str:
    took = _seconds(session)
    return " so far" if took is None else f", in {words.duration(took)}"


def _seconds(session: JobSession) -> float | None:
    if session.started_at is None or session.ended_at is None:
        return None
    return (session.ended_at - session.started_at).total_seconds()


def runs(sessions: list[JobSession], shown: int) -> list[dict[str, Any]]:
    """Lines for the last sessions of a job."""
    return [
        {
            "kind": KINDS[JobSession.Kind(one.kind)],
            "url": reverse("session", args=[one.pk]),
            "at": one.started_at or one.created_at,
            "took": _seconds(one),
            "note": one.error or (words.size(one.done_bytes) if one.done_bytes else ""),
            "state": signs.of_session(one),
        }
        for one in sessions[:shown]
    ]
