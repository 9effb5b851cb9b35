"""Signed notes against the published example of C2SP, and every way in which ours can be spoilt."""

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import note
from audit.errors import Forged

EXAMPLE_VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
EXAMPLE_TEXT = (
    "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
)
EXAMPLE = (
    EXAMPLE_TEXT
    + "\n— PeterNeumann "
    + "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
)
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER = Ed25519PrivateKey.from_private_bytes(bytes(32))
LOG = note.Verifier("example.org/log", KEY.public_key())
HEAD = note.Head("example.org/log", 7, bytes(32))


def signed(key=KEY, name="example.org/log") -> str:
    return note.sign(HEAD.text, name, key)


def test_published_example_opens():
    assert note.open_note(EXAMPLE, [note.parse_vkey(EXAMPLE_VKEY)]) == EXAMPLE_TEXT


def test_vkey_of_the_example_is_written_as_published():
    assert note.parse_vkey(EXAMPLE_VKEY).vkey == EXAMPLE_VKEY


def test_own_checkpoint_opens():
    assert note.open_checkpoint(signed(), LOG) == HEAD


def test_each_flipped_byte_is_refused():
    raw = signed().encode()
    for index in range(len(raw)):
        spoilt = (raw[:index] + bytes([raw[index] ^ 1]) + raw[index + 1 :]).decode("utf-8", "replace")
        with pytest.raises(Forged):
            note.open_checkpoint(spoilt, LOG)


@pytest.mark.parametrize("cut", range(1, 40, 3))
def test_note_cut_short_is_refused(cut):
    with pytest.raises(Forged):
        note.open_checkpoint(signed()[:-cut], LOG)


def test_note_of_an_unknown_key_is_refused():
    with pytest.raises(Forged, match="No known key"):
        note.open_note(signed(OTHER), [LOG])


def test_signature_of_an_unknown_key_beside_a_known_one_is_passed_over():
    stranger = note.sign(HEAD.text, "example.org/witness", OTHER).splitlines()[-1]
    assert note.open_note(signed() + stranger + "\n", [LOG]) == HEAD.text


def test_failing_signature_of_a_known_key_spoils_the_note():
    second = note.Verifier("example.org/second", OTHER.public_key())
    bad = note.sign("something else\n", "example.org/second", OTHER).splitlines()[-1]
    with pytest.raises(Forged, match="does not hold"):
        note.open_note(signed() + bad + "\n", [LOG, second])


def test_two_keys_of_one_name_are_told_apart():
    """Rotation: both keys are known while old notes are read."""
    rotated = note.Verifier("example.org/log", OTHER.public_key())
    assert note.open_note(signed(OTHER), [LOG, rotated]) == HEAD.text


def test_checkpoint_of_another_log_is_refused():
    text = note.Head("example.org/other", 7, bytes(32)).text
    with pytest.raises(Forged, match="another log"):
        note.open_checkpoint(note.sign(text, LOG.name, KEY), LOG)


@pytest.mark.parametrize(
    "lines", ["a\n07\nAAAA\n", "a\n-1\nAAAA\n", "a\n7\nAAAA\n", "a b\n7\nAAAA\n", "a\n7\n"]
)
def test_malformed_head_is_refused(lines):
    with pytest.raises(Forged):
        note.parse_head(lines)


@pytest.mark.parametrize("text", ["no newline", "a tab\there\n", "bell\x07\n"])
def test_text_that_cannot_stand_in_a_note_is_not_signed(text):
    with pytest.raises(ValueError):
        note.sign(text, LOG.name, KEY)


@pytest.mark.parametrize("vkey", ["", "a+b", EXAMPLE_VKEY.replace("c74f", "c74e"), "x y+00000000+AQ=="])
def test_malformed_vkey_is_refused(vkey):
    with pytest.raises(Forged):
        note.parse_vkey(vkey)


def test_note_beyond_the_limit_is_refused_before_work():
    with pytest.raises(Forged):
        note.open_note("a\n" * note.MAX_NOTE, [LOG])
