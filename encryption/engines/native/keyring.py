"""The keyring of a job: one head that names the user key, one line for each data file's storage key.

The head commits to the root behind it, so a wrong password is told from damage before anything is
unwrapped. A bad line costs its own restore point, never another.
"""

import binascii
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, BinaryIO, NamedTuple
from uuid import UUID

from encryption.crypto import kdf
from encryption.crypto.encoding import (
    LARGEST_INTEGER,
    canonical,
    from_base64,
    from_integer,
    from_uuid,
    parse,
    to_base64,
    uuid_text,
)
from encryption.crypto.secret import Secret
from encryption.crypto.wrap import WRAPPED_BYTES, associated
from encryption.errors import DamagedKeyring, WrongPassword

# A head is about 400 bytes, a line about 200; whatever is longer was not written by us.
LONGEST_LINE = 4096


@dataclass(frozen=True)
class KeyringHead:
    """The first line of a keyring; `raw` is that line without its LF."""

    job: UUID
    user_key: UUID
    generation: int
    kdf: kdf.KdfParameters
    commitment: bytes
    raw: bytes

    @property
    def fingerprint(self) -> str:
        """Return the job's key fingerprint."""
        return hashlib.sha256(self.raw).hexdigest()

    @cached_property
    def place(self) -> tuple[str, str, str]:
        """Return what each line is bound to, around the two ids that differ from line to line."""
        whole = associated("storage", self.job, "\0", "\0", self.user_key).decode("ascii")
        before, between, after = whole.split("\0")
        return before, between, after

    def commits_to(self, root: bytes) -> bool:
        """Return whether `root` is the one behind this keyring, in constant time."""
        expected = kdf.commitment(root, self.job, self.user_key, self.generation)
        return hmac.compare_digest(expected, self.commitment)

    def open(self, root: bytes) -> bytes:
        """Return the user key; raises WrongPassword."""
        if not self.commits_to(root):
            raise WrongPassword(
                f"The password does not open the keyring of job {self.job} (generation {self.generation},"
                f" user key {self.user_key}). Give the password that was in force at that time."
            )
        return kdf.user_key(root, self.job, self.user_key)


class KeyLine(NamedTuple):
    """One data file's storage key as it stands in the keyring; ids are canonical texts."""

    restore_point: str
    storage_key: str
    wrapped: bytes

    def raw(self) -> bytes:
        """Return the line with its LF: RFC 8785 spelled out, for canonicalising is slower than wrapping."""
        return (
            f'{{"restore_point":"{self.restore_point}","storage_key":"{self.storage_key}",'
            f'"wrapped":"{to_base64(self.wrapped)}"}}\n'
        ).encode("ascii")


# From the head that a keyring shows to the root that opens it: never "the current one".
Roots = Callable[[KeyringHead], bytes]


def roots_of(password: Secret) -> Roots:
    """Return roots that are derived from one password, once for each derivation that keyrings name."""
    derive = cache(lambda parameters: kdf.derive_root(password, parameters))
    return lambda head: derive(head.kdf)


def new_head(
    job: UUID, *, root: bytes, user_key: UUID, parameters: kdf.KdfParameters, generation: int = 1
) -> KeyringHead:
    """Return the head of a keyring under `user_key`; the same values always make the same bytes."""
    commitment = kdf.commitment(root, job, user_key, generation)
    raw = canonical(
        {
            "commitment": to_base64(commitment),
            "format": 1,
            "generation": generation,
            "job": str(job),
            "kdf": dict(parameters.to_json()),
            "type": "veeamsec-keyring",
            "user_key": str(user_key),
        }
    )
    return KeyringHead(job, user_key, generation, parameters, commitment, raw)


def parse_head(raw: bytes) -> KeyringHead:
    """Return the head in a keyring's first line; raises DamagedKeyring, and KdfRefused for its bounds."""
    try:
        value = parse(raw)
        _exactly(value, {"commitment", "format", "generation", "job", "kdf", "type", "user_key"})
        if value["format"] != 1 or value["type"] != "veeamsec-keyring":
            raise ValueError("another format")
        return KeyringHead(
            job=from_uuid(value["job"]),
            user_key=from_uuid(value["user_key"]),
            generation=from_integer(value["generation"], 1, LARGEST_INTEGER),
            kdf=kdf.KdfParameters.from_json(value["kdf"]),
            commitment=from_base64(value["commitment"], kdf.KEY_BYTES),
            raw=raw,
        )
    except ValueError as error:
        raise DamagedKeyring(
            f"The first line of the keyring is damaged ({error}). Bring the keyring back from a copy."
        ) from error


# A line as we spell it: what JSON, UUID and base64 would be checked for is in the pattern, five times faster.
_AS_WRITTEN = re.compile(
    rb'\{"restore_point":"(U)","storage_key":"(U)","wrapped":"([A-Za-z0-9+/]{80})"\}'.replace(
        b"U", b"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"
    )
)


def parse_line(raw: bytes) -> KeyLine:
    """Return the key line in `raw` (without LF); raises ValueError."""
    if found := _AS_WRITTEN.fullmatch(raw):
        restore_point, storage_key, wrapped = found.groups()
        return KeyLine(restore_point.decode(), storage_key.decode(), binascii.a2b_base64(wrapped))
    value = parse(raw)
    _exactly(value, {"restore_point", "storage_key", "wrapped"})
    wrapped = from_base64(value["wrapped"], WRAPPED_BYTES)
    return KeyLine(uuid_text(value["restore_point"]), uuid_text(value["storage_key"]), wrapped)


def checked_line(raw: bytes, number: int) -> KeyLine:
    """Return the key line in `raw`; raises DamagedKeyring with its number."""
    try:
        return parse_line(raw)
    except ValueError as error:
        raise DamagedKeyring(
            f"Line {number} of the keyring is damaged ({error}). Bring the keyring back from a"
            " copy before its"
            " password is changed."
        ) from error


def _exactly(value: dict[str, Any], names: set[str]) -> None:
    if value.keys() != names:
        raise ValueError("unexpected or missing names")


def read_head(file: BinaryIO) -> KeyringHead:
    """Return the head at the beginning of `file`; raises DamagedKeyring."""
    first = file.readline(LONGEST_LINE)
    if not first.endswith(b"\n"):
        raise DamagedKeyring("The keyring has no complete first line. Bring the keyring back from a copy.")
    return parse_head(first[:-1])


def read_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines after the head without their LF; a crashed append at the end is dropped."""
    line = _read_line(file)
    while line:
        following = _read_line(file)
        if following or not is_crashed(line):
            yield line.removesuffix(b"\n")
        line = following


def _read_line(file: BinaryIO) -> bytes:
    """Return the next line, or what of it a line may have at most; an endless one costs no memory."""
    line = file.readline(LONGEST_LINE)
    rest = line
    while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
        rest = file.readline(LONGEST_LINE)
    return line if rest is line or not rest.endswith(b"\n") else line + b"\n"


def is_crashed(last_line: bytes) -> bool:
    """Return whether the last line of a keyring is what a crash left of an append."""
    if not last_line.endswith(b"\n"):
        return True
    try:
        parse(last_line[:-1])
    except ValueError:
        return True
    return False
