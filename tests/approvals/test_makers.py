"""P1: whoever made an account, or saw a link to it, is one of those who ask what it asks."""

import dataclasses
import json

import pytest
from django.urls import reverse

from accounts.models import EnrolmentLink, Role, User
from accounts.selectors import makers_of
from accounts.services import security_role, users
from approvals import selectors, statement
from approvals.attestation import votes as evidence
from approvals.errors import OwnRequest
from approvals.selectors.evidence import cast_of
from approvals.services import decisions, verification
from audit.errors import Forged
from tests.accounts import factories
from tests.approvals.conftest import approve, work
from tests.approvals.executing import forge, stale
from tests.approvals.http import Browser
from tests.approvals.test_triggers import vote

pytestmark = pytest.mark.django_db
INVENTED = "Otto Nobody"


@pytest.fixture
def invented(people) -> User:
    """An operator whom the administrator made up, and whose link he opened himself."""
    person = users.create_person(name=INVENTED, email="otto@example.com", by=people.administrator)
    made, link = users.create_user(
        person=person.pk, username="otto", role=Role.OPERATOR, by=people.administrator
    )
    security_role.enrol(link.rstrip("/").rpartition("/")[2], password=factories.PASSWORD)
    made.refresh_from_db()
    return made


@pytest.fixture
def linked(people) -> User:
    """An operator whom the command line made, and to whom the administrator handed a link."""
    made = factories.make_user("lina", role=Role.OPERATOR)
    User.objects.filter(pk=made.pk).update(password="!")
    link = users.new_link(made.pk, by=people.administrator)
    security_role.enrol(link.rstrip("/").rpartition("/")[2], password=factories.PASSWORD)
    made.refresh_from_db()
    return made


@pytest.mark.parametrize("asker", ["invented", "linked"])
def test_p1_who_made_the_asker_or_its_link_does_not_decide(people, ask, asker, request):
    """P1: a person whom an administrator invents asks for him."""
    made = ask(by=request.getfixturevalue(asker))
    with pytest.raises(OwnRequest, match="You made the account"):
        decisions.challenge(made.pk, by=people.administrator, verdict="approve", digest=made.digest)


def test_p1_the_statement_names_who_made_the_asker(people, ask, invented):
    """P1: so that the evidence shows it without the database."""
    made = ask(by=invented)
    said = statement.parse(bytes(made.statement))
    assert said.asker.made_by == (people.administrator.person_id,)
    assert people.administrator.person_id in said.askers


def test_a_statement_of_somebody_whom_nobody_made_says_nothing_of_it(pending):
    assert json.loads(bytes(pending.statement))["asker"].keys() == {"on_behalf", "person", "user"}


def test_p1_another_administrator_and_security_still_decide(people, ask, invented):
    """P1: they saw no link."""
    made = ask(by=invented)
    able = {user.username for user in selectors.deciders(made)}
    assert able == {"dora", "carl", "tess", "olga2"}


def test_p1_the_maker_has_nothing_in_the_inbox(people, ask, invented):
    """P1"""
    made = ask(by=invented)
    assert made not in selectors.inbox(people.administrator)
    assert made in selectors.inbox(people.dpo)


def test_p1_the_page_says_why(people, ask, invented):
    """P1: in words, in place of the buttons."""
    made = ask(by=invented)
    page = Browser(people.administrator).get(reverse("request", args=[made.pk]))
    assert "You made the account that asks" in page.content.decode()


@pytest.mark.parametrize("asker", ["invented", "linked"])
def test_p1_the_database_refuses_the_makers_vote(people, ask, asker, request):
    """P1: past every rule of ours."""
    made = ask(by=request.getfixturevalue(asker))
    with pytest.raises(Exception, match="whoever made the account") as caught:
        vote(made, people.administrator, capacity="administrator")
    assert caught.value.__cause__.diag.constraint_name == "vote_not_of_the_maker"


def test_p1_the_worker_does_not_count_the_makers_vote(people, ask, roster, invented):
    """P1: not even one that stood in the table before the maker was known."""
    made = ask(by=people.operator)
    approve(people.administrator, made)
    forge("accounts_user", people.operator.pk, created_by_id=people.administrator.pk)
    assert "not enough" in stale(made)


def test_p1_the_evidence_refuses_the_makers_vote(people, ask, roster, invented):
    """P1: by the statement alone."""
    made = ask(by=people.operator)
    cast = cast_of(approve(people.administrator, made).votes.get())
    said = statement.parse(bytes(made.statement))
    asker = dataclasses.replace(said.asker, made_by=(people.administrator.person_id,))
    with pytest.raises(Forged, match="asker's own"):
        evidence.judge(
            cast,
            dataclasses.replace(said, asker=asker),
            made.digest,
            verification.roster_in_force(),
            origin="http://localhost:8000",
        )


def test_what_others_approve_for_a_made_account_is_executed(people, ask, roster, invented):
    assert work(approve(people.dpo, ask(by=invented))).state == "executed"


def test_p14_who_made_an_account_is_written_once(people, invented):
    """P14: by nobody's SQL."""
    with pytest.raises(Exception, match="written once"):
        User.objects.filter(pk=invented.pk).update(created_by=None)


@pytest.mark.parametrize("change", [{"issued_by": None}, {"user_id": None}])
def test_p14_who_saw_a_link_is_written_once(people, invented, change):
    """P14"""
    with pytest.raises(Exception, match=r"written once|null value"):
        EnrolmentLink.objects.filter(user=invented).update(**change)


def test_p13_a_link_stays(people, invented):
    """P13"""
    with pytest.raises(Exception, match="delete of accounts_enrolmentlink"):
        EnrolmentLink.objects.filter(user=invented).delete()


def test_what_the_worker_mails_makes_nobody_an_asker(people, mailoutbox):
    """A link after a decided reset goes to its person alone."""
    User.objects.filter(pk=people.operator.pk).update(password="!", email="olga@example.com")
    users.send_link(people.operator.pk)
    assert makers_of(people.operator.pk) == frozenset()
