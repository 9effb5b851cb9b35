"""Checks about who decides: a house where offices are apart, and one where they mix."""

import pytest
from allauth.mfa.totp.internal.auth import TOTP
from django.db import connection

from accounts.models import User
from accounts.services import users
from approvals.models import State
from compliance.services import analyzing
from tests.accounts import factories
from tests.accounts.suspending import suspend
from tests.approvals.conftest import approve, work
from tests.approvals.governing import asked
from tests.compliance.there import analyzed, texts

pytestmark = pytest.mark.django_db


@pytest.mark.finds("unable_to_detect", "security.separation")
@pytest.mark.finds("not_implemented", "policies.four_eyes", "security.seats")
def test_before_anybody_is_there_no_four_eyes_hold(vsec_home, transactional):
    done = analyzing.analyze(analyzing.analyze_when_due().pk)
    assert done.findings.get(code="security.separation").summary == "There is no member of Security yet."


@pytest.mark.finds("passed", "people.tokens", "policies.four_eyes", "security.seats", "security.separation")
@pytest.mark.finds("not_implemented", "people.factors")
def test_offices_that_are_apart_pass(people):
    assert analyzed(people)["people.tokens"].summary == "No token is in use."


@pytest.mark.finds("passed", "people.factors", "people.tokens")
def test_factors_and_tokens_that_end_pass(people):
    for user in User.objects.filter(is_active=True, is_human=True, authenticator=None):
        TOTP.activate(user, factories.TOTP_SECRET)
    users.create_token(user=people.service, name="Nightly", days=365, scopes=["api"], by=people.administrator)
    assert analyzed(people)["people.tokens"].summary == "1 of 1 tokens end within a year of their making."


@pytest.mark.finds("not_implemented", "passwords.leavers")
def test_who_asked_and_left_still_knows_it(people, encrypted):
    # The person's other account is an administrator's: that one ends by a request.
    asked_for = {"user": people.second_account.pk, "role": "backup"}
    request = asked("revoke_administrator", people.administrator, **asked_for)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    for account in (people.operator, people.second_account):
        users.set_active(account.pk, active=False, by=people.administrator)
    assert texts(analyzed(people)["passwords.leavers"]) == ["Hall 2026: somebody who knows it has left."]


@pytest.mark.finds("not_implemented", "people.factors", "policies.four_eyes", "security.seats")
def test_a_quorum_that_a_suspension_leaves_out_of_reach_is_named(people, roster):
    request = asked("change_policy", people.ciso, scope=None, policy={"quorum": 2, "mfa_required": False})
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    suspend(people.dpo, people.third)
    found = analyzed(people)
    assert texts(found["policies.four_eyes"]) == ["Everywhere: 2 approvals are needed of 2 members."]
    assert "is suspended." in texts(found["security.seats"])
    assert "Everywhere: the policy lets people decide without one." in texts(found["people.factors"])


@pytest.mark.finds("not_implemented", "people.tokens", "security.separation")
def test_what_somebody_did_at_the_database_is_named(people):
    """No service mixes offices or makes a token without an end; who owns the database can."""
    users.create_token(user=people.service, name="x", days=30, scopes=["api"], by=people.administrator)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE accounts_user SET is_superuser = true WHERE id = %s", [people.dpo.pk])
        cursor.execute("UPDATE accounts_apitoken SET expiry = NULL")
    found = analyzed(people)
    assert texts(found["people.tokens"]) == ["A token never ends."]
    assert texts(found["security.separation"]) == ["sits in Security and works with backups."]
