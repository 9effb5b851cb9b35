"""Lines by the hundred say the same as lines one by one, and so do the refusals."""

import io
import os
from uuid import UUID, uuid4

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from encryption.crypto import kdf
from encryption.crypto.wrap import KeyWrapper
from encryption.engines.native import batches
from encryption.engines.native.batches import read_batches
from encryption.engines.native.keylines import storage_place
from encryption.engines.native.keyring import KeyLine, checked_line, new_head, read_lines
from encryption.errors import DamagedKeyring, WrongKey

ROOT, JOB, USER_KEY = b"r" * 32, UUID(int=1), UUID(int=2)
HEAD = new_head(JOB, root=ROOT, user_key=USER_KEY, parameters=kdf.Argon2id(salt=b"s" * 16))
WRAPPER = KeyWrapper(kdf.user_key(ROOT, JOB, USER_KEY))


def line() -> bytes:
    point, key = uuid4(), uuid4()
    wrapped = WRAPPER.wrap(os.urandom(32), storage_place(HEAD, point, key))
    return KeyLine(str(point), str(key), wrapped).raw()


LINES = [line() for _ in range(40)]
SPACED = LINES[0].replace(b'","', b'", "')
ODD = [
    b"\n",
    b"{}\n",
    b"no json\n",
    b"x" * 9000 + b"\n",
    SPACED,
    LINES[1][:-1],
    LINES[2][:-40],
    LINES[3].upper(),
]


def one_by_one(content: bytes) -> list[KeyLine] | str:
    try:
        return [checked_line(raw, n) for n, raw in enumerate(read_lines(io.BytesIO(content)), start=2)]
    except DamagedKeyring as error:
        return error.message


def by_the_hundred(content: bytes) -> list[KeyLine] | str:
    found, first = [], 2
    try:
        for batch in read_batches(io.BytesIO(content)):
            assert batch.first == first
            first += len(batch.ids)
            for at, ids in enumerate(batch.ids):
                wrapped = batch.wrapped[at * 60 : at * 60 + 60]
                found.append(KeyLine(*ids.decode().split("|"), wrapped))
    except DamagedKeyring as error:
        return error.message
    return found


@pytest.mark.parametrize("stretch", [1, 190, 1000, 128 * 1024])
@given(pieces=st.lists(st.sampled_from([*LINES, *ODD]) | st.binary(max_size=300), max_size=25))
@settings(max_examples=60, deadline=None)
def test_a_keyring_reads_the_same(stretch, pieces):
    """Whatever stands there, in whatever stretches it is read."""
    content = b"".join(pieces)
    former, batches._STRETCH = batches._STRETCH, stretch
    try:
        assert by_the_hundred(content) == one_by_one(content)
    finally:
        batches._STRETCH = former


def test_no_byte_out_of_its_place_is_overlooked():
    """Every byte of three lines, made another one, a quotation mark or a stroke of ours among them."""
    whole = b"".join(LINES[:3])
    for at in range(len(whole)):
        for other in b'0gA="|,-\n{':
            content = whole[:at] + bytes([other]) + whole[at + 1 :]
            assert by_the_hundred(content) == one_by_one(content), (at, other)


@pytest.mark.parametrize(
    "swapped",
    [
        (b'","storage_key":"', b"|"),
        (b'","storage_key":"', b'","wrapped":"____'),
        (b'{"restore_point":"', b'{"storage_key":"__'),
        (b'","wrapped":"', b'","storage_key":"'),
    ],
)
def test_names_in_each_others_places_are_no_lines(swapped):
    content = LINES[0] + LINES[1].replace(*swapped) + LINES[2]
    assert by_the_hundred(content) == one_by_one(content)


def test_an_endless_line_costs_no_memory():
    content = io.BytesIO(LINES[0] + b"x" * 3_000_000 + b"\n" + LINES[1])
    with pytest.raises(DamagedKeyring, match="Line 3 "):
        list(read_batches(content))


def test_lines_are_written_as_one_by_one():
    (batch,) = read_batches(io.BytesIO(b"".join(LINES)))
    assert batch.lines(batch.wrapped) == b"".join(LINES)


def test_a_line_that_does_not_open_is_named():
    swapped = LINES[4][:-84] + LINES[5][-84:]
    (batch,) = read_batches(io.BytesIO(b"".join([*LINES[:4], swapped, *LINES[6:]])))
    with pytest.raises(DamagedKeyring, match="Line 6 of the keyring does not open"):
        batch.keys(WRAPPER, batch.places(HEAD))


def test_many_wrapped_keys_open_one_by_one():
    keys, places = [os.urandom(32) for _ in range(5)], [bytes([n]) for n in range(5)]
    wrapped = WRAPPER.wrap_many(keys, places)
    assert [WRAPPER.unwrap(wrapped[n * 60 : n * 60 + 60], places[n]) for n in range(5)] == keys


def test_no_nonce_is_used_twice():
    wrapped = WRAPPER.wrap_many([b"k" * 32] * 500, [b""] * 500)
    assert len({wrapped[n * 60 : n * 60 + 12] for n in range(500)}) == 500


def test_a_key_of_another_length_is_not_wrapped():
    with pytest.raises(ValueError, match="32 bytes"):
        WRAPPER.wrap_many([b"k" * 32, b"k" * 31], [b"", b""])


def test_wrapped_keys_that_were_cut_are_refused():
    with pytest.raises(WrongKey):
        WRAPPER.unwrap_many(b"x" * 119, [b"", b""])


def test_what_opens_where_it_should_not_is_told():
    wrapped = WRAPPER.wrap_many([b"k" * 32] * 3, [b"a", b"b", b"c"])
    assert WRAPPER.opened(wrapped, [b"x", b"b", b"c"]) == [1, 2]
