"""The register of passwords and restore points: which version opens what, and who is known to hold it."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Count, Max, Min, Sum

from accounts import selectors as people
from accounts.models import User
from approvals.models import ApprovalRequest
from compliance.reports.document import Cell, Column, Document, Fact, Section, Table
from encryption import selectors as encryption
from encryption.models import EncryptionPassword, Job, PasswordVersion, RestorePoint
from encryption.selectors import opens
from recovery import selectors as recovery
from recovery.selectors import Custody

NAME = "register"
TITLE = "Register of passwords and restore points"
LEAD = "Every encryption password and version, what still needs it, and who is known to hold it."


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return the register as it stands."""
    jobs = {job.pk: job for job in encryption.jobs_for(viewer).select_related("repository", "password")}
    lines = _points(jobs)
    passwords = list(encryption.passwords_for(viewer))
    versions = list(
        PasswordVersion.objects.filter(password__in=passwords)
        .select_related("password__veeam")
        .order_by("password__hint", "password_id", "number")
    )
    custody = recovery.custody_of([one for one in versions if one.erased_at is None], now)
    return Document(
        name=NAME,
        title=TITLE,
        lead="As it stands. A value is never shown, here or anywhere else.",
        made_at=now,
        made_by=people.user_label(viewer),
        sections=(
            _short(passwords, versions, lines),
            Section("Passwords and versions", tables=(_versions(versions, lines, custody),)),
            Section("Who keeps a copy", tables=(_copies(versions, custody),)),
            Section("Restore points", tables=(_by_job(jobs, lines, versions),)),
        ),
    )


def _points(jobs: Mapping[UUID, Job]) -> list[Any]:
    live = RestorePoint.objects.filter(job__in=list(jobs), dropped_at=None).order_by()
    return list(
        live.values("job_id", "password_version_id").annotate(
            n=Count("pk"),
            bytes=Sum("size"),
            oldest=Min("created_at"),
            newest=Max("created_at"),
            verified=Max("verified_at"),
        )
    )


def _short(
    passwords: Sequence[EncryptionPassword],
    versions: Sequence[PasswordVersion],
    lines: Sequence[Mapping[str, Any]],
) -> Section:
    needed = {line["password_version_id"] for line in lines}
    return Section(
        "In short",
        facts=(
            Fact("passwords", "Passwords", len(passwords)),
            Fact("versions", "Versions", len(versions)),
            Fact("needed", "Versions that restore points need", len(needed - {None})),
            Fact("points", "Restore points", sum(line["n"] for line in lines)),
            Fact(
                "plain", "In clear", sum(line["n"] for line in lines if line["password_version_id"] is None)
            ),
        ),
    )


def _versions(
    versions: Sequence[PasswordVersion], lines: Sequence[Mapping[str, Any]], custody: Mapping[UUID, Custody]
) -> Table:
    needs: dict[UUID | None, int] = defaultdict(int)
    for line in lines:
        needs[line["password_version_id"]] += line["n"]
    asked = ApprovalRequest.objects.in_bulk([one.request for one in versions if one.request])
    columns = (
        Column("password", "Password"),
        Column("version", "Version", True),
        Column("since", "In force since"),
        Column("until", "Until"),
        Column("points", "Points that need it", True),
        Column("value", "Value"),
        Column("secured", "Proved by custodians", True),
        Column("copies", "Copies", True),
        Column("strength", "Strength, 0 to 4", True),
        Column("request", "Asked for in"),
    )
    rows = tuple(
        (
            one.hint,
            one.number,
            one.in_force_from,
            one.in_force_until,
            needs[one.pk],
            _held(one),
            custody[one.pk].secured if one.pk in custody else 0,
            len(custody[one.pk].records) if one.pk in custody else 0,
            one.strength if one.length else None,
            str(asked.get(one.request, "")) if one.request else "",
        )
        for one in versions
    )
    return Table("versions", "Versions, and what needs each", columns, rows, "There is no password.")


def _held(version: PasswordVersion) -> str:
    if version.erased_at is not None:
        return "erased"
    if version.sealed_password:
        return "sealed here"
    return "with a key management server" if opens.is_kms(version) else "nobody proved to know it"


def _copies(versions: Sequence[PasswordVersion], custody: Mapping[UUID, Custody]) -> Table:
    columns = (
        Column("password", "Password"),
        Column("version", "Version", True),
        Column("custodian", "Custodian"),
        Column("place", "Place"),
        Column("medium", "Medium"),
        Column("where", "Where"),
        Column("stated_at", "Stated"),
        Column("proved_at", "Proved"),
    )
    rows: list[tuple[Cell, ...]] = []
    for version in versions:
        found = custody.get(version.pk)
        for record, copy in zip(found.records, found.copies, strict=True) if found else ():
            where = [*(["off-site"] if record.offsite else []), *(["offline"] if record.offline else [])]
            proved = copy.proved_at if copy.right else None
            rows.append(
                (
                    version.hint,
                    version.number,
                    record.custodian,
                    record.place,
                    record.medium,
                    ", ".join(where),
                    record.stated_at,
                    proved,
                )
            )
    return Table("copies", "Copies of passwords", columns, tuple(rows), "None is stated.")


def _by_job(
    jobs: Mapping[UUID, Job], lines: Sequence[Mapping[str, Any]], versions: Sequence[PasswordVersion]
) -> Table:
    known = {one.pk: one for one in versions}
    columns = (
        Column("job", "Job"),
        Column("repository", "Repository"),
        Column("data_category", "Category of data"),
        Column("opens_with", "Opens with"),
        Column("points", "Points", True),
        Column("bytes", "Bytes", True),
        Column("oldest", "Oldest"),
        Column("newest", "Newest"),
        Column("verified_at", "Last verified"),
    )
    rows = [
        (
            jobs[line["job_id"]].name,
            str(jobs[line["job_id"]].repository),
            jobs[line["job_id"]].data_category,
            _opens(known.get(line["password_version_id"]), line["password_version_id"]),
            line["n"],
            int(line["bytes"]),
            line["oldest"],
            line["newest"],
            line["verified"],
        )
        for line in lines
    ]
    rows.sort(key=lambda row: (row[0], row[6]))
    return Table("points", "By job and version", columns, tuple(rows), "There is none.")


def _opens(version: PasswordVersion | None, ref: UUID | None) -> str:
    if ref is None:
        return "nothing: it is in clear"
    return "a deleted password" if version is None else f"{version.hint}, version {version.number}"
