"""Backup encryption governance: who asked and decided what in a period, and what stands open after it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from django.db.models import QuerySet

from accounts import selectors as people
from accounts.models import User
from audit import selectors as log
from audit.models import Entry
from compliance.reports import asked as asking
from compliance.reports import controls, exceptions, procedure
from compliance.reports.asked import Asked
from compliance.reports.document import Column, Document, Fact, Section, Table
from compliance.reports.period import Period, period_of
from encryption import selectors as encryption
from encryption.badge import Badge, badges
from encryption.badge import State as Sign
from encryption.models import Attestation, Job, PasswordVersion

NAME = "governance"
TITLE = "Backup encryption governance"
LEAD = "Who asked for changes of backup encryption, who decided, how fast, and what is still open."


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return the report of a period. Raises Invalid."""
    period = period_of(wanted, now.date())
    rows = asking.asked_in(period, viewer, now)
    jobs = list(encryption.jobs_for(viewer).exclude(state=Job.State.DELETED).select_related("repository"))
    signs: dict[Any, Badge] = dict(badges(jobs, now))
    return Document(
        name=NAME,
        title=TITLE,
        lead=f"{period.words}, whole days in UTC.",
        made_at=now,
        made_by=people.user_label(viewer),
        asked=period.as_asked(),
        sections=(
            _requests(rows, period),
            _badges(jobs, signs),
            Section("Exceptions", tables=(exceptions.in_period(rows, period),)),
            Section("Open risks", tables=(exceptions.open_now(jobs, signs, now),)),
            _procedure(rows, period),
            _controls(rows, period, jobs, signs),
            _proof(period),
        ),
    )


def _requests(rows: Sequence[Asked], period: Period) -> Section:
    chart, table = asking.by_month(rows, period)
    return Section(
        "Asked and decided",
        facts=asking.figures(rows),
        charts=(chart,) if rows else (),
        tables=(asking.table_of(rows), table),
    )


def _badges(jobs: Sequence[Job], signs: Mapping[Any, Badge]) -> Section:
    full = sum(signs[job.pk].state == Sign.APPROVED for job in jobs)
    plain = sum(signs[job.pk].state == Sign.PLAIN for job in jobs)
    columns = (
        Column("job", "Job"),
        Column("repository", "Repository"),
        Column("sign", "Sign"),
        Column("since", "Approved since"),
        Column("older", "Older points", True),
        Column("proof", "Proof"),
        Column("why", "Why"),
    )
    table = Table(
        "badges",
        "The sign of each job",
        columns,
        tuple(
            (
                job.name,
                str(job.repository),
                one.label,
                one.since,
                one.older,
                one.proof or "",
                " ".join(one.reasons),
            )
            for job in jobs
            for one in [signs[job.pk]]
        ),
        "There are no jobs.",
    )
    return Section(
        "Badges, as this is made",
        words=(
            "A badge says that a member of Security, other than who asked, approved the password, and"
            " that the key seen at the job within a day is the approved one.",
        ),
        facts=(
            Fact("jobs", "Jobs", len(jobs)),
            Fact("full_badges", "Full badge", full),
            Fact("partly", "Approved or encrypted, not full", len(jobs) - full - plain),
            Fact("plain", "Not encrypted", plain),
        ),
        tables=(table,),
    )


def _procedure(rows: Sequence[Asked], period: Period) -> Section:
    policies = procedure.policies_in(period)
    texts = {(one.procedure_version, one.procedure_text): one for one in policies}
    words = [f"Procedure {version}: {text}" for version, text in texts]
    return Section(
        "The procedure, and how it was followed",
        words=tuple(words),
        tables=(procedure.in_force(policies), procedure.followed(rows)),
    )


def _controls(
    rows: Sequence[Asked], period: Period, jobs: Sequence[Job], signs: Mapping[Any, Badge]
) -> Section:
    made = {"created_at__gte": period.since, "created_at__lt": period.until}
    figures = {
        "asked": len(rows),
        "decided": sum(one.deciding is not None for one in rows),
        "seats": people.active_seats(),
        "versions": PasswordVersion.objects.filter(**made).count(),
        "entries": _entries(period).count(),
        "attested": Attestation.objects.filter(**made).count(),
        "answered": procedure.answered(rows),
        "refused": sum(count for _, count in exceptions.refusals(period)),
        "encrypted": sum(job.password_id is not None for job in jobs),
        "jobs": len(jobs),
        "alarms": exceptions.raised_in(period),
        "badges": sum(signs[job.pk].state == Sign.APPROVED for job in jobs),
        "drifts": len(exceptions.drifts_in(period)),
    }
    words = "This supports the controls below. It certifies nothing, and is no legal advice."
    return Section("Controls", words=(words,), tables=(controls.table_of(figures),))


def _proof(period: Period) -> Section:
    entries, head = _entries(period), log.head()
    first, last = entries.last(), entries.first()
    return Section(
        "How this can be checked",
        words=(
            "Every line above stands in the log. Its entries are leaves of one tree; the signed checkpoint"
            " below seals them, and verify_audit checks them. The evidence of a single request is checked"
            " outside, with verify_evidence.",
        ),
        facts=(
            Fact(
                "first_entry", "First log entry of the period", None if first is None else str(first.sequence)
            ),
            Fact("last_entry", "Last log entry of the period", None if last is None else str(last.sequence)),
            Fact("checkpoint_size", "Newest checkpoint: entries", None if head is None else head.size),
            Fact("checkpoint_root", "Newest checkpoint: root", None if head is None else head.root),
            Fact("checkpoint_at", "Signed", None if head is None else head.time),
        ),
    )


def _entries(period: Period) -> QuerySet[Entry]:
    return log.entries(since=period.since, until=period.until)
