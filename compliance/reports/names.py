"""Retention of personal data: whose names are held where, since when, how each ends, and what was erased."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from axes.models import AccessAttempt
from django.db.models import Count, Max, Min, Q, QuerySet

from accounts import selectors as people
from accounts.models import KnownDevice, Notice, Person, User
from approvals.models import ApprovalRequest, Vote
from audit import selectors as log
from audit.events import Event
from audit.models import EntryName
from compliance.models import Report
from compliance.reports.document import Cell, Column, Document, Fact, Section, Table
from encryption.models import VeeamEvent
from recovery.models import CustodyRecord

NAME = "personal-data"
TITLE = "Retention of personal data"
LEAD = "Which names are held where and since when, how they end, and which were erased."

# What, why it is held, how it ends, where it is counted and by which time.
_HELD: tuple[tuple[str, str, str, Callable[[], QuerySet[Any]], str], ...] = (
    (
        "Persons: name, e-mail",
        "who asks and decides",
        "kept: requests and votes name them",
        Person.objects.all,
        "created_at",
    ),
    (
        "Accounts: user name, e-mail, last sign-in",
        "signing in",
        "deactivated, kept for the record",
        User.objects.all,
        "date_joined",
    ),
    (
        "Names in the log",
        "evidence of who did what",
        "erase_names PERSON, for ever; entries stay",
        lambda: EntryName.objects.filter(name__isnull=False),
        "entry__time",
    ),
    (
        "Reasons of requests",
        "why something was asked",
        "kept: they are part of what was signed",
        ApprovalRequest.objects.all,
        "created_at",
    ),
    (
        "Comments of decisions",
        "why something was decided",
        "kept: they are part of what was signed",
        lambda: Vote.objects.exclude(comment=""),
        "cast_at",
    ),
    (
        "Custodians of passwords",
        "who can be asked for a copy",
        "ended with their version, kept for the record",
        CustodyRecord.objects.all,
        "stated_at",
    ),
    (
        "Names in Veeam's events",
        "who did something at Veeam",
        "kept with the reconciliation",
        lambda: VeeamEvent.objects.exclude(user_name=""),
        "happened_at",
    ),
    (
        "Devices known of an account (a keyed digest)",
        "telling of a new device",
        "with the account",
        KnownDevice.objects.all,
        "first_seen_at",
    ),
    ("Notices to persons", "telling them of their own account", "with the account", Notice.objects.all, "at"),
    (
        "Refused sign-ins: user name, address",
        "lock-out after wrong passwords",
        "when the lock-out is over, or they sign in",
        AccessAttempt.objects.all,
        "attempt_time",
    ),
    (
        "Reports as files",
        "what was asked for",
        "after 30 days",
        lambda: Report.objects.filter(state=Report.State.MADE),
        "made_at",
    ),
)


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return what is held as this is made."""
    return Document(
        name=NAME,
        title=TITLE,
        lead="As it stands. Backups of this installation hold what it held when they were made.",
        made_at=now,
        made_by=people.user_label(viewer),
        sections=(
            Section("What is held", tables=(_held(),)),
            Section("Whose names", tables=(_persons(),)),
            _erased(),
        ),
    )


def _held() -> Table:
    columns = (
        Column("what", "What"),
        Column("purpose", "For"),
        Column("count", "How many", True),
        Column("oldest", "Since"),
        Column("newest", "Newest"),
        Column("ends", "How it ends"),
    )
    rows = []
    for what, purpose, ends, rows_of, time in _HELD:
        found = rows_of().order_by().aggregate(n=Count("pk"), oldest=Min(time), newest=Max(time))
        rows.append((what, purpose, found["n"], found["oldest"], found["newest"], ends))
    return Table("held", "Personal data, by kind", columns, tuple(rows))


def _persons() -> Table:
    columns = (
        Column("person", "Person"),
        Column("since", "Since"),
        Column("accounts", "Accounts", True),
        Column("active", "Active", True),
        Column("last_sign_in", "Last sign-in"),
    )
    rows = Person.objects.annotate(
        accounts=Count("users", distinct=True),
        active=Count("users", filter=Q(users__is_active=True), distinct=True),
        seen=Max("users__last_login"),
    )
    return Table("persons", "Persons", columns, tuple(_person(row) for row in rows.order_by("name", "pk")))


def _person(row: Any) -> tuple[Cell, ...]:
    return (row.name, row.created_at, row.accounts, row.active, row.seen)


def _erased() -> Section:
    entries = log.entries(event=Event.NAMES_ERASED)
    gone = EntryName.objects.filter(name=None).count()
    columns = (Column("at", "When"), Column("person", "Person (id)"), Column("names", "Names", True))
    rows = tuple((one.time, one.subject_id, int(one.facts.get("count", 0))) for one in entries)
    words = (
        "An entry holds a salted commitment to a name: with the name and its salt erased, it proves no name."
    )
    return Section(
        "What was erased",
        (words,),
        facts=(Fact("erased", "Names erased in the log", gone),),
        tables=(Table("erased", "Erasures", columns, rows, "Nobody asked for one yet."),),
    )
