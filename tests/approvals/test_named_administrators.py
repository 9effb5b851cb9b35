"""P1, P6: where administrators are named for a repository, only they decide there as administrators."""

import dataclasses

import pytest
from django.contrib.auth.models import Permission

from accounts.models import Role
from approvals import selectors, statement
from approvals.errors import Invalid, NotEligible
from approvals.services import decisions, verification
from encryption.models import Job, Repository, RepositoryUserObjectPermission
from encryption.services import grants
from tests.accounts import factories
from tests.approvals.conftest import approve, work
from tests.approvals.executing import stale
from tests.approvals.test_triggers import vote

pytestmark = pytest.mark.django_db


@pytest.fixture
def other(people):
    """Another administrator."""
    return factories.make_user("otis", role=Role.ADMINISTRATOR)


def name(job: Job, user, *, by) -> None:
    grants.grant(job.repository, "decide", to=user.pk, by=by)


def challenge(request, user) -> None:
    decisions.challenge(request.pk, by=user, verdict="approve", digest=request.digest)


def named_in(request) -> tuple | None:
    return statement.parse(bytes(request.statement)).administrators


def test_where_nobody_is_named_every_administrator_decides(people, ask):
    request = ask()
    assert named_in(request) is None
    challenge(request, people.administrator)


def test_who_is_named_decides_and_others_do_not(people, ask, job, other):
    name(job, people.administrator, by=other)
    request = ask()
    assert named_in(request) == (people.administrator.pk,)
    challenge(request, people.administrator)
    with pytest.raises(NotEligible, match="Other administrators are named"):
        challenge(request, other)


def test_security_decides_all_the_same(people, ask, job, other):
    name(job, people.administrator, by=other)
    challenge(ask(), people.dpo)


def test_those_who_can_decide_and_their_inboxes_say_the_same(people, ask, job, other):
    name(job, people.administrator, by=other)
    request = ask()
    assert {user.username for user in selectors.deciders(request)} == {"dora", "carl", "tess", "adam"}
    assert selectors.inbox(people.administrator) == [request]
    assert selectors.inbox(other) == []


def test_another_repository_is_not_concerned(people, ask, job, other, make_job, vsec_home):
    name(job, people.administrator, by=other)
    place = vsec_home.path / "repositories" / "two"
    place.mkdir()
    elsewhere = make_job("Elsewhere")
    Job.objects.filter(pk=elsewhere.pk).update(
        repository=Repository.objects.create(name="Other", location=str(place))
    )
    request = ask(Job.objects.get(pk=elsewhere.pk))
    assert named_in(request) is None
    challenge(request, other)


def test_p6_who_is_named_later_is_not_added(people, ask, job, other):
    """P6: what is open is never eased."""
    name(job, people.administrator, by=other)
    request = ask()
    name(job, other, by=people.administrator)
    grants.revoke(job.repository, "decide", of=people.administrator.pk, by=other)
    for user in (people.administrator, other):
        with pytest.raises(NotEligible):
            challenge(request, user)


def test_p6_taking_the_last_name_away_eases_no_open_request(people, ask, job, other):
    """P6"""
    name(job, people.administrator, by=other)
    request = ask()
    grants.revoke(job.repository, "decide", of=people.administrator.pk, by=people.administrator)
    with pytest.raises(NotEligible):
        challenge(request, other)


def test_who_is_named_before_the_decision_narrows_it(people, ask, job, other):
    request = ask()
    name(job, people.administrator, by=other)
    with pytest.raises(NotEligible):
        challenge(request, other)


def test_a_row_of_a_superuser_names_nobody(people, ask, job, other):
    """A superuser passes every `has_perm`, and decides on nothing."""
    RepositoryUserObjectPermission.objects.create(
        user=people.superuser,
        permission=Permission.objects.get(codename="decide_repository"),
        content_object=job.repository,
    )
    request = ask()
    assert named_in(request) == ()
    for user in (people.superuser, people.administrator, other):
        with pytest.raises(NotEligible):
            challenge(request, user)
    challenge(request, people.dpo)


def test_p1_a_row_gives_nobody_an_office(people, ask, job, other):
    """P1: what counts is the membership."""
    RepositoryUserObjectPermission.objects.create(
        user=people.nobody,
        permission=Permission.objects.get(codename="decide_repository"),
        content_object=job.repository,
    )
    request = ask(by=people.administrator)
    assert people.nobody not in selectors.deciders(request)


def test_a_policy_that_nobody_named_could_meet_is_not_asked_under(people, ask, job, other):
    """The asker's own account is the only one that is named; but Security is there."""
    name(job, people.administrator, by=other)
    assert named_in(ask(by=people.administrator)) == (people.administrator.pk,)


def test_the_worker_counts_by_those_who_are_named_now(people, ask, job, other, roster):
    """An administrator's yes is lost when others are named before it is executed."""
    request = approve(people.administrator, ask())
    name(job, other, by=people.administrator)
    assert "not enough" in stale(request)


def test_what_the_named_approves_is_executed(people, ask, job, other, roster):
    name(job, people.administrator, by=other)
    assert work(approve(people.administrator, ask())).state == "executed"


def test_the_database_refuses_the_vote_of_another(people, ask, job, other):
    name(job, people.administrator, by=other)
    with pytest.raises(Exception, match="other administrators are named") as caught:
        vote(ask(), other, capacity="administrator")
    assert caught.value.__cause__.diag.constraint_name == "vote_of_the_named"


def test_a_statement_with_an_empty_or_unsorted_list_is_read_as_written(people, ask, job, other):
    name(job, people.administrator, by=other)
    said = statement.parse(bytes(ask().statement))
    for named in ((), (people.administrator.pk, other.pk)):
        again = statement.build(dataclasses.replace(said, administrators=named))
        assert set(statement.parse(again).administrators) == set(named)
    with pytest.raises(Invalid):
        statement.parse(again.replace(b'"administrators":[', b'"administrators":["x",'))


def test_the_evidence_counts_by_the_statement(people, ask, job, other, roster):
    name(job, people.administrator, by=other)
    said, found = verification.verify(approve(people.administrator, ask()))
    assert (said.administrators, found.approved_by) == ((people.administrator.pk,), "administrator")
