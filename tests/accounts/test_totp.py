"""Codes of RFC 6238 and their steps."""

import base64

import pytest

from accounts.totp import matching_step

# RFC 6238, appendix B, SHA-1, cut to six digits.
SECRET = base64.b32encode(b"12345678901234567890").decode()
VECTORS = [(59, "287082"), (1111111109, "081804"), (1234567890, "005924"), (20000000000, "353130")]


@pytest.mark.parametrize(("now", "code"), VECTORS)
def test_vectors_of_the_rfc_match_their_step(now: int, code: str) -> None:
    assert matching_step(SECRET, code, now) == now // 30


def test_the_code_before_and_after_match_their_own_steps() -> None:
    assert [matching_step(SECRET, "287082", now) for now in (35, 65, 20)] == [1, 1, 1]


def test_a_code_two_steps_old_does_not_match() -> None:
    assert matching_step(SECRET, "287082", 59 + 60) is None


def test_spaces_are_read_over() -> None:
    assert matching_step(SECRET, " 287 082", 59) == 1


@pytest.mark.parametrize("code", ["", "28708", "2870822", "28708x", "٢٨٧٠٨٢", "287082\n"])
def test_anything_but_six_digits_does_not_match(code: str) -> None:
    assert matching_step(SECRET, code, 59) is None


def test_a_broken_secret_does_not_match() -> None:
    assert matching_step("not base32!", "287082", 59) is None
