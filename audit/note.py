"""Signed notes and checkpoints of C2SP (signed-note v1, tlog-checkpoint v1) with Ed25519.

A note is a text that ends in a newline, an empty line, and signature lines: an em dash, the key's name, and
the base64 of a 4-byte key hash with the signature. A checkpoint's text has three lines: origin, size, root.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.errors import Forged

ED25519 = b"\x01"
# C2SP asks verifiers to take at least 16 signatures; more text than this is no checkpoint of ours.
MAX_NOTE = 64 * 1024
MAX_SIGNATURES = 64

_NAME = re.compile(r"[^\s+]+")
_SIGNATURE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_SIZE = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under the name that signs with it."""

    name: str
    key: Ed25519PublicKey

    @property
    def key_hash(self) -> bytes:
        """The four bytes that tell keys of one name apart."""
        named = self.name.encode() + b"\n" + ED25519 + self.key.public_bytes_raw()
        return hashlib.sha256(named).digest()[:4]

    @property
    def vkey(self) -> str:
        """The key as C2SP tools take it."""
        encoded = base64.b64encode(ED25519 + self.key.public_bytes_raw()).decode()
        return f"{self.name}+{self.key_hash.hex()}+{encoded}"


def parse_vkey(text: str) -> Verifier:
    """Return the verifier that a vkey names; raises Forged."""
    name, _, rest = text.strip().partition("+")
    key_hash, _, encoded = rest.partition("+")
    raw = _base64(encoded)
    if not _NAME.fullmatch(name) or len(raw) != 33 or raw[:1] != ED25519:
        raise Forged("This is no vkey of an Ed25519 key.")
    found = Verifier(name, Ed25519PublicKey.from_public_bytes(raw[1:]))
    if found.key_hash.hex() != key_hash:
        raise Forged("The vkey's hash is not that of its key.")
    return found


def sign(text: str, name: str, key: Ed25519PrivateKey) -> str:
    """Return the signed note of a text; ValueError if the text or name cannot stand in one."""
    if not text.endswith("\n") or not _NAME.fullmatch(name) or _has_controls(text):
        raise ValueError("not a text for a note")
    signature = Verifier(name, key.public_key()).key_hash + key.sign(text.encode())
    return f"{text}\n— {name} {base64.b64encode(signature).decode()}\n"


def open_note(note: str, verifiers: Iterable[Verifier]) -> str:
    """Return the text of a note that at least one known key signed; raises Forged.

    Signatures of unknown keys are passed over; one of a known key that fails spoils the note.
    """
    if len(note) > MAX_NOTE or _has_controls(note) or not note.endswith("\n"):
        raise Forged("This is no signed note.")
    head, separator, tail = note[:-1].rpartition("\n\n")
    text, lines = head + "\n", tail.split("\n")
    if not separator or len(lines) > MAX_SIGNATURES:
        raise Forged("This is no signed note.")
    known = {(verifier.name, verifier.key_hash): verifier.key for verifier in verifiers}
    signed = False
    for line in lines:
        found = _SIGNATURE.fullmatch(line)
        raw = _base64(found[2]) if found else b""
        if found is None or len(raw) < 5:
            raise Forged("A signature line of the note cannot be read.")
        if key := known.get((found[1], raw[:4])):
            try:
                key.verify(raw[4:], text.encode())
            except InvalidSignature as error:
                raise Forged("The note's signature does not hold.") from error
            signed = True
    if not signed:
        raise Forged("No known key signed the note.")
    return text


@dataclass(frozen=True, slots=True)
class Head:
    """What a checkpoint says: which log, how many entries, under which root."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The three lines that are signed."""
        return f"{self.origin}\n{self.size}\n{base64.b64encode(self.root).decode()}\n"


def parse_head(text: str) -> Head:
    """Return what the text of a checkpoint says; raises Forged."""
    lines = text.split("\n")
    if len(lines) < 4 or not _NAME.fullmatch(lines[0]) or not _SIZE.fullmatch(lines[1]):
        raise Forged("This is no checkpoint.")
    root = _base64(lines[2])
    if len(root) != 32:
        raise Forged("The checkpoint's root is not 32 bytes.")
    return Head(lines[0], int(lines[1]), root)


def open_checkpoint(note: str, verifier: Verifier) -> Head:
    """Return the head that a log's own key signed under its own name; raises Forged."""
    head = parse_head(open_note(note, [verifier]))
    if head.origin != verifier.name:
        raise Forged("The checkpoint is of another log.")
    return head


def _has_controls(text: str) -> bool:
    return any(ord(sign) < 32 and sign != "\n" for sign in text)


def _base64(text: str) -> bytes:
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("The base64 in the note cannot be read.") from error
    if base64.b64encode(raw).decode() != text:
        raise Forged("The base64 in the note has more than one reading.")
    return raw
