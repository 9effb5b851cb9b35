"""What may be done with jobs, passwords and places: values and a clock in, a verdict with its reason out."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from accounts import rules as people
from accounts.rules import Standing
from encryption.crypto.encoding import canonical
from encryption.errors import PasswordRefused, PlaceRefused, RequestNeeded

# NIST SP 800-63B asks for 8 online guesses' worth; who holds a backup file guesses offline and for years.
SHORTEST_PASSWORD = 12
WEAKEST_SCORE = 3

# The only parts of the home that a source, a repository or a restore may touch.
HOME_PLACES = ("repositories", "restores")

# What is granted on one row, beside what roles give everywhere.
JOB_VERBS = ("view", "run", "restore", "ask_change")
REPOSITORY_VERBS = ("view", "decide")


@dataclass(frozen=True, slots=True)
class Point:
    """A live restore point, as retention sees it."""

    id: UUID
    base: UUID | None
    created_at: datetime
    encrypted: bool


@dataclass(frozen=True, slots=True)
class Use:
    """What makes a job's encryption somebody else's business too."""

    activated: bool
    points: int
    encrypted_points: int

    @property
    def needs_request(self) -> bool:
        """Whether a change of place or an end would touch encryption (P2)."""
        return self.activated or self.encrypted_points > 0


class Step(Protocol):
    """An executed step, as far as its key goes."""

    proof: dict[str, Any]
    new_fingerprint: str


def key_of(step: Step) -> str:
    """Return the fingerprint that an executed step left: as it was read back, else as its order named it."""
    return str(step.proof.get("fingerprint", step.new_fingerprint))


def veeam_fingerprint(
    server: UUID, blocks: Iterable[Mapping[str, Any]], modified: Mapping[str, datetime | None]
) -> str:
    """Return the fingerprint of a job of a Veeam server; empty where it encrypts nowhere.

    `blocks` are those of `VeeamJob.blocks`; `modified` says of each password by its id there when it was
    changed last, by Veeam's clock (a key management server has no such time).
    """
    places = sorted(blocks, key=lambda block: str(block["path"]))
    if not any(block["enabled"] for block in places):
        return ""
    body = {
        "blocks": [_place_of_encryption(block, modified) for block in places],
        "server": str(server),
        "type": "veeam-job",
    }
    return hashlib.sha256(canonical(body)).hexdigest()


def _place_of_encryption(block: Mapping[str, Any], modified: Mapping[str, datetime | None]) -> dict[str, Any]:
    # What a block that is off names besides is no matter of encryption.
    if not block["enabled"]:
        return {"enabled": False, "path": block["path"]}
    password = str(block["password"] or "")
    moment = modified.get(password)
    return {
        "enabled": True,
        "kind": block["kind"],
        "kms": str(block["kms"] or ""),
        "modified": moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ") if moment else None,
        "password": password,
        "path": block["path"],
    }


def check_new_password(*, length: int, score: int, reasons: Sequence[str], same_as_old: bool) -> None:
    """Refuse a password that is short, guessable, or the one in force. Raises PasswordRefused."""
    if same_as_old:
        raise PasswordRefused("The new password is the one in force: nothing would change.")
    if length < SHORTEST_PASSWORD:
        raise PasswordRefused(f"An encryption password has at least {SHORTEST_PASSWORD} characters.")
    if score < WEAKEST_SCORE:
        because = f" {' '.join(reasons)}" if reasons else ""
        raise PasswordRefused(f"This password is too easy to guess ({score} of 4).{because}")


def check_deletion(use: Use) -> None:
    """Refuse to delete a job that has encryption or encrypted restore points (P2). Raises RequestNeeded."""
    if use.needs_request:
        raise RequestNeeded(
            "Deleting a job with encryption or encrypted restore points needs a request: ask to deactivate"
            " its encryption first, and delete the job when no encrypted restore point is left."
        )


def check_move(use: Use) -> None:
    """Refuse to move a job that has encryption or restore points (P2). Raises RequestNeeded, PlaceRefused."""
    if use.needs_request:
        raise RequestNeeded(
            "Another repository would leave this job unencrypted: ask to deactivate its encryption first, or"
            " make a new job there and ask to activate its encryption."
        )
    if use.points:
        raise PlaceRefused(
            "The restore points of this job stay where they are: make a new job for another place."
        )


def to_retire(points: Iterable[Point], *, keep_points: int, keep_days: int, now: datetime) -> list[UUID]:
    """Return the restore points that may go, newest first: whole chains of which no kept point is a part.

    Kept are the newest `keep_points` and whatever is younger than `keep_days`; the rule never returns the
    newest chain.
    """
    newest_first = sorted(points, key=lambda point: point.created_at, reverse=True)
    roots = _roots(newest_first)
    since = now - timedelta(days=keep_days)
    kept = {
        roots[point.id]
        for number, point in enumerate(newest_first)
        if number < max(keep_points, 1) or (keep_days and point.created_at >= since)
    }
    return [point.id for point in newest_first if roots[point.id] not in kept]


def to_drop_encrypted(points: Iterable[Point]) -> list[UUID]:
    """Return the encrypted restore points, newest first, once a newer plain full stands; else none."""
    newest_first = sorted(points, key=lambda point: point.created_at, reverse=True)
    if not newest_first or newest_first[0].encrypted:
        return []
    return [point.id for point in newest_first if point.encrypted]


def full_due(points: Sequence[Point], *, full_every: int, full_next: bool, encrypted: bool) -> bool:
    """Say whether the next run must be a full: asked for, none yet, a long chain, or one of another kind."""
    newest_first = sorted(points, key=lambda point: point.created_at, reverse=True)
    if full_next or not newest_first or newest_first[0].encrypted != encrypted:
        return True
    roots = _roots(newest_first)
    chain = roots[newest_first[0].id]
    return sum(1 for point in newest_first if roots[point.id] == chain) >= full_every


def newest_chain(points: Sequence[Point]) -> list[UUID]:
    """Return the newest restore point and all that it builds on, newest first."""
    by_id = {point.id: point for point in points}
    following = max(points, key=lambda point: point.created_at, default=None)
    found: list[UUID] = []
    while following is not None and following.id not in found:
        found.append(following.id)
        following = by_id.get(following.base) if following.base is not None else None
    return found


def next_run(last: datetime | None, *, minutes: int | None, now: datetime) -> datetime | None:
    """Return when a job runs next; runs that were missed are not made up for. None: only by hand."""
    if minutes is None:
        return None
    if last is None or last > now:
        return last or now
    missed = (now - last) // timedelta(minutes=minutes)
    return last + (missed + 1) * timedelta(minutes=minutes)


def place(path: str, *, roots: Iterable[Path], home: Path) -> Path:
    """Return `path` if it may hold backups: absolute, without a link, under a root, not in the home.

    Raises PlaceRefused, which says what is wrong. What does not exist yet is judged by its parents.
    """
    named = Path(path)
    if not named.is_absolute() or "\0" in path or ".." in named.parts:
        raise PlaceRefused("A folder is given by its absolute path, without '..'.")
    real = named.resolve()
    if real != named:
        raise PlaceRefused(f"{named} leads through a link to {real}: name the folder itself.")
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        raise PlaceRefused(f"{named} is under none of the folders that VEEAMSEC_ROOTS names.")
    home = home.resolve()
    free = any(real.is_relative_to(home / name) for name in HOME_PLACES)
    if (real.is_relative_to(home) and not free) or home.is_relative_to(real):
        raise PlaceRefused(f"{named} would reach into VeeamSec's own folder.")
    return real


def apart(source: Path, repository: Path) -> None:
    """Refuse a source that holds its repository, or the other way round. Raises PlaceRefused."""
    if source.is_relative_to(repository) or repository.is_relative_to(source):
        raise PlaceRefused(
            "The source and the repository lie within each other: the backup would back itself up."
        )


def outside_repositories(target: Path, repositories: Iterable[Path]) -> None:
    """Refuse a restore into a repository, whosever it is: what lies there is read as backups and keys.

    Raises PlaceRefused.
    """
    for repository in repositories:
        if target.is_relative_to(repository) or repository.is_relative_to(target):
            raise PlaceRefused(f"{target} reaches into a repository: restore into a folder of its own.")


def _roots(points: Sequence[Point]) -> dict[UUID, UUID]:
    # The full at the end of each point's chain of bases; a base that has gone ends the walk.
    bases = {point.id: point.base for point in points}
    found: dict[UUID, UUID] = {}
    for point in reversed(points):
        base = bases[point.id]
        found[point.id] = found.get(base, base) if base is not None else point.id
    return found


def grant_refusal(verb: str, *, by: Standing, to: Standing, seated: bool) -> str | None:
    """Return why a verb may not be granted to an account, or None.

    `seated`: its person holds a seat of Security. Administrators decide; operators, service accounts and
    those who have no role yet work with jobs.
    """
    if by.person == to.person:
        return "Nobody grants to themselves, with whatever account."
    if seated:
        return "Who holds a seat of the Security Role takes nothing of the backup team."
    if not to.active:
        return "This account is off."
    if verb == "decide":
        decides = people.ADMINISTRATOR in to.roles and to.is_human
        return None if decides else "Only Backup administrators decide; the office is granted by a request."
    if people.ADMINISTRATOR in to.roles or not works_with_backups(to.roles):
        return "Only who works with backups is given jobs: operators and service accounts."
    return None


def works_with_backups(roles: frozenset[str]) -> bool:
    """Say whether no role of an account keeps it from more than reading; without a role it may be named."""
    return not roles & {people.AUDITOR, people.ENTERPRISE}
