"""Writing the product's own backup."""

import contextlib
import os
import pwd
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID, uuid4

from django.conf import settings

from audit import services as audit
from audit.events import Event
from encryption.crypto.secret import Secret, strength
from encryption.crypto.stream import SealedWriter
from encryption.models import MasterRotation
from veeamsec.selfbackup import database, members

KEY_FOLDERS = ("owner", "web", "worker", "enterprise", "enterprise/keysets", "receiver", "public")
DATABASE = "database"
# Of zxcvbn's five grades: whoever guesses this pass phrase has every key at once.
LEAST_STRENGTH = 3


class BackupFailed(Exception):
    """The backup was not made; the text says why."""


def back_up(to: Path, passphrase: Secret, *, keys_to: Path | None = None) -> dict[str, int]:
    """Write the database, the checkpoints and the keys to `to`, the keys to `keys_to` where it is given.

    Returns how many bytes of each. Raises BackupFailed, DatabaseFailed, OSError; no file is left then.
    """
    if strength(passphrase).score < LEAST_STRENGTH:
        raise BackupFailed("This pass phrase is too easy to guess: take five or six words at random.")
    home, rotations = Path(settings.VEEAMSEC_HOME), _rotations()
    backup = str(uuid4())
    with audit.act(by=audit.CONSOLE, subject="installation"):
        audit.record(Event.SELF_BACKED_UP, facts={"backup": backup, "keys_apart": keys_to is not None})
    written: dict[str, int] = {}
    with contextlib.ExitStack() as stack:
        sink = keys = stack.enter_context(_sealed(to, passphrase, backup))
        if keys_to is not None:
            keys = stack.enter_context(_sealed(keys_to, passphrase, backup))
        written["keys"] = _files(keys, home, _key_files(home))
        # Before the database: a checkpoint of entries that the dump lacks would read as a rollback.
        written["checkpoints"] = _files(sink, home, sorted((home / "checkpoints").rglob("*")))
        with database.dump() as dump:
            written["database"] = members.write(sink, members.Head(DATABASE), dump)
        if _rotations() != rotations:
            raise BackupFailed("A master key's rotation began meanwhile: call this again after its end.")
        for one in {id(one): one for one in (sink, keys)}.values():
            members.end(one)
    return written


def _rotations() -> set[UUID]:
    """Return the rotations there were; none is unfinished, or the backup might lack one of its two keys."""
    if MasterRotation.objects.filter(destroyed_at=None).exists():
        raise BackupFailed("A master key's rotation is unfinished: `manage.py keys rotate` ends it first.")
    return set(MasterRotation.objects.values_list("pk", flat=True))


def _key_files(home: Path) -> list[Path]:
    return [path for name in KEY_FOLDERS for path in sorted((home / "keys" / name).iterdir())]


def _files(sink: members.Sink, home: Path, paths: list[Path]) -> int:
    total = 0
    for path in paths:
        if not path.is_file() or path.is_symlink() or path.name.startswith("."):
            continue
        with path.open("rb") as file:
            found = os.fstat(file.fileno())
            head = members.Head(str(path.relative_to(home)), found.st_mode & 0o777, _user(found.st_uid))
            total += members.write(sink, head, file)
    return total


def _user(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


@contextlib.contextmanager
def _sealed(path: Path, passphrase: Secret, backup: str) -> Iterator[SealedWriter]:
    """A new sealed file, 0600, whole and on the disk when the block ends well; else there is none."""
    part = path.with_name(f".{path.name}.part")
    fd = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(fd, "wb") as file:
            now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
            about = {"backup": backup, "created": now, "id": str(uuid4())}
            sink = SealedWriter(file, passphrase, about, fips=settings.VEEAMSEC_FIPS)
            yield sink
            sink.close()
            file.flush()
            os.fsync(file.fileno())
        # A link, unlike a rename, never replaces an older backup.
        os.link(part, path)
    finally:
        part.unlink()
