"""A statement in words."""

import pytest

from approvals import statement as statements
from approvals.services import requests
from tests.approvals.conftest import CUSTODY, SECRET, answers
from veeamsec.pages import reading

pytestmark = pytest.mark.django_db


@pytest.fixture
def change(people, encrypted):
    """A change of the password of a job with plain points and points of two versions."""
    return requests.ask(
        "change_password",
        by=people.operator,
        reason="Yearly rotation.",
        encryption_password=encrypted.password_id,
        new_password=SECRET,
        hint="Mail 2027",
        custody=[CUSTODY],
        answers=answers(),
    )


@pytest.fixture
def deletion_of_encryption(people, encrypted):
    """A deactivation."""
    return requests.ask(
        "deactivate_encryption", by=people.operator, reason="No need.", jobs=[encrypted.pk], then="delete"
    )


def test_a_change_names_before_and_after(change):
    before_after = reading.read(change).changes[0]
    assert (before_after.before, before_after.after) == ("“Mail 2026” · version 2", "“Mail 2027” · version 3")


def test_a_band_shows_plain_and_sealed_points(change):
    [band] = reading.read(change).bands
    assert [piece.words for piece in band.pieces] == ["1 point without a password", "version 3 opens 4"]


def test_shares_are_what_the_stylesheet_knows(change):
    [band] = reading.read(change).bands
    assert {piece.share for piece in band.pieces} <= set(range(1, 10))


def test_custody_is_read_first(change):
    [copy] = reading.read(change).custody
    assert (copy.where, copy.custodian) == ("bank safe, paper, off-site, offline", "Dora")


def test_what_still_opens_is_a_warning(change):
    assert any(check.bad and "old keyring" in check.words for check in reading.read(change).checks)


def test_the_exact_text_is_what_was_signed(change):
    assert statements.digest(reading.read(change).text.encode()) == change.digest


def test_a_deactivation_states_no_custody(deletion_of_encryption):
    assert reading.read(deletion_of_encryption).custody is None


def test_a_deactivation_says_what_is_deleted(deletion_of_encryption):
    said = [change.after for change in reading.read(deletion_of_encryption).changes]
    assert "are deleted once a plain full backup has succeeded" in said


def test_a_new_full_is_told_in_readable_sizes(pending):
    [check] = reading.read(pending).checks
    assert "writes a new full backup" in check.words
    assert "bytes" not in check.words
