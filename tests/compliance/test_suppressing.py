"""A finding is suppressed by Security alone, until a day, and as far as it was seen."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.db import IntegrityError, transaction

from approvals.errors import Invalid, NotEligible, NotFound, OpenRequestExists
from approvals.models import State, Suppression
from approvals.services import requests
from audit.models import Entry, Outbox
from compliance.checks import Status
from compliance.services import analyzing
from tests.approvals.conftest import approve, work

pytestmark = pytest.mark.django_db(transaction=True)
CODE = "jobs.encrypted"


def day(days):
    return (datetime.now(UTC) + timedelta(days=days)).date()


@pytest.fixture
def suppress(people, roster, job, look):
    """Ask for a suppression of what falls short now, as the administrator."""

    def ask_it(**fields):
        wish = {"finding": look(CODE).pk, "note": "Moves away in spring.", "until": day(30)} | fields
        by = wish.pop("by", people.administrator)
        return requests.ask("suppress_finding", by=by, reason="It is known.", **wish)

    return ask_it


def test_what_security_approved_shows_as_suppressed(people, suppress, look):
    request = work(approve(people.dpo, suppress()))
    assert request.state == State.EXECUTED, request.outcome
    finding = look(CODE)
    assert (finding.status(), finding.found) == (Status.SUPPRESSED, Status.NOT_IMPLEMENTED)
    assert Entry.objects.filter(event="finding.suppressed").count() == 1


def test_it_shows_again_by_itself_on_its_day(people, suppress, look):
    work(approve(people.dpo, suppress()))
    finding = look(CODE)
    assert finding.status(datetime.now(UTC) + timedelta(days=31)) == Status.NOT_IMPLEMENTED


def test_a_later_run_finds_no_suppression_any_more(people, suppress, look):
    work(approve(people.dpo, suppress()))
    with time_machine.travel(datetime.now(UTC) + timedelta(days=31)):
        assert look(CODE).suppression is None


def test_it_shows_again_when_more_falls_short(people, suppress, look, make_job):
    work(approve(people.dpo, suppress()))
    make_job("More")
    assert look(CODE).status() == Status.NOT_IMPLEMENTED


def test_until_it_is_approved_nothing_is_suppressed(suppress, look):
    suppress()
    assert look(CODE).status() == Status.NOT_IMPLEMENTED


def test_an_administrator_does_not_decide_on_it(people, suppress):
    request = suppress(by=people.dpo)
    with pytest.raises(NotEligible):
        approve(people.administrator, request)


def test_an_operator_does_not_ask_for_it(people, suppress):
    with pytest.raises(NotEligible):
        suppress(by=people.operator)


@pytest.mark.parametrize("until", [day(0), day(-1), day(400), None])
def test_a_day_that_is_none_is_refused(suppress, until):
    with pytest.raises(Invalid):
        suppress(until=until)


def test_without_a_note_it_is_refused(suppress):
    with pytest.raises(Invalid, match="note"):
        suppress(note="")


def test_a_passed_check_has_nothing_to_suppress(suppress, look):
    with pytest.raises(Invalid, match="passed"):
        suppress(finding=look("people.tokens").pk)


def test_a_finding_that_is_none_is_not_found(suppress, people):
    with pytest.raises(NotFound):
        suppress(finding=people.dpo.pk)


def test_one_check_has_one_open_request(suppress):
    suppress()
    with pytest.raises(OpenRequestExists):
        suppress()


def test_more_that_falls_short_meanwhile_makes_it_stale(people, suppress, look, make_job):
    request = approve(people.dpo, suppress())
    make_job("More")
    look(CODE)
    assert work(request).state == State.STALE
    assert not Suppression.objects.exists()


def test_what_is_suppressed_stays_as_it_was_approved(people, suppress):
    work(approve(people.dpo, suppress()))
    with pytest.raises(IntegrityError, match="is refused"), transaction.atomic():
        Suppression.objects.update(until=datetime.now(UTC) + timedelta(days=300))


def test_the_web_suppresses_nothing(as_role):
    with as_role("web") as web:
        for statement in ("DELETE FROM approvals_suppression", "UPDATE approvals_suppression SET note = ''"):
            with pytest.raises(Exception, match="permission denied"):
                web.execute(statement)


def test_a_suppression_is_looked_at_without_waiting(people, suppress):
    work(approve(people.dpo, suppress()))
    Outbox.objects.all().delete()
    assert analyzing.analyze_when_due() is not None
