"""Who may do what with one job or repository: granted by administrators, never to oneself, and in the log."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from accounts.errors import Invalid, NotEligible
from accounts.models import Role
from audit.models import Entry
from encryption import selectors
from encryption.errors import Unknown
from encryption.models import JobUserObjectPermission, RepositoryUserObjectPermission
from encryption.services import grants
from tests.accounts.factories import add_totp, make_security
from tests.accounts.factories import make_user as make_account

pytestmark = pytest.mark.django_db
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def anna():
    return make_account("anna", role=Role.ADMINISTRATOR, is_staff=True)


@pytest.fixture
def newcomer():
    return make_account("nora")


def test_granted_verb_is_one_that_counts(bench, anna, newcomer):
    for verb in ("view", "run"):
        grants.grant(bench.job, verb, to=newcomer.pk, by=anna)
    assert list(selectors.jobs_for(newcomer)) == [bench.job]
    assert [verb for verb in ("run", "restore") if selectors.may(newcomer, verb, bench.job)] == ["run"]


def test_grant_and_its_end_are_in_the_log(bench, anna, newcomer):
    grants.grant(bench.job, "run", to=newcomer.pk, by=anna)
    grants.revoke(bench.job, "run", of=newcomer.pk, by=anna)
    written = Entry.objects.filter(event__startswith="access.").order_by("sequence")
    assert [(entry.event, entry.actor, entry.facts) for entry in written] == [
        (event, anna.pk, {"user": str(newcomer.pk), "verb": "run"})
        for event in ("access.granted", "access.revoked")
    ]


def test_same_grant_twice_is_one(bench, anna, newcomer):
    for _ in range(2):
        grants.grant(bench.job, "run", to=newcomer.pk, by=anna)
    assert Entry.objects.filter(event="access.granted").count() == 1


def test_nobody_grants_to_themselves(bench, anna):
    """P14: not with another account of the same person either."""
    other = make_account("anna2", role=Role.OPERATOR, person=anna.person)
    for account in (anna, other):
        with pytest.raises(NotEligible):
            grants.grant(bench.job, "run", to=account.pk, by=anna)


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR, Role.SERVICE, Role.ENTERPRISE, None])
def test_only_administrators_grant(bench, newcomer, role):
    with pytest.raises(NotEligible):
        grants.grant(bench.job, "run", to=newcomer.pk, by=make_account("other", role=role))


def test_superuser_grants_nothing(bench, newcomer):
    """P14: guardian rows are not a superuser's to write."""
    root = make_account("root", is_superuser=True, is_staff=True)
    with pytest.raises(NotEligible):
        grants.grant(bench.job, "run", to=newcomer.pk, by=root)


def test_security_is_given_nothing(bench, anna):
    """P4: who holds a seat takes nothing of the backup team."""
    with pytest.raises(NotEligible):
        grants.grant(bench.job, "run", to=make_security()[0].pk, by=anna)


def test_row_of_somebody_who_took_a_seat_counts_for_nothing(bench):
    """P4: a row forged, or older than the seat, opens nothing."""
    member = make_security()[0]
    for codename in ("view_job", "run_job"):
        permission = Permission.objects.get(codename=codename)
        JobUserObjectPermission.objects.create(user=member, content_object=bench.job, permission=permission)
    assert not selectors.may(member, "run", bench.job)


def test_auditor_is_given_nothing_to_do(bench, anna):
    with pytest.raises(NotEligible):
        grants.grant(bench.job, "run", to=make_account(role=Role.AUDITOR).pk, by=anna)


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.ADMINISTRATOR, True), (Role.OPERATOR, False), (Role.AUDITOR, False), (Role.SERVICE, False)],
)
def test_deciding_is_for_administrators(bench, anna, role, allowed):
    account = make_account("other", role=role)
    try:
        grants.grant(bench.repository, "decide", to=account.pk, by=anna)
    except NotEligible:
        assert not allowed
    assert RepositoryUserObjectPermission.objects.filter(user=account).exists() == allowed


def test_a_verb_of_the_other_kind_is_refused(bench, anna, newcomer):
    with pytest.raises(Invalid):
        grants.grant(bench.job, "decide", to=newcomer.pk, by=anna)


def test_taking_away_what_is_not_there_is_refused(bench, anna, newcomer):
    with pytest.raises(Unknown):
        grants.revoke(bench.job, "run", of=newcomer.pk, by=anna)


def page_as(user) -> Client:
    add_totp(user)
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user, backend=BACKEND)
    return client


def test_page_grants_and_takes_away(bench, anna, newcomer):
    client, address = page_as(anna), f"/admin/encryption/job/{bench.job.pk}/permissions/"
    client.post(address, {"do": "grant", "user": "nora", "verb": "restore"})
    assert "restore from it" in client.get(address).content.decode()
    client.post(address, {"do": "revoke", "user": str(newcomer.pk), "verb": "restore"})
    assert not JobUserObjectPermission.objects.exists()


def test_page_is_linked_from_the_row(bench, anna):
    address = f"/admin/encryption/repository/{bench.repository.pk}/"
    assert f"{address}permissions/" in page_as(anna).get(f"{address}change/").content.decode()


def test_operator_reads_the_page_and_grants_nothing(bench, newcomer):
    olga = make_account("olga", role=Role.OPERATOR, is_staff=True)
    client, address = page_as(olga), f"/admin/encryption/job/{bench.job.pk}/permissions/"
    assert 'value="Grant"' not in client.get(address).content.decode()
    client.post(address, {"do": "grant", "user": "nora", "verb": "run"})
    assert not JobUserObjectPermission.objects.exists()
    assert Entry.objects.filter(event="attempt.refused").count() == 1


@pytest.mark.parametrize("body", [{}, {"do": "grant"}, {"do": "grant", "user": "x", "verb": "run"}])
def test_odd_form_changes_nothing(bench, anna, body):
    assert page_as(anna).post(f"/admin/encryption/job/{bench.job.pk}/permissions/", body).status_code == 200
