"""P14: a passkey that was given up leaves the signed roster; one that the worker refuses is told why."""

import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from fido2.utils import websafe_encode

from accounts.errors import NotEligible, ProofInvalid
from accounts.models import CredentialEnrolment, Notice, Roster
from accounts.roster import Credential
from accounts.services import passkeys, sessions
from accounts.services.security_role import roster_in_force
from audit.models import Outbox
from audit.queue import Task
from tests.accounts.soft_passkey import SoftPasskey
from tests.approvals.conftest import sign_roster, work
from tests.approvals.http import Browser
from tests.approvals.test_roster_passkeys import decide, level, offer

pytestmark = pytest.mark.django_db
State = CredentialEnrolment.State


@pytest.fixture
def keys_(people) -> tuple[SoftPasskey, SoftPasskey]:
    """Two passkeys of the DPO's, both in the signed roster."""
    pair = (SoftPasskey(), SoftPasskey())
    for key in pair:
        key.add_to(people.dpo)
    known = tuple(Credential(websafe_encode(key.id), websafe_encode(key.public_key)) for key in pair)
    sign_roster(people, {people.dpo: known})
    return pair


def give_up(user, key: SoftPasskey) -> None:
    """Remove a passkey as the page of factors does."""
    with sessions.changing_factor(user, Authenticator.Type.WEBAUTHN, "removed"):
        for row in Authenticator.objects.filter(user=user, type=Authenticator.Type.WEBAUTHN):
            if row.data["credential"]["id"] == websafe_encode(key.id):
                row.delete()


def in_roster(user) -> list[str]:
    return [credential.id for credential in roster_in_force().entry(user.pk).credentials]


def test_p14_a_passkey_that_is_given_up_leaves_the_roster(people, keys_):
    """P14: whoever has it signs nothing any more."""
    give_up(people.dpo, keys_[0])
    assert Outbox.objects.filter(name=Task.DROP_CREDENTIALS, ref=people.dpo.pk).exists()
    passkeys.drop_credentials(people.dpo.pk)
    assert in_roster(people.dpo) == [websafe_encode(keys_[1].id)]
    assert Notice.objects.filter(user=people.dpo, what=Notice.What.PASSKEY_LEFT_ROSTER).count() == 1


def test_a_second_delivery_signs_no_other_roster(people, keys_):
    give_up(people.dpo, keys_[0])
    passkeys.drop_credentials(people.dpo.pk)
    passkeys.drop_credentials(people.dpo.pk)
    assert Roster.objects.count() == 2


def test_nothing_given_up_signs_no_roster(people, keys_):
    passkeys.drop_credentials(people.dpo.pk)
    passkeys.drop_credentials(people.operator.pk)
    assert Roster.objects.count() == 1


def test_before_the_role_is_sealed_there_is_nothing_to_leave(people):
    passkeys.drop_credentials(people.dpo.pk)
    assert not Roster.objects.exists()


def test_the_last_passkey_leaves_too(people, keys_):
    for key in keys_:
        give_up(people.dpo, key)
    passkeys.drop_credentials(people.dpo.pk)
    assert in_roster(people.dpo) == []


def test_a_decision_with_a_passkey_that_left_is_only_recorded(people, keys_, ask):
    request = decide(people.dpo, ask(), keys_[0])
    give_up(people.dpo, keys_[0])
    passkeys.drop_credentials(people.dpo.pk)
    work(request)
    assert level(request) == "recorded"


def test_p14_a_passkey_that_was_given_up_meanwhile_does_not_enter(people, keys_):
    """P14: between its signature and the worker's look."""
    third = SoftPasskey()
    made = offer(people.dpo, keys_[0], third.add_to(people.dpo))
    give_up(people.dpo, third)
    with pytest.raises(NotEligible):
        passkeys.enrol_credential(made.pk)
    made.refresh_from_db()
    assert (made.state, made.reason) == (State.REFUSED, "This passkey is not the account's any more.")


def refuse(people, keys_) -> CredentialEnrolment:
    """A passkey whose signature the worker finds wrong."""
    third = SoftPasskey()
    third.add_to(people.dpo)
    forged = CredentialEnrolment.objects.create(
        user=people.dpo,
        credential=websafe_encode(third.id),
        public_key=websafe_encode(third.public_key),
        proof={"factor": "passkey", "credential": websafe_encode(keys_[0].id), "response": {}},
    )
    with pytest.raises(ProofInvalid):
        passkeys.enrol_credential(forged.pk)
    forged.refresh_from_db()
    return forged


def test_a_refused_passkey_says_why_and_may_be_tried_again(people, keys_):
    refused = refuse(people, keys_)
    assert (refused.state, bool(refused.reason)) == (State.REFUSED, True)
    assert Notice.objects.filter(user=people.dpo, what=Notice.What.PASSKEY_REFUSED).count() == 1
    page = Browser(people.dpo).get(reverse("account")).content.decode()
    assert "the worker refused it" in page
    assert "waiting for the worker" not in page
    assert page.count("Put it on the roster") == 1


def test_a_waiting_passkey_says_so(people, keys_):
    offer(people.dpo, keys_[0], SoftPasskey().add_to(people.dpo))
    page = Browser(people.dpo).get(reverse("account")).content.decode()
    assert page.count("waiting for the worker") == 1
    assert "Put it on the roster" not in page


def test_what_entered_says_so(people, keys_):
    made = offer(people.dpo, keys_[0], SoftPasskey().add_to(people.dpo))
    passkeys.enrol_credential(made.pk)
    made.refresh_from_db()
    assert made.state == State.ENTERED


def test_the_database_lets_an_offer_be_judged_once(people, keys_):
    refused = refuse(people, keys_)
    with pytest.raises(Exception, match="judged once"):
        CredentialEnrolment.objects.filter(pk=refused.pk).update(state=State.ENTERED, reason="")


@pytest.mark.parametrize("column", ["state", "reason", "proof", "public_key"])
def test_p14_the_web_judges_no_offer(as_role, column):
    """P14"""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(f"UPDATE accounts_credentialenrolment SET {column} = NULL")


@pytest.mark.parametrize("column", ["state", "reason"])
def test_the_worker_judges_offers(as_role, column):
    as_role("worker").execute(f"UPDATE accounts_credentialenrolment SET {column} = NULL")
