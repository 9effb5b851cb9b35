"""Plain data files that no honest writer would write."""

import hashlib
import json
import struct
from base64 import b64encode
from pathlib import Path
from uuid import UUID

import zstandard

BLOCK_SIZE = 1024 * 1024
POINT = UUID(int=1)
BASE = UUID(int=2)

OWNER = {"mode": 0o644, "mtime": [1, 2], "uid": 0, "gid": 0, "user": "root", "group": "root"}


def pieces_of(content: bytes) -> str:
    parts = [content[at : at + BLOCK_SIZE] for at in range(0, len(content), BLOCK_SIZE)]
    return b64encode(b"".join(hashlib.sha256(part).digest()[:16] for part in parts)).decode()


def file_entry(path: str, content: bytes, blocks: list, **other) -> dict:
    return {
        "type": "file",
        "path": path,
        **OWNER,
        "size": len(content),
        "blocks": blocks,
        "pieces": pieces_of(content),
        **other,
    }


def dir_entry(path: str, **other) -> dict:
    return {"type": "dir", "path": path, **OWNER, "mode": 0o755, **other}


def link_entry(path: str, target: str, **other) -> dict:
    return {"type": "symlink", "path": path, "target": target, **OWNER, **other}


def hardlink_entry(path: str, target: str) -> dict:
    return {"type": "hardlink", "path": path, "target": target}


class Forge:
    """One data file; every part can be replaced before `write`."""

    def __init__(self, job: Path, point: UUID = POINT, *, base: UUID | None = None) -> None:
        self.job = job
        self.name = point
        self.header = {
            "block_size": BLOCK_SIZE,
            "created": "2026-11-02T12:00:00Z",
            "format": 1,
            "job": job.name,
            "kind": "full" if base is None else "increment",
            "restore_point": str(point),
        }
        self.base = base
        self.header_json: bytes | None = None
        self.blocks = b""
        self.lines: list[bytes] = []
        self.count: int | None = None
        self.metadata: bytes | None = None
        self.magic = b"VSB1"
        self.mark = b"VSBEND1\0"
        self.trailer: dict[str, int | bytes] = {}
        self.after = b""

    def _header(self) -> bytes:
        return self.header_json or json.dumps(self.header, sort_keys=True, separators=(",", ":")).encode()

    def block(self, stored: bytes) -> list[int]:
        """Append a stored block and return what an entry lists of it."""
        offset = 8 + len(self._header()) + len(self.blocks)
        self.blocks += stored
        return [0, 0, offset, len(stored)]

    def add(self, *entries: dict | bytes) -> "Forge":
        for entry in entries:
            self.lines.append(entry if isinstance(entry, bytes) else json.dumps(entry).encode())
        return self

    def add_file(self, path: str, content: bytes = b"content", **other) -> "Forge":
        return self.add(file_entry(path, content, [self.block(b"\0" + content)], **other))

    def frame(self) -> bytes:
        count = len(self.lines) if self.count is None else self.count
        first = json.dumps({"base": None if self.base is None else str(self.base), "entries": count}).encode()
        text = b"".join(line + b"\n" for line in [first, *self.lines])
        return zstandard.ZstdCompressor(write_checksum=True, write_content_size=True).compress(text)

    def write(self) -> UUID:
        header = self._header()
        metadata = self.frame() if self.metadata is None else self.metadata
        offset = 8 + len(header) + len(self.blocks)
        values = {
            "offset": offset,
            "length": len(metadata),
            "whole": offset + len(metadata) + 40,
            "digest": hashlib.sha256(header).digest()[:8],
        } | self.trailer
        trailer = struct.pack(">QQQ8s8s", *values.values(), self.mark)
        prefix = struct.pack(">4sI", self.magic, len(header))
        self.job.mkdir(exist_ok=True)
        content = prefix + header + self.blocks + metadata + trailer + self.after
        (self.job / f"{self.name}.vsb").write_bytes(content)
        return self.name
