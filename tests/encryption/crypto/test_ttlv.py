"""KMIP's encoding, against the examples of the specification and against bytes that are none."""

import pytest

from encryption.crypto.providers.kmip import ttlv


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x42",
        bytes(7),
        b"\x42\x00\x7b\x01\x00\x00\x00\x10" + bytes(8),
        b"\x42\x00\x7b\x02\0\0\0\x08" + bytes(8),
    ],
)
def test_ttlv_that_is_cut_or_odd_is_refused(content):
    with pytest.raises(ValueError):
        ttlv.read(content)


def test_ttlv_is_what_the_specification_shows():
    """KMIP 1.4, 9.1.2: the examples of an integer, an enumeration, a text and bytes."""
    assert ttlv.write(ttlv.integer(0x420020, 8)).hex() == "42002002000000040000000800000000"
    assert ttlv.write(ttlv.enumeration(0x420020, 255)).hex() == "4200200500000004000000ff00000000"
    assert ttlv.write(ttlv.text(0x420020, "Hello World")).hex() == (
        "420020070000000b48656c6c6f20576f726c640000000000"
    )
    inside = ttlv.structure(0x420020, ttlv.enumeration(0x420004, 254), ttlv.integer(0x420005, 255))
    assert ttlv.read(ttlv.write(inside)) == inside


def test_a_message_without_end_is_not_waited_for():
    with pytest.raises(ValueError, match="too long"):
        ttlv.length(b"\x42\x00\x7b\x01\x7f\xff\xff\xff")
