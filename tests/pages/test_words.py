"""Values as people say them."""

from datetime import UTC, datetime, timedelta

import pytest

from audit.events import Event
from tests.house.sources import ROOT
from veeamsec.pages import entries, words

NOW = datetime(2026, 11, 25, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("delta", "said"),
    [
        (timedelta(seconds=-5), "just now"),
        (timedelta(seconds=5), "in a moment"),
        (timedelta(minutes=-3), "3 min ago"),
        (timedelta(hours=-30), "30 h ago"),
        (timedelta(days=6), "in 6 days"),
        (timedelta(days=-20), "5 Nov"),
        (timedelta(days=-400), "21 Oct 2025"),
    ],
)
def test_ago(delta, said):
    assert words.ago(NOW + delta, NOW) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 B"), (999, "999 B"), (1500, "1.5 kB"), (412_000_000_000, "412 GB"), (10**16, "10.0 PB")],
)
def test_size(count, said):
    assert words.size(count) == said


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (60, "hourly"),
        (1440, "daily"),
        (10_080, "weekly"),
        (90, "every 90 min"),
        (120, "every 2 h"),
        (2880, "every 2 days"),
    ],
)
def test_every(minutes, said):
    assert words.every(minutes) == said


@pytest.mark.parametrize(("number", "said"), [(1, "1 job"), (2312, "2,312 jobs")])
def test_count(number, said):
    assert words.count(number, "job") == said


@pytest.mark.parametrize(
    ("name", "said"), [("Dora Marchetti", "DM"), ("Dora", "D"), ("", ""), ("Ana de la Cruz", "AC")]
)
def test_initials(name, said):
    assert words.initials(name) == said


def test_short_keeps_both_ends():
    assert words.short("9f2c41d0" + "0" * 52 + "77ab") == "9f2c 41d0 … 77ab"


@pytest.mark.parametrize("event", Event)
def test_every_event_has_its_words(event):
    icon, tone, said = entries.WORDS[event]
    assert (ROOT / "templates" / "icons" / f"{icon}.svg").exists()
    assert tone in ("", "seal", "wait", "refuse")
    assert said[0].isupper()
    assert said[-1] != "."


def test_no_words_are_kept_for_what_never_happens():
    assert set(entries.WORDS) == set(Event)
