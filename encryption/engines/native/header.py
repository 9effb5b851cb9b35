"""Head and tail of a data file: who it is, which wrapped keys it carries, where its metadata lies."""

import hashlib
import struct
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple
from uuid import UUID

from encryption.crypto.encoding import canonical, from_base64, from_integer, from_uuid, parse, to_base64
from encryption.crypto.wrap import WRAPPED_BYTES
from encryption.errors import DamagedFile, NotABackup

MAGIC = b"VSB1"
END_MARK = b"VSBEND1\0"
BLOCK_SIZE = 1024 * 1024
LARGEST_HEADER = 16 * 1024 * 1024
# A block is one zstd frame whose window a reader bounds at 8 MiB.
LARGEST_BLOCK_SIZE = 8 * 1024 * 1024
TIME_FORM = "%Y-%m-%dT%H:%M:%SZ"
FULL = "full"
INCREMENT = "increment"

_PREFIX = struct.Struct(">4sI")
_TRAILER = struct.Struct(">QQQ8s8s")
PREFIX_BYTES = _PREFIX.size
TRAILER_BYTES = _TRAILER.size


class WrappedSession(NamedTuple):
    """A session key as a header carries it."""

    session: UUID
    wrapped: bytes


class WrappedKeys(NamedTuple):
    """The keys of an encrypted data file, under its storage key."""

    storage_key: UUID
    meta: bytes
    sessions: tuple[WrappedSession, ...]


@dataclass(frozen=True)
class Header:
    """The header of a data file; `raw` is its JSON as stored."""

    job: UUID
    restore_point: UUID
    kind: str
    created: str
    block_size: int
    keys: WrappedKeys | None
    raw: bytes

    @property
    def digest(self) -> bytes:
        """Return what the metadata and the trailer are bound to."""
        return hashlib.sha256(self.raw).digest()

    @property
    def first_block(self) -> int:
        """Return where blocks begin in the file."""
        return PREFIX_BYTES + len(self.raw)

    def prefix(self) -> bytes:
        """Return how the data file begins."""
        return _PREFIX.pack(MAGIC, len(self.raw)) + self.raw

    def trailer(self, metadata_offset: int, metadata_length: int) -> bytes:
        """Return how the data file ends."""
        length = metadata_offset + metadata_length + TRAILER_BYTES
        return _TRAILER.pack(metadata_offset, metadata_length, length, self.digest[:8], END_MARK)


def new_header(
    job: UUID, restore_point: UUID, *, kind: str, created: str, keys: WrappedKeys | None
) -> Header:
    """Return the header of a new data file."""
    value: dict[str, Any] = {
        "block_size": BLOCK_SIZE,
        "created": created,
        "format": 1,
        "job": str(job),
        "kind": kind,
        "restore_point": str(restore_point),
    }
    if keys is not None:
        value["keys"] = {
            "meta": to_base64(keys.meta),
            "sessions": [
                {"session": str(session), "wrapped": to_base64(wrapped)} for session, wrapped in keys.sessions
            ],
            "storage_key": str(keys.storage_key),
        }
    return Header(job, restore_point, kind, created, BLOCK_SIZE, keys, canonical(value))


def header_length(prefix: bytes) -> int:
    """Return the length of the header after `prefix`; raises NotABackup, DamagedFile."""
    if len(prefix) != PREFIX_BYTES or prefix[:4] != MAGIC:
        raise NotABackup("The file does not begin as a backup of this format does. It is something else.")
    length = int(_PREFIX.unpack(prefix)[1])
    if not 0 < length <= LARGEST_HEADER:
        raise DamagedFile("The header's length is out of bounds. Take the file from a copy.")
    return length


def parse_header(raw: bytes) -> Header:
    """Return the header in `raw`; raises DamagedFile."""
    try:
        value = parse(raw)
        keys = _keys(value.pop("keys")) if "keys" in value else None
        if value.keys() != {"block_size", "created", "format", "job", "kind", "restore_point"}:
            raise ValueError("unexpected or missing names")
        if value["format"] != 1 or value["kind"] not in (FULL, INCREMENT):
            raise ValueError("another format or kind")
        _check_time(value["created"])
        return Header(
            job=from_uuid(value["job"]),
            restore_point=from_uuid(value["restore_point"]),
            kind=value["kind"],
            created=value["created"],
            block_size=from_integer(value["block_size"], 1, LARGEST_BLOCK_SIZE),
            keys=keys,
            raw=raw,
        )
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise DamagedFile(f"The header is damaged ({error}). Take the file from a copy.") from error


def _check_time(text: str) -> None:
    moment = datetime.strptime(text, TIME_FORM).replace(tzinfo=UTC)
    if moment.strftime(TIME_FORM) != text:
        raise ValueError("a time is written in another form")


def _keys(value: dict[str, Any]) -> WrappedKeys:
    if value.keys() != {"meta", "sessions", "storage_key"}:
        raise ValueError("unexpected or missing names of keys")
    sessions = []
    for item in value["sessions"]:
        if item.keys() != {"session", "wrapped"}:
            raise ValueError("unexpected or missing names of a session")
        wrapped = from_base64(item["wrapped"], WRAPPED_BYTES)
        sessions.append(WrappedSession(from_uuid(item["session"]), wrapped))
    meta = from_base64(value["meta"], WRAPPED_BYTES)
    return WrappedKeys(from_uuid(value["storage_key"]), meta, tuple(sessions))


def metadata_place(header: Header, trailer: bytes, file_length: int) -> tuple[int, int]:
    """Return offset and length of the metadata; raises NotABackup for a wrong end, else DamagedFile."""
    if len(trailer) != TRAILER_BYTES:
        raise NotABackup("The file is too short to be a backup of this format. It was cut.")
    offset, length, whole, digest, mark = _TRAILER.unpack(trailer)
    if mark != END_MARK:
        raise NotABackup(
            "The file does not end as a backup of this format does. It was cut or is still written."
        )
    if digest != header.digest[:8]:
        raise DamagedFile("The header is not the one that this file ended with. Take the file from a copy.")
    if whole != file_length or offset + length + TRAILER_BYTES != file_length or offset < header.first_block:
        raise DamagedFile("The file's length is not the one that it states. Take the file from a copy.")
    return offset, length
