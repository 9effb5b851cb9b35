"""Bringing the product back from its own backup, where nothing of it is, or only its checkpoints."""

import os
import pwd
import re
from collections.abc import Iterator
from pathlib import Path

from audit import services as audit
from audit.events import Event
from audit.services import rollbacks
from audit.services.rollbacks import Rollback
from encryption.crypto.secret import Secret
from encryption.crypto.stream import SealedReader
from encryption.errors import SealBroken
from veeamsec import preparing
from veeamsec.home import Home
from veeamsec.selfbackup import database, members
from veeamsec.selfbackup.writing import DATABASE

# Nothing else comes out of a backup, whatever its members are called.
_ALLOWED = re.compile(
    r"keys/(owner|web|worker|enterprise|enterprise/keysets|receiver|public)/[A-Za-z0-9_][A-Za-z0-9_.-]*"
    r"|checkpoints/(\d{4}-\d\d-\d\d/\d+\.note|(acknowledged|abandoned)/[0-9a-z]+/[0-9a-z-]+\.(json|note))"
)


class RestoreFailed(Exception):
    """Nothing was restored, or not all; the text says what to do."""


def restore(
    home: Home, source: Path, passphrase: Secret, *, keys_from: Path | None = None
) -> Rollback | None:
    """Bring keys, checkpoints and database into a home that holds no other keys and an empty database.

    Returns what was signed beyond the database, which two persons must acknowledge; None if nothing was.
    Raises RestoreFailed, SealBroken, DatabaseFailed, OSError.
    """
    _check([path for path in (keys_from, source) if path is not None], passphrase)
    if keys_from is not None:
        for head, content in _members(keys_from, passphrase):
            _put(home, head, content)
    found, beyond = False, None
    for head, content in _members(source, passphrase):
        if head.name != DATABASE:
            _put(home, head, content)
            continue
        if not (home.keys / "worker" / "signing.key").exists():
            raise RestoreFailed("This backup was made without keys: name their file with --keys-from.")
        found, beyond = True, _bring_database(home, content)
    if not found:
        raise RestoreFailed("This file holds no database; it may be the one of the keys.")
    return beyond


def _check(files: list[Path], passphrase: Secret) -> None:
    """Read everything once before anything is written: a damaged backup leaves nothing half restored."""
    backups = set()
    for path in files:
        with path.open("rb") as file:
            reader = SealedReader(file, passphrase)
            for head, _content in members.read(reader):
                if head.name != DATABASE and not _ALLOWED.fullmatch(head.name):
                    raise SealBroken(f"This backup holds {head.name!r}, which does not belong into one.")
            backups.add(reader.about.get("backup"))
    if len(backups) > 1:
        raise RestoreFailed("These two files are not of one backup.")


def _members(path: Path, passphrase: Secret) -> Iterator[tuple[members.Head, members.Content]]:
    with path.open("rb") as file:
        yield from members.read(SealedReader(file, passphrase))


def _put(home: Home, head: members.Head, content: members.Content) -> None:
    path = home.path / head.name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        # A note that outlived the machine stays, and so does a key that is the same.
        if path.read_bytes() != b"".join(iter(content.read, b"")):
            raise RestoreFailed(f"{path} is there and is another one; move it away first.")
        return
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, head.mode)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, head.mode)
        _give(fd, head.user)
        content.copy_to(file)
        file.flush()
        os.fsync(fd)


def _give(fd: int, user: str) -> None:
    """Give a file back to its user, where root restores and the user exists."""
    if os.geteuid() != 0 or not user:
        return
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        return
    os.fchown(fd, found.pw_uid, found.pw_gid)


def _bring_database(home: Home, content: members.Content) -> Rollback | None:
    home.make()
    with preparing.servers_of(home):
        preparing.make_place(home)
        database.restore(content)
        preparing.make_tables()
        with audit.act(by=audit.CONSOLE, subject="installation"):
            audit.record(Event.SELF_RESTORED)
        return rollbacks.find()
