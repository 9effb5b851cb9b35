"""P9: a secret does not show itself; passwords are read and judged with bounds."""

import copy
import json
import pickle
import time

import pytest

from encryption.crypto.secret import (
    LONGEST_PASSWORD,
    Secret,
    check_password,
    read_password,
    read_password_file,
    strength,
)
from encryption.errors import PasswordRefused

CANARY = b"correct horse battery"


@pytest.mark.parametrize(
    "leak",
    [
        str,
        lambda secret: f"{secret}",
        lambda secret: "%s" % secret,  # noqa: UP031 - the old form is the one that logging uses
        pickle.dumps,
        json.dumps,
        lambda secret: json.dumps(secret, default=str),
        copy.copy,
        copy.deepcopy,
        bytes,
        hash,
    ],
)
def test_a_secret_refuses_to_leave(leak):
    with pytest.raises(TypeError):
        leak(Secret(CANARY))


def test_repr_says_nothing():
    assert "correct" not in repr({"password": Secret(CANARY)})


def test_equal_secrets_are_equal():
    assert Secret(CANARY) == Secret(bytearray(CANARY))


def test_other_secrets_differ():
    assert Secret(CANARY) != Secret(b"x")


def test_a_secret_equals_no_bytes():
    assert Secret(CANARY) != CANARY


def test_a_wiped_secret_is_gone():
    with Secret(CANARY) as secret:
        pass
    with pytest.raises(ValueError, match="wiped"):
        secret.reveal()


def test_a_writer_maps_spaces_and_composes():
    assert check_password("cafe\u0301\u00a0au lait").reveal() == "caf\u00e9 au lait".encode()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("abcdefg\x07", r"Character 8 .*U\+0007"),
        ("abcd\x00efgh", r"Character 5 .*U\+0000"),
        ("abc\ud800defgh", r"Character 4 .*U\+D800"),
        ("\u200babcdefgh", r"Character 1 .*U\+200B"),
        ("abcdefg", "8 to 1024"),
        ("a" * (LONGEST_PASSWORD + 1), "8 to 1024"),
    ],
)
def test_a_writer_says_what_it_refuses(text, said):
    with pytest.raises(PasswordRefused, match=said):
        check_password(text)


@pytest.mark.parametrize(
    "text", ["Zu\u0308rich am See", "na\u00efve\u3000caf\u00e9 \U0001f511", "Ålesund\u2003fjord"]
)
def test_reader_and_writer_agree(text):
    assert read_password(text) == check_password(text)


def test_a_reader_takes_what_a_writer_would_not():
    assert read_password("a\u200bb").reveal() == "a\u200bb".encode()


@pytest.mark.parametrize("text", ["", b"", b"\xff\xfe", "\udc80", "x" * 1025])
def test_a_reader_refuses_what_is_no_password(text):
    with pytest.raises(PasswordRefused):
        read_password(text)


def test_one_final_line_feed_of_a_file_is_dropped():
    assert read_password_file(b"two lines\n\n").reveal() == b"two lines\n"


def test_expanding_characters_cost_no_time():
    begin = time.process_time()
    with pytest.raises(PasswordRefused):
        check_password("\ufdfa" * 1_000_000)
    assert time.process_time() - begin < 0.2


def test_a_common_password_scores_nothing():
    assert strength(Secret(b"password1")).score <= 1


def test_a_weak_password_comes_with_reasons():
    assert strength(Secret(b"password1")).reasons


def test_hints_make_a_password_weaker():
    password = Secret(b"Zwiebelmarkt 2026")
    assert strength(password, ("Zwiebelmarkt",)).score < strength(password).score


def test_a_long_random_password_scores_four():
    assert strength(Secret(b"gruff-mango-7-orbit-velvet" * 40)).score == 4


@pytest.mark.parametrize(
    "text", ["4@8({[<369&#!1|l/1!0$5+7%2xz" * 9, "<$1<|03{{74(1(@488|1" * 4, "a" * 1024, "abcabcabd" * 100]
)
def test_no_password_costs_long_to_judge(text):
    begin = time.process_time()
    strength(Secret(text.encode()), ("name",) * 1000)
    assert time.process_time() - begin < 1


def test_signs_for_letters_are_seen_through():
    assert strength(Secret(b"P@$$w0rd!")).score <= 1
