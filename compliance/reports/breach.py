"""After a breach: what lay in a copy on a day, was it encrypted, who could open it, what was changed since.

It answers what Articles 33(3) and 34(3)(a) of the GDPR ask of encryption, from the record; whether a risk
remains is the judgement of people.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from accounts import selectors as people
from accounts.models import User
from approvals.models import ApprovalRequest
from compliance.reports import copies, knowers
from compliance.reports.asked import office
from compliance.reports.copies import Copy, Held
from compliance.reports.document import Cell, Column, Document, Fact, Section, Table
from encryption.models import Drift, PasswordVersion

NAME = "breach"
TITLE = "After a breach"
LEAD = "A copy is in other hands: was it encrypted, who knew the password, what was changed since."

_GUESSED = "A value that is guessed in hours opens the copy whoever knew it: read the strength below."


def build(viewer: User, wanted: Mapping[str, str], now: datetime) -> Document:
    """Return the report of one copy on one day. Raises Invalid, NotFound."""
    copy = copies.copy_of(wanted, viewer, now.date())
    held = copies.held_in(copy)
    versions = list({one.version.pk: one.version for one in held if one.version is not None}.values())
    return Document(
        name=NAME,
        title=TITLE,
        lead=f"All of {copy.name}, as it lay on {copy.day.day} {copy.day:%B %Y} (UTC).",
        made_at=now,
        made_by=people.user_label(viewer),
        asked=copy.asked,
        sections=(
            _answer(held, versions),
            _data(held),
            Section("Under which passwords", (_GUESSED,), tables=(_passwords(versions, held),)),
            _knowers(copy, held, versions),
            _since(copy),
            _changed_behind(copy),
            _law(),
        ),
    )


def _answer(held: Sequence[Held], versions: Sequence[PasswordVersion]) -> Section:
    # A job whose password changed on that day stands here twice, with the same points.
    seen = {(one.job.pk, one.oldest, one.version is None): one for one in held}.values()
    plain = sum(one.points for one in seen if one.version is None)
    points = sum(one.points for one in seen)
    knew = {person for version in versions for person in version.known_to}
    return Section(
        "The answer in short",
        words=(_short(points, plain),),
        facts=(
            Fact("points", "Restore points in the copy", points),
            Fact("encrypted", "Encrypted", points - plain),
            Fact("plain", "In clear", plain),
            Fact("jobs", "Jobs", len({one.job.pk for one in held})),
            Fact("versions", "Versions of passwords that open it", len(versions)),
            Fact("persons", "Persons who typed one of them", len(knew)),
        ),
    )


def _short(points: int, plain: int) -> str:
    if not points:
        return "By the record there was no restore point in this copy on that day."
    if plain == points:
        return "Nothing in this copy was encrypted: whoever has it reads it."
    if plain:
        return f"{plain} of {points} restore points were not encrypted: whoever has the copy reads those."
    return "Everything in this copy was encrypted: it opens with a password below, or with a keyset."


def _data(held: Sequence[Held]) -> Section:
    columns = (
        Column("job", "Job"),
        Column("repository", "Repository"),
        Column("data_category", "Category of data"),
        Column("records_reference", "Record of processing"),
        Column("encryption", "Encryption on that day"),
        Column("points", "Points", True),
        Column("bytes", "Bytes", True),
        Column("oldest", "Oldest"),
        Column("newest", "Newest"),
    )
    table = Table(
        "data", "By job, category of data and record of processing", columns, tuple(map(_line, held))
    )
    words = (
        "What is not stated of a job is not known here: look it up in the record of processing activities."
    )
    return Section("Whose data", (words,), tables=(table,))


def _line(one: Held) -> tuple[Cell, ...]:
    version = one.version
    under = "none" if version is None else f"{version.hint}, version {version.number}"
    return (
        one.job.name,
        str(one.job.repository),
        one.job.data_category or "not stated",
        one.job.records_reference or "not stated",
        under,
        one.points,
        one.size,
        one.oldest,
        one.newest,
    )


def _passwords(versions: Sequence[PasswordVersion], held: Sequence[Held]) -> Table:
    numbers = ApprovalRequest.objects.in_bulk([one.request for one in versions if one.request])
    columns = (
        Column("password", "Password"),
        Column("since", "In force since"),
        Column("until", "Until"),
        Column("length", "Signs", True),
        Column("strength", "Strength, 0 to 4", True),
        Column("derivation", "Derivation"),
        Column("request", "Asked for in"),
        Column("approved_by", "Approved by"),
        Column("points", "Points", True),
    )
    rows = []
    for one in versions:
        request = numbers.get(one.request) if one.request else None
        rows.append(
            (
                f"{one.hint}, version {one.number}",
                one.in_force_from,
                one.in_force_until,
                one.length or None,
                one.strength if one.length else None,
                _derivation(one),
                "" if request is None else str(request),
                "" if request is None else _approvers(request),
                sum(each.points for each in held if each.version == one),
            )
        )
    return Table(
        "passwords", "The passwords that open it", columns, tuple(rows), "None: nothing was encrypted."
    )


def _derivation(version: PasswordVersion) -> str:
    if not version.kdf:
        return "Veeam's own"
    told = [f"{name} {value}" for name, value in sorted(version.kdf.items()) if name not in ("name", "salt")]
    return ", ".join([str(version.kdf.get("name", "")), *told]).strip(", ")


def _approvers(request: ApprovalRequest) -> str:
    votes = request.votes.filter(verdict="approve").select_related("voter__person")
    return "; ".join(office(vote) for vote in votes)


def _knowers(copy: Copy, held: Sequence[Held], versions: Sequence[PasswordVersion]) -> Section:
    encrypted = [one for one in held if one.version is not None]
    tables = [knowers.of_passwords(versions, copy.end)]
    if encrypted:
        oldest, newest = min(one.oldest for one in encrypted), max(one.newest for one in encrypted)
        tables.append(knowers.of_keysets(copy, oldest, newest))
    words = (
        "By the record. VeeamSec's own worker holds every value sealed under its master key; whoever had that"
        " key and the database could open what is listed here."
    )
    return Section("Who could open it", (words,), tables=tuple(tables))


def _since(copy: Copy) -> Section:
    steps = copies.changed_since(copy)
    numbers = ApprovalRequest.objects.in_bulk([step.rekey.request for step in steps])
    columns = (
        Column("at", "When"),
        Column("job", "Job"),
        Column("what", "What"),
        Column("scope", "Scope"),
        Column("request", "Request"),
        Column("password", "New password"),
    )
    rows = tuple(
        (
            step.ended_at,
            step.job.name,
            step.rekey.get_action_display(),
            "keys and data" if step.rekey.scope == "data" else "keys",
            str(numbers.get(step.rekey.request, "")),
            "" if step.rekey.version is None else f"version {step.rekey.version.number}",
        )
        for step in steps
    )
    words = (
        "A change made later protects what is written from then on. It does not reach a copy that is in other"
        " hands: that one opens with the password of its day, for ever.",
        "With the scope “keys” the keys of the data written before stay the same: who has an old keyring and"
        " its password opens the restore points of that time in any other copy too.",
    )
    empty = "Nothing was changed since: the password of that day is still in use."
    return Section(
        "What was changed since", words, tables=(Table("changed", "Re-keys since", columns, rows, empty),)
    )


def _changed_behind(copy: Copy) -> Section:
    rows = Drift.objects.filter(job__in=[job.pk for job in copy.jobs], found_at__lt=copy.end)
    rows = rows.exclude(closed_at__lt=copy.begin).exclude(what__in=Drift.GAPS).select_related("job")
    table = Table(
        "drifts",
        "Open on that day",
        (Column("found_at", "Found"), Column("job", "Job"), Column("what", "What")),
        tuple((one.found_at, str(one.job), one.text) for one in rows),
        "Nothing was known to be changed without an approval.",
    )
    words = "Where something stands here, the password may have been another than the record says."
    return Section("Changed without an approval", (words,), tables=(table,))


def _law() -> Section:
    return Section(
        "For the notification",
        words=(
            "GDPR Article 33: the authority is told within 72 hours of becoming aware, unless the breach is"
            " unlikely to result in a risk. Categories of data, jobs and amounts are above; numbers of"
            " persons are in the record of processing activities.",
            "GDPR Article 34(3)(a): persons need not be told where encryption made the data unintelligible to"
            " whoever has them. That holds for what is encrypted above as long as nobody who knew the"
            " password took or passed it on, and it cannot be guessed. This report supports that judgement;"
            " it does not make it.",
        ),
    )
