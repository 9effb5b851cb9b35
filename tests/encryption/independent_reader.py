"""A second reader of the backup format, written from docs/format.md alone; it imports nothing of the product.

It is what somebody would write who has a repository, a password, this page and an empty machine. It reads a
whole restore point into memory and is as strict as it needs to be to be sure of what it returns.
"""

import base64
import hashlib
import hmac
import json
import struct
import unicodedata
from pathlib import Path

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

MIB = 1024 * 1024


def read_restore_point(job_folder: Path, restore_point: str, password: str | None) -> dict[bytes, dict]:
    """Return every entry of a restore point by path; files have their whole content under "content"."""
    user_key = None if password is None else _user_key(job_folder, password)
    return read_with(job_folder, restore_point, user_key)


def read_with(job_folder: Path, restore_point: str, user_key) -> dict[bytes, dict]:
    """Return the same with a user key (its id and bytes), or with what gives a point's storage key."""
    chain, following = [], restore_point
    while following is not None:
        file = _DataFile(job_folder, following, user_key)
        chain.append(file)
        following = file.base
    return {path: _with_content(chain, path) for path in chain[0].entries}


def _unbase64(text):
    return base64.b64decode(text, validate=True)


def _user_key(job_folder, password):
    head = json.loads((job_folder / "keyring").read_bytes().split(b"\n")[0])
    assert (head["type"], head["format"], head["job"]) == ("veeamsec-keyring", 1, job_folder.name)
    spaced = "".join(" " if unicodedata.category(c) == "Zs" else c for c in password)
    secret, kdf = unicodedata.normalize("NFC", spaced).encode(), head["kdf"]
    salt = _unbase64(kdf["salt"])
    if kdf["name"] == "argon2id":
        root = Argon2id(
            salt=salt,
            length=32,
            iterations=kdf["time_cost"],
            lanes=kdf["parallelism"],
            memory_cost=kdf["memory_kib"],
        ).derive(secret)
    else:
        assert kdf["name"] == "pbkdf2-hmac-sha256"
        root = hashlib.pbkdf2_hmac("sha256", secret, salt, kdf["iterations"])
    ids = f"{head['job']}|{head['user_key']}"
    commitment = _expand(root, f"commitment|{ids}|{head['generation']}")
    if not hmac.compare_digest(commitment, _unbase64(head["commitment"])):
        raise PermissionError("wrong password")
    return head["user_key"], _expand(root, f"user-key|{ids}")


def _expand(root, info):
    return HKDFExpand(SHA256(), 32, b"veeamsec/1|" + info.encode()).derive(root)


def _unwrap(key, wrapped, *bound_to):
    assert len(wrapped) == 60
    return AESGCM(key).decrypt(wrapped[:12], wrapped[12:], "|".join(["veeamsec/1", *bound_to]).encode())


class _DataFile:
    def __init__(self, job_folder, restore_point, user_key):
        self.raw = (job_folder / f"{restore_point}.vsb").read_bytes()
        magic, header_length = struct.unpack(">4sI", self.raw[:8])
        header_json = self.raw[8 : 8 + header_length]
        trailer = struct.unpack(">QQQ8s8s", self.raw[-40:])
        self.metadata_at, metadata_length, whole, digest, mark = trailer
        assert magic == b"VSB1"
        assert mark == b"VSBEND1\0"
        assert digest == hashlib.sha256(header_json).digest()[:8]
        assert whole == len(self.raw) == self.metadata_at + metadata_length + 40
        self.header = json.loads(header_json)
        assert self.header["restore_point"] == restore_point
        assert self.header["job"] == job_folder.name
        self.first_block = 8 + header_length
        self.sessions, metakey = None, None
        if user_key is not None:
            metakey = self._unlock(job_folder, user_key)
        sealed = self.raw[self.metadata_at : -40]
        frame = sealed if metakey is None else _chunks(sealed, metakey, hashlib.sha256(header_json).digest())
        stream = zstandard.ZstdDecompressor().decompressobj()
        lines = stream.decompress(frame).split(b"\n")
        assert stream.eof
        assert not stream.unused_data
        assert lines.pop() == b""
        first = json.loads(lines.pop(0))
        self.base = first["base"]
        assert first["entries"] == len(lines)
        assert (self.header["kind"] == "full") == (self.base is None)
        entries = [json.loads(line) for line in lines]
        paths = [_name(entry, "path") for entry in entries]
        assert paths == sorted(set(paths))
        self.entries = dict(zip(paths, entries, strict=True))

    def _unlock(self, job_folder, user_key):
        keys, point = self.header["keys"], self.header["restore_point"]
        if callable(user_key):
            return self._open_keys(user_key(point))
        user_key_id, user_key_bytes = user_key
        lines = [json.loads(line) for line in (job_folder / "keyring").read_bytes().split(b"\n")[1:-1]]
        (line,) = [
            line
            for line in lines
            if (line["restore_point"], line["storage_key"]) == (point, keys["storage_key"])
        ]
        ids = (job_folder.name, point, keys["storage_key"], user_key_id)
        return self._open_keys(_unwrap(user_key_bytes, _unbase64(line["wrapped"]), "storage", *ids))

    def _open_keys(self, storage_key):
        keys, point = self.header["keys"], self.header["restore_point"]
        self.sessions = [
            (
                bytes.fromhex(item["session"].replace("-", "")),
                _unwrap(storage_key, _unbase64(item["wrapped"]), "session", point, item["session"]),
            )
            for item in keys["sessions"]
        ]
        return _unwrap(storage_key, _unbase64(keys["meta"]), "meta", point)

    def piece(self, block, length):
        session, counter, offset, stored = block
        assert self.first_block <= offset
        assert offset + stored <= self.metadata_at
        content = self.raw[offset : offset + stored]
        if self.sessions is not None:
            session_id, key = self.sessions[session]
            content = AESGCM(key).decrypt(struct.pack(">IQ", 0, counter), content, session_id)
        if content[0] == 1:
            piece = zstandard.ZstdDecompressor().decompress(content[1:], allow_extra_data=False)
        else:
            assert content[0] == 0
            piece = content[1:]
        assert len(piece) == length
        return piece


def _chunks(sealed, metakey, bound_to):
    size = MIB + 16
    count = -(-len(sealed) // size)
    return b"".join(
        AESGCM(metakey).decrypt(
            struct.pack(">IQ", int(number == count - 1), number),
            sealed[number * size : (number + 1) * size],
            bound_to,
        )
        for number in range(count)
    )


def _name(entry, label):
    return entry[label].encode() if label in entry else _unbase64(entry[f"{label}_b64"])


def _with_content(chain, path):
    entry = chain[0].entries[path]
    if entry["type"] in ("symlink", "hardlink"):
        return entry | {"target": _name(entry, "target")}
    if entry["type"] == "dir":
        return entry
    size, block_size = entry["size"], chain[0].header["block_size"]
    digests, pieces = _unbase64(entry["pieces"]), []
    for number in range(-(-size // block_size)):
        length = min(block_size, size - number * block_size)
        at = 0
        while (block := chain[at].entries[path]["blocks"][number]) is None:
            at += 1
        piece = bytes(length) if block == 0 else chain[at].piece(block, length)
        assert hashlib.sha256(piece).digest()[:16] == digests[number * 16 : number * 16 + 16]
        pieces.append(piece)
    return entry | {"content": b"".join(pieces)}
