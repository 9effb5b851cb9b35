"""The sealed stream of the product's own backup."""

import io
import os
import uuid

import pytest

from encryption.crypto.secret import Secret
from encryption.crypto.stream import CHUNK, SealedReader, SealedWriter
from encryption.errors import SealBroken

PASSWORD = Secret(b"amber-basalt-cedar-delta-0001")


def sealed(content: bytes) -> bytes:
    file = io.BytesIO()
    writer = SealedWriter(file, PASSWORD, {"id": str(uuid.uuid4())})
    writer.write(content)
    writer.close()
    return file.getvalue()


def opened(data: bytes, password: Secret = PASSWORD) -> bytes:
    reader = SealedReader(io.BytesIO(data), password)
    return b"".join(iter(lambda: reader.read(70_000), b""))


@pytest.fixture(scope="module")
def three_chunks():
    content = os.urandom(2 * CHUNK + 7)
    return content, sealed(content)


@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1])
def test_what_was_sealed_opens(size):
    content = os.urandom(size)
    assert opened(sealed(content)) == content


def test_chunks_open_in_order(three_chunks):
    content, data = three_chunks
    assert opened(data) == content


def test_another_password_is_refused(three_chunks):
    with pytest.raises(SealBroken, match="pass phrase is another"):
        opened(three_chunks[1], Secret(b"another"))


@pytest.mark.parametrize("place", [3, 8, 12, 40, 400, CHUNK, -1, -CHUNK])
def test_a_flipped_bit_is_refused(three_chunks, place):
    data = bytearray(three_chunks[1])
    data[place] ^= 1
    with pytest.raises(SealBroken):
        opened(bytes(data))


@pytest.mark.parametrize("left", [5, 20, 300, CHUNK, -1, -7 - 16, -7 - 16 - CHUNK - 16])
def test_a_cut_stream_is_refused(three_chunks, left):
    with pytest.raises(SealBroken):
        opened(three_chunks[1][:left])


def test_swapped_chunks_are_refused(three_chunks):
    data = three_chunks[1]
    end = len(data) - 7 - 16
    size = CHUNK + 16
    swapped = data[: end - 2 * size] + data[end - size : end] + data[end - 2 * size : end - size] + data[end:]
    with pytest.raises(SealBroken):
        opened(swapped)


def test_something_appended_is_refused(three_chunks):
    with pytest.raises(SealBroken):
        opened(three_chunks[1] + b"x")
