"""Rules of passwords, retention, schedule and places."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from encryption import rules
from encryption.errors import PasswordRefused, PlaceRefused, RequestNeeded

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)


def chain(*lengths: int, encrypted: bool = False) -> list[rules.Point]:
    """Chains of so many points, oldest chain first, a point a day, the last one now."""
    points: list[rules.Point] = []
    total = sum(lengths)
    for length in lengths:
        base: UUID | None = None
        for _ in range(length):
            at = NOW - timedelta(days=total - len(points) - 1)
            points.append(rules.Point(uuid4(), base, at, encrypted))
            base = points[-1].id
    return points


def retired(points, *, keep_points: int, keep_days: int = 0):
    found = rules.to_retire(points, keep_points=keep_points, keep_days=keep_days, now=NOW)
    order = [point.id for point in points]
    return [order.index(id) for id in found]


def test_whole_chain_retires_when_nothing_kept_needs_it():
    assert retired(chain(3, 3), keep_points=3) == [2, 1, 0]


def test_chain_stays_while_one_of_its_points_is_kept():
    assert retired(chain(3, 3), keep_points=4) == []


def test_days_keep_what_points_would_not():
    assert retired(chain(3, 3), keep_points=1, keep_days=4) == []


def test_newest_chain_never_retires():
    assert retired(chain(5), keep_points=1) == []


def test_children_retire_before_their_bases():
    assert retired(chain(2, 2, 1), keep_points=1) == [3, 2, 1, 0]


def test_encrypted_points_drop_only_behind_a_plain_full():
    old = chain(2, encrypted=True)
    new = rules.Point(uuid4(), None, NOW + timedelta(hours=1), encrypted=False)
    assert rules.to_drop_encrypted(old) == []
    assert rules.to_drop_encrypted([*old, new]) == [old[1].id, old[0].id]


@pytest.mark.parametrize(
    ("points", "arguments", "due"),
    [
        (chain(), {}, True),
        (chain(2), {}, False),
        (chain(3), {}, True),
        (chain(3, 1), {}, False),
        (chain(1), {"full_next": True}, True),
        (chain(1, encrypted=True), {}, True),
    ],
    ids=["none yet", "short chain", "long chain", "new chain", "asked for", "other kind"],
)
def test_full_due(points, arguments, due):
    asked = {"full_every": 3, "full_next": False, "encrypted": False} | arguments
    assert rules.full_due(points, **asked) is due


def test_next_run_by_hand_is_never():
    assert rules.next_run(NOW, minutes=None, now=NOW) is None


def test_next_run_skips_what_was_missed():
    last = NOW - timedelta(minutes=95)
    assert rules.next_run(last, minutes=30, now=NOW) == NOW + timedelta(minutes=25)


def test_first_run_is_now():
    assert rules.next_run(None, minutes=30, now=NOW) == NOW


@pytest.mark.parametrize(
    ("facts", "word"),
    [
        ({"length": 11}, "at least 12"),
        ({"score": 2}, "too easy"),
        ({"same_as_old": True}, "nothing would change"),
    ],
)
def test_password_refused(facts, word):
    good = {"length": 16, "score": 4, "reasons": (), "same_as_old": False}
    with pytest.raises(PasswordRefused, match=word):
        rules.check_new_password(**(good | facts))


@pytest.mark.parametrize(
    "use", [rules.Use(True, 0, 0), rules.Use(False, 3, 1)], ids=["activated", "encrypted points"]
)
def test_deletion_needs_a_request(use):
    """P2: deleting an encrypted job, or one with encrypted restore points, needs a request."""
    with pytest.raises(RequestNeeded):
        rules.check_deletion(use)


def test_move_of_encrypted_job_needs_a_request():
    """P2: a place that would leave a job unencrypted needs a request."""
    with pytest.raises(RequestNeeded):
        rules.check_move(rules.Use(True, 0, 0))


def test_plain_job_without_points_moves_freely():
    rules.check_move(rules.Use(False, 0, 0))


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "root" / "home"
    (path / "repositories").mkdir(parents=True)
    (path / "keys").mkdir()
    return path


def place(path: Path, home: Path) -> Path:
    return rules.place(str(path), roots=[home.parent], home=home)


def test_place_under_a_root_is_taken(home):
    assert place(home.parent / "data", home) == home.parent / "data"


def test_repositories_of_the_home_are_a_place(home):
    assert place(home / "repositories" / "a", home) == home / "repositories" / "a"


@pytest.mark.parametrize("inside", ["", "keys", "repositories/../keys"])
def test_rest_of_the_home_is_no_place(inside, home):
    with pytest.raises(PlaceRefused):
        place(home / inside, home)


def test_folder_around_the_home_is_no_place(home):
    with pytest.raises(PlaceRefused, match="own folder"):
        place(home.parent, home)


def test_link_is_no_place(home):
    (home.parent / "link").symlink_to(home / "keys")
    with pytest.raises(PlaceRefused, match="link"):
        place(home.parent / "link" / "x", home)


@pytest.mark.parametrize("path", ["relative", "/etc", "/a\0b"])
def test_elsewhere_is_no_place(path, home):
    with pytest.raises(PlaceRefused):
        rules.place(path, roots=[home.parent], home=home)


def test_source_within_its_repository_is_refused(tmp_path):
    with pytest.raises(PlaceRefused):
        rules.apart(tmp_path / "a", tmp_path)
