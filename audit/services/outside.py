"""Checkpoints outside the database, one signed note a file in a folder a day.

A database that was restored or rewritten cannot deny what was once signed of it.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from itertools import takewhile
from pathlib import Path

from django.conf import settings

# Names sort as their sizes do.
DIGITS = 19
LARGEST = 64 * 1024


def folder() -> Path:
    """Return the folder of all notes."""
    return Path(settings.VEEAMSEC_HOME) / "checkpoints"


def write(size: int, time: datetime, note: str) -> None:
    """Write one note, whole and on the disk, unless it is there."""
    # Where the clock was set back, in the last day there is: the newest folder holds the largest size.
    day = max([folder() / time.strftime("%Y-%m-%d"), *_days()], key=lambda path: path.name)
    day.mkdir(mode=0o755, parents=True, exist_ok=True)
    path = day / f"{size:0{DIGITS}}.note"
    part = day / f".{path.name}.{os.getpid()}"
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o644)
    with os.fdopen(fd, "w", encoding="utf-8") as file:
        file.write(note)
        file.flush()
        os.fsync(file.fileno())
    try:
        # A link, unlike a rename, never replaces a note that was there.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        part.unlink()
    _sync(day)
    _sync(folder())


def copy(place: Path) -> int:
    """Copy the notes that another folder lacks, and return the largest size there. OSError when it cannot."""
    place.stat()
    days = sorted(_days(place), reverse=True)
    known = max((size_of(path) for day in days[:2] for path in day.glob("[0-9]*.note")), default=0)
    lacking = list(takewhile(lambda path: size_of(path) > known, newest_first()))
    for path in reversed(lacking):
        day = place / path.parent.name
        day.mkdir(mode=0o755, exist_ok=True)
        part = day / f".{path.name}.{os.getpid()}"
        # No link here: a share of another system may know none. One worker at a time copies.
        with part.open("wb") as file:
            file.write(path.read_bytes())
            file.flush()
            os.fsync(file.fileno())
        part.rename(day / path.name)
    return size_of(lacking[0]) if lacking else known


def on_our_disk(place: Path) -> bool:
    """Say whether a folder is on our own disk, as far as this machine knows. OSError when it is away."""
    return place.stat().st_dev == folder().stat().st_dev


def newest() -> Path | None:
    """Return the file of the largest size, or None."""
    for day in sorted(_days(), reverse=True):
        if found := sorted(day.glob("[0-9]*.note")):
            return found[-1]
    return None


def newest_first() -> Iterator[Path]:
    """Return every note's file, the largest of the newest day first; older days are listed when needed."""
    for day in sorted(_days(), reverse=True):
        yield from sorted(day.glob("[0-9]*.note"), reverse=True)


def paths() -> Iterator[Path]:
    """Return every note's file, by size."""
    return iter(
        sorted((path for day in _days() for path in day.glob("[0-9]*.note")), key=lambda path: path.name)
    )


def put_aside(path: Path, root: str) -> None:
    """Move the note of a branch that was given up; it stays, but no longer speaks for this log."""
    aside = folder() / "abandoned" / root[:16]
    aside.mkdir(mode=0o755, parents=True, exist_ok=True)
    path.rename(aside / path.name)
    _sync(aside)
    _sync(path.parent)


def acknowledgements(root: str) -> Path:
    """Return the folder of who acknowledged that what was signed up to `root` is lost."""
    return folder() / "acknowledged" / root


def write_acknowledgement(root: str, person: str, envelope: str) -> None:
    """Write one person's signed acknowledgement, whole and on the disk."""
    to = acknowledgements(root)
    to.mkdir(mode=0o755, parents=True, exist_ok=True)
    part = to / f".{person}.{os.getpid()}"
    with part.open("w", encoding="utf-8") as file:
        file.write(envelope)
        file.flush()
        os.fsync(file.fileno())
    part.rename(to / f"{person}.json")
    _sync(to)


def size_of(path: Path) -> int:
    """Return the size that a file's name says."""
    return int(path.stem)


def read(path: Path) -> str:
    """Return a note's text; what cannot be read reads as a text that no key signed."""
    try:
        with path.open("rb") as file:
            return file.read(LARGEST).decode("utf-8", "replace")
    except OSError:
        return ""


def _days(place: Path | None = None) -> list[Path]:
    return [day for day in (place or folder()).glob("[0-9]*-[0-9]*-[0-9]*") if day.is_dir()]


def _sync(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
