"""A request's statement as people read it: who will hold it, why, what changes, what opens what."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.urls import reverse

from approvals import statement as statements
from approvals.models import ApprovalRequest, Kind
from approvals.statement import Statement
from veeamsec.pages import governing, rescuing, words
from veeamsec.pages.sheet import Band, Change, Check, Copy, Link, Piece, Reading

# More jobs than this are counted, not drawn: the exact text below names them all.
SHOWN = 12
SHARES = 9


def read(request: ApprovalRequest) -> Reading:
    """Put a request's statement into words."""
    return of(statements.parse(bytes(request.statement)), bytes(request.statement).decode())


def of(said: Statement, text: str = "") -> Reading:
    """Put a statement into words; `text` is its exact form."""
    states = said.kind in (Kind.ACTIVATE, Kind.CHANGE)
    jobs = _jobs(said)
    return Reading(
        title=title(said),
        reason=said.reason,
        text=text,
        custody=tuple(_copy(row) for row in said.custody) if states else None,
        changes=tuple(_changes(said, jobs)),
        bands=tuple(_band(said, job) for job in jobs[:SHOWN]),
        band_notes=tuple(_band_notes(said, jobs)),
        checks=tuple(_checks(said)),
        answers=tuple(said.answers),
    )


def title(said: Statement) -> str:
    """One line that says what is asked for."""
    if said.kind in governing.KINDS:
        return governing.title(said)
    if said.kind in rescuing.KINDS:
        return rescuing.title(said)
    names = [str(target["name"]) for target in _jobs(said)]
    jobs = " and ".join(names) if 0 < len(names) < 3 else words.count(len(names), "job")
    hint = next((str(one["name"]) for one in said.targets if one["type"] == "password"), "")
    match said.kind:
        case Kind.ACTIVATE:
            return f"Activate encryption on {jobs}"
        case Kind.CHANGE:
            return f"Change the encryption password of {jobs}"
        case Kind.DEACTIVATE:
            return f"Deactivate encryption on {jobs}"
        case _:
            return f"Delete the password “{hint}”"


def extent(said: Statement) -> str:
    """How much a request touches."""
    jobs = _jobs(said)
    points = sum(int(job["restore_points"]) for job in jobs)
    return f"{words.count(len(jobs), 'job')}, {words.count(points, 'restore point')}" if jobs else ""


def _jobs(said: Statement) -> list[Mapping[str, Any]]:
    return [target for target in said.targets if target["type"] == "job"]


def _copy(row: Mapping[str, Any]) -> Copy:
    marks = [mark for mark, key in (("off-site", "offsite"), ("offline", "offline")) if row[key]]
    return Copy(", ".join([str(row["place"]), str(row["medium"]), *marks]), str(row["custodian"]))


def _changes(said: Statement, jobs: Sequence[Mapping[str, Any]]) -> list[Change]:
    if said.kind in governing.KINDS:
        return governing.changes(said)
    if said.kind in rescuing.KINDS:
        return rescuing.changes(said)
    found = []
    if said.kind in (Kind.ACTIVATE, Kind.CHANGE):
        found += _new_value(said)
    elif said.kind == Kind.DEACTIVATE:
        found.append(Change("Encryption", before="on", after="off", note="from the next run"))
        kept = "are deleted once a plain full backup has succeeded"
        stay = "stay, and keep needing their password"
        found.append(Change("Older points", kept if said.change["then"] == "delete" else stay))
    else:
        found.append(Change("Password", after="every version is erased"))
    if jobs:
        links = tuple(Link(str(job["name"]), reverse("job", args=[job["id"]])) for job in jobs[:SHOWN])
        more = f"and {len(jobs) - SHOWN} more" if len(jobs) > SHOWN else ""
        found.append(Change("Jobs" if len(jobs) > 1 else "Job", links=links, note=more))
    return found


