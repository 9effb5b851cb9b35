"""Signs say no more than what is so (P10)."""

from datetime import UTC, datetime

import pytest

from encryption.badge import Badge, State
from veeamsec.pages import signs

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)
APPROVED_FROM = Badge(
    State.APPROVED_FROM,
    "Approved from 3 January 2026; 4 older points under other passwords or none",
    since=datetime(2026, 1, 3, tzinfo=UTC),
    older=4,
)


@pytest.mark.parametrize("state", sorted(set(State) - {State.APPROVED, State.APPROVED_FROM}))
def test_p10_nothing_else_is_green(state):
    """P10"""
    assert signs.of_badge(Badge(state, "as it is"), NOW).tone != signs.SEAL


def test_p10_the_full_sign_is_whole():
    """P10"""
    sign = signs.of_badge(Badge(State.APPROVED, "Approved by security"), NOW)
    assert (sign.tone, sign.words, sign.partial) == (signs.SEAL, "Approved by security", False)


def test_p10_a_partial_sign_says_since_when_and_how_many():
    """P10"""
    sign = signs.of_badge(APPROVED_FROM, NOW)
    assert (sign.words, sign.partial) == ("Approved from 3 Jan · 4 older points", True)


def test_the_reason_is_in_the_title():
    sign = signs.of_badge(Badge(State.DRIFT, "Changed", reasons=("The keyring is gone.",)), NOW)
    assert sign.why == "The keyring is gone."


def test_every_state_of_a_badge_has_a_sign():
    assert set(signs._BADGES) == set(State)
