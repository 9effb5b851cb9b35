"""Restore points by number, and the three installations."""

import tracemalloc
from datetime import UTC, datetime, timedelta

import pytest

from tests.peer.client import Session
from veeamsec.peer import serve
from veeamsec.peer.points import Points, Series, kind, moment_of, numbers, periods

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def some(count: int = 30) -> Points:
    points = Points(prefix=7)
    for number in range(2):
        points.series.append(Series(number, f"backup{number}", "object", "vm", "VMware", "", 100))
        points.extend(numbers(number, NOON + timedelta(seconds=number), DAY, count))
    return points


def test_numbers_are_in_order_of_time():
    moments = [moment_of(key) for key in some().keys]
    assert moments == sorted(moments)


def test_id_carries_the_number():
    points = some()
    assert [points.find(points.id_of(key)) for key in points.keys] == list(points.keys)


def test_unknown_id_is_found_nowhere():
    points, others = some(), Points(prefix=8)
    assert [points.find(others.id_of(points.keys[3])), points.find("no id")] == [None, None]


def test_span_leaves_out_what_is_older():
    found = some().between(NOON + 10 * DAY, NOON + 12 * DAY)
    assert {moment_of(key).day for key in found} == {12, 13}


def test_every_seventh_is_full():
    points = some()
    assert [kind(key) for key in points.of({0})].count("Full") == 5


def test_retired_are_those_that_no_period_keeps():
    points = some()
    points.retire({0}, NOON + 20 * DAY)
    kept = [moment_of(key) for key in points.of({0})]
    assert all(periods(moment) for moment in kept if moment < NOON + 20 * DAY)
    assert (len(points.of({1})), len(kept)) == (30, 12)


def test_sundays_are_kept_and_the_first_of_a_year_longest():
    assert periods(datetime(2026, 1, 4, tzinfo=UTC)) == ["Weekly", "Monthly", "Yearly"]
    assert periods(datetime(2026, 1, 5, tzinfo=UTC)) == []


def test_large_installation_holds_numbers_only():
    tracemalloc.start()
    with serve("large", jobs=1_000, points=50_000) as peer:
        taken, _ = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        with Session(peer) as session:
            page = session.get("restorePoints", skip=40_000, limit=1_000, orderColumn="CreationTime").json()
    assert (page["pagination"]["total"], page["pagination"]["count"]) == (50_000, 1_000)
    assert taken < 20 << 20


@pytest.mark.parametrize("order", ["true", "false"])
def test_pages_hold_every_point_once(peer, session, order):
    pages = [
        session.get("restorePoints", skip=skip, limit=100, orderColumn="CreationTime", orderAsc=order).json()
        for skip in (0, 100, 200)
    ]
    found = [one["id"] for page in pages for one in page["data"]]
    assert (len(found), len(set(found))) == (250, 250)


def test_points_after_a_moment(peer, session):
    moment = peer.control.at.clock.told(peer.control.at.clock.now())
    made = set(peer.control.run_job("Finance VMs"))
    found = session.get("restorePoints", createdAfterFilter=moment).json()["data"]
    assert {one["id"] for one in found} == made


def test_points_of_a_backup(peer, session):
    backup = session.get("backups", nameFilter="HR VMs").json()["data"][0]
    found = session.get("restorePoints", backupIdFilter=backup["id"]).json()["data"]
    assert {one["name"] for one in found} == {"hr01"}


def test_story_is_believable():
    with serve("story") as peer, Session(peer) as session:
        jobs = session.get("jobs").json()["data"]
        points = session.get("restorePoints", limit=1, orderAsc="true", orderColumn="CreationTime").json()
    oldest = datetime.fromisoformat(points["data"][0]["creationTime"])
    assert (len(jobs), len({one["type"] for one in jobs}) > 12) == (68, True)
    assert datetime.now(UTC) - oldest > 1_000 * DAY
    assert 2_000 < points["pagination"]["total"] < 10_000
