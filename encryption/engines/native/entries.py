"""What a restore point lists: files, folders and links, one JSON line each.

`Entry.read` is where bytes from a file become names on a disk: whatever could leave the target folder, or
be written twice, is refused there or in `EntryOrder`.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from encryption.crypto.encoding import LARGEST_INTEGER, canonical, from_base64, from_integer, parse, to_base64
from encryption.engines.native.blocks import DIGEST_BYTES, Block
from encryption.errors import DamagedMetadata, UnsafePath

FILE, DIR, SYMLINK, HARDLINK = "file", "dir", "symlink", "hardlink"

_OWNED = {"mode", "mtime", "uid", "gid", "user", "group"}
_NAMES = {FILE: _OWNED | {"blocks", "pieces", "size"}, DIR: _OWNED, SYMLINK: _OWNED, HARDLINK: set[str]()}

# How many folders are remembered before those that are behind are forgotten.
_PRUNED_DIRS = 10_000

# A place in this file; 0, a hole; None, the same piece in the base.
PieceAt = Block | int | None


@dataclass(slots=True)
class Entry:
    """One thing in a restore point; `path` and `target` are bytes, for names are no text."""

    kind: str
    path: bytes
    mode: int = 0
    mtime: tuple[int, int] = (0, 0)
    uid: int = 0
    gid: int = 0
    user: str = ""
    group: str = ""
    xattrs: dict[str, bytes] = field(default_factory=dict)
    target: bytes = b""
    size: int = 0
    blocks: list[PieceAt] = field(default_factory=list)
    pieces: bytes = b""

    def digest(self, piece: int) -> bytes:
        """Return what the file's piece hashes to."""
        return self.pieces[piece * DIGEST_BYTES : (piece + 1) * DIGEST_BYTES]

    def piece_length(self, piece: int, block_size: int) -> int:
        """Return the length of the file's piece: the block size, and for the last one the rest."""
        return min(block_size, self.size - piece * block_size)

    def write(self) -> bytes:
        """Return the entry's line, canonical, with its LF."""
        value: dict[str, Any] = {"type": self.kind, **_name("path", self.path)}
        if self.kind != HARDLINK:
            value |= {"mode": self.mode, "mtime": list(self.mtime), "uid": self.uid, "gid": self.gid}
            value |= {"user": self.user, "group": self.group}
        if self.kind == FILE:
            blocks = [list(at) if isinstance(at, Block) else at for at in self.blocks]
            value |= {"size": self.size, "blocks": blocks, "pieces": to_base64(self.pieces)}
        if self.kind in (SYMLINK, HARDLINK):
            value |= _name("target", self.target)
        if self.xattrs:
            value["xattrs"] = {name: to_base64(content) for name, content in self.xattrs.items()}
            # Only these names may be beyond ASCII, where the two orders of names differ.
            return canonical(value) + b"\n"
        return _compact(value) + b"\n"

    @classmethod
    def read(cls, line: bytes, block_size: int) -> "Entry":
        """Return the entry in `line` (without LF); raises DamagedMetadata, and UnsafePath for its names."""
        try:
            value = parse(line)
            kind = value.pop("type")
            entry = cls(kind, _take_name(value, "path"))
            xattrs = value.pop("xattrs", {})
            if kind in (SYMLINK, HARDLINK):
                entry.target = _take_name(value, "target")
            if value.keys() != _NAMES[kind]:
                raise ValueError("unexpected or missing names")
            if kind != HARDLINK:
                entry._take_owner(value)
                entry.xattrs = {_text(name): from_base64(content) for name, content in xattrs.items()}
            if kind == FILE:
                entry._take_content(value, block_size)
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise DamagedMetadata(f"An entry of the restore point is damaged ({error}).") from error
        _refuse_unsafe(entry.path)
        if kind == HARDLINK:
            _refuse_unsafe(entry.target)
        elif kind == SYMLINK and (not entry.target or b"\0" in entry.target):
            raise UnsafePath("A symbolic link of the restore point has an impossible target.")
        return entry

    def _take_owner(self, value: dict[str, Any]) -> None:
        self.mode = from_integer(value["mode"], 0, 0o7777)
        seconds, nanoseconds = value["mtime"]
        self.mtime = (
            from_integer(seconds, -LARGEST_INTEGER, LARGEST_INTEGER),
            from_integer(nanoseconds, 0, 999_999_999),
        )
        self.uid = from_integer(value["uid"], 0, 2**32 - 2)
        self.gid = from_integer(value["gid"], 0, 2**32 - 2)
        self.user, self.group = _text(value["user"]), _text(value["group"])

    def _take_content(self, value: dict[str, Any], block_size: int) -> None:
        self.size = from_integer(value["size"], 0, LARGEST_INTEGER)
        count = -(-self.size // block_size)
        self.blocks = [_piece_at(at) for at in value["blocks"]]
        self.pieces = from_base64(value["pieces"])
        if len(self.blocks) != count or len(self.pieces) != count * DIGEST_BYTES:
            raise ValueError("pieces and size disagree")


def _piece_at(value: Any) -> PieceAt:
    if value is None or (type(value) is int and value == 0):
        return value
    session, counter, offset, length = value
    return Block(
        from_integer(session, 0, 2**20),
        from_integer(counter, 0, LARGEST_INTEGER),
        from_integer(offset, 0, LARGEST_INTEGER),
        from_integer(length, 1, LARGEST_INTEGER),
    )


def _name(label: str, name: bytes) -> dict[str, str]:
    try:
        return {label: name.decode()}
    except UnicodeDecodeError:
        return {f"{label}_b64": to_base64(name)}


def _take_name(value: dict[str, Any], label: str) -> bytes:
    text, encoded = value.pop(label, None), value.pop(f"{label}_b64", None)
    if (text is None) == (encoded is None):
        raise ValueError(f"exactly one form of {label} is needed")
    return from_base64(encoded) if text is None else _text(text).encode()


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("text is needed")
    return value


def _compact(value: dict[str, Any]) -> bytes:
    # RFC 8785 for what stands in an entry without extended attributes, twenty times faster than a walk over
    # it.
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _refuse_unsafe(path: bytes) -> None:
    parts = path.split(b"/")
    if b"\0" in path or any(part in (b"", b".", b"..") for part in parts):
        raise UnsafePath(f"The restore point lists the path {path!r}, which must not be written.")


class EntryOrder:
    """Follows the entries of one restore point and refuses what no tree on a disk could be."""

    def __init__(self) -> None:
        self._last = b""
        self._dirs: set[bytes] = set()
        self._prune_at = _PRUNED_DIRS
        # What hard links lead to; `check_targets` compares it with the files that were seen.
        self.link_targets: set[bytes] = set()

    def check(self, entry: Entry) -> None:
        """Take the next entry; raises UnsafePath for its place among those before."""
        if entry.path <= self._last:
            raise UnsafePath(f"The path {entry.path!r} stands twice or out of order.")
        self._last = entry.path
        parent = entry.path.rpartition(b"/")[0]
        if parent and parent not in self._dirs:
            raise UnsafePath(f"The path {entry.path!r} lies beneath something that is no folder.")
        if entry.kind == DIR:
            self._dirs.add(entry.path)
            self._prune()
        elif entry.kind == HARDLINK:
            if entry.target >= entry.path:
                raise UnsafePath(f"The hard link {entry.path!r} leads to no earlier file.")
            self.link_targets.add(entry.target)

    def _prune(self) -> None:
        if len(self._dirs) >= self._prune_at:
            # In the order of bytes everything beneath "a" comes before "a0", for "0" follows "/".
            self._dirs = {path for path in self._dirs if path + b"0" > self._last}
            self._prune_at = max(_PRUNED_DIRS, 2 * len(self._dirs))

    def check_targets(self, entries: Iterator[Entry]) -> None:
        """Raise UnsafePath unless every hard link leads to a file among `entries`, read once more."""
        if not self.link_targets:
            return
        files = {entry.path for entry in entries if entry.kind == FILE and entry.path in self.link_targets}
        if files != self.link_targets:
            raise UnsafePath(f"A hard link leads to {min(self.link_targets - files)!r}, which is no file.")
