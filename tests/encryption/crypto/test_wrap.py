"""Wrapped keys open in their own place alone."""

from uuid import UUID

import pytest

from encryption.crypto.wrap import KeyWrapper, associated, unwrap, wrap
from encryption.errors import WrongKey

KEK = b"k" * 32
KEY = b"x" * 32
IDS = [UUID(int=n) for n in range(4)]
PLACE = associated("storage", *IDS)


def test_associated_data_is_the_formats():
    assert associated("session", IDS[0], IDS[1]) == (
        b"veeamsec/1|session|00000000-0000-0000-0000-000000000000|00000000-0000-0000-0000-000000000001"
    )


def test_a_missing_id_is_refused():
    with pytest.raises(ValueError, match="4 ids"):
        associated("storage", *IDS[:3])


def test_a_wrapped_key_has_60_bytes():
    assert len(wrap(KEK, KEY, PLACE)) == 60


def test_a_wrapped_key_unwraps():
    assert unwrap(KEK, wrap(KEK, KEY, PLACE), PLACE) == KEY


def test_two_wraps_differ():
    assert wrap(KEK, KEY, PLACE) != wrap(KEK, KEY, PLACE)


@pytest.mark.parametrize("at", [0, 11, 12, 43, 44, 59])
def test_a_changed_byte_is_refused(at):
    wrapped = bytearray(wrap(KEK, KEY, PLACE))
    wrapped[at] ^= 1
    with pytest.raises(WrongKey):
        unwrap(KEK, bytes(wrapped), PLACE)


def test_another_place_is_refused():
    with pytest.raises(WrongKey):
        unwrap(KEK, wrap(KEK, KEY, PLACE), associated("recovery", *IDS))


def test_another_key_is_refused():
    with pytest.raises(WrongKey):
        unwrap(KEY, wrap(KEK, KEY, PLACE), PLACE)


@pytest.mark.parametrize("length", [0, 59, 61])
def test_another_length_is_refused(length):
    with pytest.raises(WrongKey):
        unwrap(KEK, bytes(length), PLACE)


def test_keys_have_32_bytes():
    with pytest.raises(ValueError, match="32 bytes"):
        KeyWrapper(b"short")
    with pytest.raises(ValueError, match="32 bytes"):
        wrap(KEK, b"short", PLACE)