def _new_value(said: Statement) -> list[Change]:
    change, former = said.change, ""
    if said.kind == Kind.CHANGE:
        name = next((str(one["name"]) for one in said.targets if one["type"] == "password"), "")
        former = f"“{name}” · version {change['from_version']}"
    elif said.kind == Kind.ACTIVATE:
        former = (
            "not encrypted" if all(job["password_version"] is None for job in _jobs(said)) else "as it is"
        )
    known = "" if change["secret_sha256"] else "a password that is in use already"
    if "generated" in change:
        known = "made by the worker; nobody types it"
    now = change["start"] == "now"
    activates = said.kind == Kind.ACTIVATE
    whole = "a new full backup is written under fresh keys"
    data = (
        whole if activates or change["scope"] == "data" else "stays as it is; only the keys are wrapped anew"
    )
    return [
        Change("Password", f"“{change['hint']}” · version {change['version']}", former, known),
        *_handed(change),
        Change("Data", data),
        Change("Takes hold", "at once" if now or not activates else "with the next run"),
    ]


def _handed(change: Mapping[str, Any]) -> list[Change]:
    if "generated" not in change:
        return []
    if "keyset" in change:
        return [Change("Is shown to", "nobody", note="the keyset in force opens what is written under it")]
    where = "once, on their own page, within a week of the execution"
    return [Change("Is shown to", str(change["name"]), note=where)]


def _band(said: Statement, job: Mapping[str, Any]) -> Band:
    points, plain = int(job["restore_points"]), int(job["plain_points"])
    sealed, name = points - plain, str(job["name"])
    version = said.change.get("version")
    pieces = []
    if plain:
        pieces.append(
            Piece(f"{words.count(plain, 'point')} without a password", _share(plain, points), "none")
        )
    if sealed and version is not None:
        every = "all " if not plain else ""
        pieces.append(Piece(f"version {version} opens {every}{sealed:,}", _share(sealed, points)))
    elif sealed:
        pieces.append(Piece(f"{sealed:,} still need their password", _share(sealed, points), "former"))
    if said.kind == Kind.ACTIVATE:
        pieces.append(Piece(f"version {version} from the next run", 2))
    elif said.kind == Kind.DEACTIVATE:
        pieces.append(Piece("no password from the next run", 2, "none"))
    return Band(f"{name} · {words.count(points, 'restore point')}", tuple(pieces))


def _share(part: int, whole: int) -> int:
    return max(1, round(SHARES * part / whole)) if whole else 1


def _band_notes(said: Statement, jobs: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    if len(jobs) > SHOWN:
        notes.append(f"{len(jobs) - SHOWN} more jobs stand in the exact text below.")
    if said.kind == Kind.CHANGE:
        notes.append("The former version is kept sealed until nothing needs it any more.")
    return notes


_BAD = {"old_keyring", "plain", "unprotected", "deleted", "none_left", "outdated"}
_GOOD = {"signed"}


def _checks(said: Statement) -> list[Check]:
    found: dict[str, Check] = {}
    for row in said.consequences:
        if row["what"] in governing.SHOWN_ABOVE:
            continue
        bad = row["what"] in _BAD or (row["what"] == "erased" and bool(row.get("points")))
        text = _full(row) if row["what"] == "full" else str(row["text"])
        found.setdefault(text, Check(text, good=row["what"] in _GOOD, bad=bad))
    shown = list(found.values())[: 2 * SHOWN]
    if len(found) > len(shown):
        shown.append(Check(f"{len(found) - len(shown)} more stand in the exact text below."))
    return shown


def _full(row: Mapping[str, Any]) -> str:
    estimate, free = row.get("estimated_bytes"), row.get("free_bytes")
    when = "at once" if row.get("start") == "now" else "with its next run"
    about = f" of about {words.size(estimate)}" if estimate is not None else ""
    room = f"; {words.size(free)} are free" if free is not None else ""
    return f"{row['name']} writes a new full backup{about} {when}{room}."
