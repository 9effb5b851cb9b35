"""A recovery request of many keys answered, beside the bare private-key operation; keys wrapped for it."""

import os
import time
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from bench.table import Line as Row
from encryption.crypto import keysets
from encryption.engines.native.recovery import Line, read_line, sign_line, verify_line
from recovery.documents import exchange

SUITES = {keysets.RSA: 10_000, keysets.X_WING: 10_000}
BARE = 200


def measure(folder: Path) -> list[Row]:
    """Keys a second: wrapped and signed, then verified, opened and sealed in one response."""
    rows = []
    for suite, count in SUITES.items():
        pair, key = keysets.generate(suite), Ed25519PrivateKey.generate()
        began = time.perf_counter()
        lines = _lines(pair, key, count)
        wrapped = count / (time.perf_counter() - began)
        answered = count / _answer(pair, key, lines)
        bare = _bare(pair, lines)
        rows.append(Row(f"storage keys wrapped for {suite}, signed", wrapped, "keys/s"))
        told = f"bare private-key operation: {bare:,.0f}"
        name = f"{count:,} storage keys in one response, {suite}"
        rows.append(Row(name, answered, "keys/s", told, answered / bare))
    return rows


def _lines(pair: keysets.Pair, key: Ed25519PrivateKey, count: int) -> list[Line]:
    keyset, server = uuid4(), uuid4()
    wrap = keysets.wrapper(pair.suite, pair.public)
    found = []
    for _ in range(count):
        line = Line(uuid4(), uuid4(), uuid4(), keyset, pair.suite, server, b"")
        line = replace(line, wrapped=wrap(os.urandom(32), line.bound_to))
        found.append(read_line(sign_line(line, key)))
    return found


def _answer(pair: keysets.Pair, key: Ed25519PrivateKey, lines: list[Line]) -> float:
    began = time.perf_counter()
    public, opens = key.public_key(), keysets.opener(pair.suite, pair.private)
    keys = []
    for line in lines:
        verify_line(line, public)
        opened = opens(line.wrapped, line.bound_to)
        keys.append(exchange.OpenedKey(line.job, line.restore_point, line.storage_key, opened))
    sealing = X25519PrivateKey.generate().public_key()
    exchange.seal_keys(keys, sealing, request=uuid4(), server=uuid4())
    return time.perf_counter() - began


def _bare(pair: keysets.Pair, lines: list[Line]) -> float:
    opens = keysets.opener(pair.suite, pair.private)
    began = time.perf_counter()
    for line in lines[:BARE]:
        opens(line.wrapped, line.bound_to)
    return BARE / (time.perf_counter() - began)
