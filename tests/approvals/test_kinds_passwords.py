"""What the worker compares before a password comes into force."""

from dataclasses import replace

import pytest

from approvals import statement
from approvals.errors import Stale
from approvals.services.kinds import passwords
from tests.approvals.executing import activate

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _signed(roster: None) -> None:
    """Every test here has the signed roster."""


@pytest.fixture
def second(people, ask, job, make_job):
    """A request for another job under a password that exists."""
    activate(people, ask)
    job.refresh_from_db()
    fields = {"new_password": None, "hint": "", "encryption_password": job.password_id}
    return ask(make_job("Second"), **fields)


def test_p5_password_that_exists_is_among_what_is_signed(second):
    """P5"""
    passwords.compare(statement.parse(bytes(second.statement)))


def test_p5_password_that_no_target_names_is_stale(second):
    """P5: an activation must not bring in a password that nobody saw in the request."""
    said = statement.parse(bytes(second.statement))
    fewer = [target for target in said.targets if target["type"] == "job"]
    with pytest.raises(Stale, match="not among"):
        passwords.compare(replace(said, targets=fewer))
