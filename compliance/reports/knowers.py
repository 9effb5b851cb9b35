"""Who could open what: who knew a password or keeps it, to whom it was released, which keysets help."""

from collections.abc import Collection, Iterable
from datetime import datetime
from uuid import UUID

from accounts.models import Person
from approvals.models import ApprovalRequest
from compliance.reports.copies import Copy
from compliance.reports.document import Cell, Column, Table
from encryption.models import KeysetGuard, PasswordVersion
from encryption.selectors import opens
from recovery.models import CustodyProof, CustodyRecord, Keyset, RecoveryCase, Release

# A row: password, how somebody could, who, since when, until when, what stands behind it.
_Row = tuple[Cell, ...]


def of_passwords(versions: Collection[PasswordVersion], end: datetime) -> Table:
    """Return, for each version, every person who by the record could know its value."""
    rows: list[_Row] = []
    names = dict(Person.objects.values_list("pk", "name"))
    for version in versions:
        rows += _typed(version, names)
        rows += _custody(version, end)
        rows += _released(version)
        if opens.is_kms(version):
            rows.append(
                (
                    _name(version),
                    "Key management server",
                    "whoever administers it",
                    None,
                    None,
                    "not typed here",
                )
            )
    columns = (
        Column("password", "Password"),
        Column("how", "How"),
        Column("who", "Who"),
        Column("since", "Since"),
        Column("until", "Until"),
        Column("note", "Note"),
    )
    empty = "Nobody is on record: the value was never typed here."
    return Table("knew", "Who knew the password, or held it", columns, tuple(rows), empty)


def _typed(version: PasswordVersion, names: dict[UUID, str]) -> list[_Row]:
    released = set(Release.objects.filter(version=version).values_list("person_id", flat=True))
    people = [UUID(person) for person in version.known_to]
    return [
        (
            _name(version),
            "Typed it",
            names.get(person, "a person whose name was erased"),
            version.created_at,
            None,
            "asked for it" if person == version.asked_by else "proved to know it",
        )
        for person in people
        if person not in released
    ]


def _custody(version: PasswordVersion, end: datetime) -> list[_Row]:
    found: list[_Row] = []
    for record in CustodyRecord.objects.filter(version=version).select_related("person"):
        proofs = record.own_proofs().filter(found=CustodyProof.Found.EQUAL).order_by("-offered_at")
        proved = proofs.values_list("judged_at", flat=True).first()
        where = [
            record.medium,
            record.place,
            *(["off-site"] if record.offsite else []),
            *(["offline"] if record.offline else []),
        ]
        note = ", ".join(where) + (f"; proved {proved:%Y-%m-%d}" if proved else "; never proved")
        if record.stated_at >= end:
            note += "; stated after that day"
        found.append(
            (_name(version), "Keeps a copy", record.custodian, record.stated_at, record.ended_at, note)
        )
    return found


def _released(version: PasswordVersion) -> list[_Row]:
    rows = Release.objects.filter(version=version).select_related("person")
    numbers = _numbers(one.request for one in rows)
    return [
        (
            _name(version),
            "It was released to",
            one.person.name,
            one.taken_at,
            None,
            f"{numbers.get(one.request, '')}, " + ("read once" if one.taken_at else "never read"),
        )
        for one in rows
    ]


def _private_half(keyset: Keyset | None) -> str:
    if keyset is None or not keyset.own:
        return "its private half is held by another installation, which alone knows who opened what"
    if keyset.exported_at is None:
        return "its private half was not exported"
    return "its private half left the house, under a passphrase"


def of_keysets(copy: Copy, oldest: datetime, newest: datetime) -> Table:
    """Return the keysets that restore points of this time are wrapped for, and what was opened by them."""
    guards = KeysetGuard.objects.filter(since__lte=newest)
    keysets = Keyset.objects.in_bulk([one.keyset for one in guards])
    rows: list[_Row] = []
    for guard in guards:
        if guard.until is not None and guard.until < oldest:
            continue
        keyset = keysets.get(guard.keyset)
        name = str(keyset) if keyset is not None else f"keyset {str(guard.keyset)[:8]}"
        exported = keyset.exported_at if keyset is not None else None
        rows.append(
            (
                name,
                "Opens restore points without the password, under four eyes",
                guard.since,
                guard.until,
                exported,
                _private_half(keyset),
            )
        )
    rows += _cases(copy)
    columns = (
        Column("keyset", "Keyset or case"),
        Column("how", "How"),
        Column("since", "Since"),
        Column("until", "Until"),
        Column("exported_at", "Exported"),
        Column("note", "Note"),
    )
    empty = "No keyset protects these restore points: none opens them without a password."
    return Table("keysets", "What opens them without the password", columns, tuple(rows), empty)


def _cases(copy: Copy) -> list[_Row]:
    jobs = {str(job.pk) for job in copy.jobs}
    found: list[_Row] = []
    for case in RecoveryCase.objects.exclude(opened_at=None):
        if jobs.intersection(case.jobs):
            found.append(
                (
                    f"case {case}",
                    "Keys were opened for a recovery",
                    case.opened_at,
                    case.used_at,
                    None,
                    case.reason,
                )
            )
    return found


def _numbers(requests: Iterable[UUID]) -> dict[UUID, str]:
    return {row.pk: str(row) for row in ApprovalRequest.objects.filter(pk__in=list(requests))}


def _name(version: PasswordVersion) -> str:
    return f"{version.hint}, version {version.number}"
