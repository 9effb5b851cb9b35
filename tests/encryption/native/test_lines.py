"""The lines that are spelled out for speed are RFC 8785 all the same, and read back to what was written."""

import json
from uuid import UUID, uuid4

import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from encryption.engines.native.blocks import Block
from encryption.engines.native.entries import DIR, FILE, HARDLINK, SYMLINK, Entry
from encryption.engines.native.header import WrappedKeys, WrappedSession, new_header, parse_header
from encryption.engines.native.keyring import KeyLine, parse_line

BLOCK_SIZE = 1024

parts = st.binary(min_size=1, max_size=12).filter(
    lambda part: part not in (b".", b"..") and b"/" not in part and b"\0" not in part
)
paths = st.lists(parts, min_size=1, max_size=4).map(b"/".join) | st.text(min_size=1, max_size=9).filter(
    lambda text: not {"/", "\0"} & set(text) and text not in (".", "..")
).map(str.encode)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
owned = {
    "mode": st.integers(0, 0o7777),
    "mtime": st.tuples(st.integers(-(2**40), 2**40), st.integers(0, 999_999_999)),
    "uid": st.integers(0, 2**32 - 2),
    "gid": st.integers(0, 2**32 - 2),
    "user": texts,
    "group": texts,
    "xattrs": st.dictionaries(texts, st.binary(max_size=20), max_size=3),
}
places = (
    st.none()
    | st.just(0)
    | st.builds(Block, st.integers(0, 9), st.integers(0, 2**40), st.integers(0, 2**52), st.integers(1, 2**20))
)


@st.composite
def files(draw):
    blocks = draw(st.lists(places, max_size=5))
    size = max(0, len(blocks) * BLOCK_SIZE - draw(st.integers(0, BLOCK_SIZE - 1)))
    pieces = draw(st.binary(min_size=16 * len(blocks), max_size=16 * len(blocks)))
    values = {name: draw(strategy) for name, strategy in owned.items()}
    return Entry(FILE, draw(paths), size=size, blocks=blocks, pieces=pieces, **values)


entries = st.one_of(
    files(),
    st.builds(Entry, st.just(DIR), paths, **owned),
    st.builds(Entry, st.just(SYMLINK), paths, target=paths, **owned),
    st.builds(Entry, st.just(HARDLINK), paths, target=paths),
)


@given(entries)
@settings(max_examples=300, deadline=None)
def test_an_entry_is_canonical_and_reads_back(entry):
    line = entry.write()
    assert line == rfc8785.dumps(json.loads(line)) + b"\n"
    assert Entry.read(line[:-1], BLOCK_SIZE) == entry


@given(st.uuids(), st.uuids(), st.binary(min_size=60, max_size=60))
def test_a_key_line_is_canonical_and_reads_back(point, key, wrapped):
    line = KeyLine(str(point), str(key), wrapped)
    assert line.raw() == rfc8785.dumps(json.loads(line.raw())) + b"\n"
    assert parse_line(line.raw()[:-1]) == line


def test_a_header_is_canonical_and_reads_back():
    keys = WrappedKeys(uuid4(), bytes(60), (WrappedSession(uuid4(), bytes(60)),))
    made = new_header(uuid4(), UUID(int=1), kind="full", created="2026-11-02T12:00:00Z", keys=keys)
    assert parse_header(made.raw) == made
    assert rfc8785.dumps(json.loads(made.raw)) == made.raw
