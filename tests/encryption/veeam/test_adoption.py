"""A value that somebody types is held once Veeam has verified it, and nothing else."""

import pytest
from django.core.cache import cache
from django.db import IntegrityError, transaction

from accounts.errors import NotEligible
from accounts.models import Role
from audit.errors import Later
from audit.models import Alarm, Entry
from encryption.crypto.secret import Secret
from encryption.errors import ServerRefused
from encryption.models import Attestation, PasswordVersion, VeeamAdoption, VeeamPassword
from encryption.services import offers, vault
from encryption.services.veeam import adoption
from tests.alarms import assert_ended
from tests.encryption.conftest import make_user
from tests.encryption.veeam.standin import days

pytestmark = pytest.mark.django_db

VALUE = "plain-Sailing-19"


@pytest.fixture(autouse=True)
def quiet():
    cache.clear()


@pytest.fixture
def operator():
    return make_user("olga", Role.OPERATOR)


@pytest.fixture
def gold(there, read):
    """A password that nobody here knows."""
    there.add_password("Gold", VALUE)
    there.password = lambda external: there.held[external]
    read()
    return VeeamPassword.objects.get().password


def offer(password, by, value=VALUE):
    made = adoption.adopt(password.pk, by=by, typed=Secret(value.encode()))
    adoption.prove(made.pk)
    made.refresh_from_db()
    return made


def test_right_value_is_held(gold, operator):
    made = offer(gold, operator)
    version = PasswordVersion.objects.get()
    assert (made.state, made.sealed) == ("adopted", None)
    assert vault.password_of(version).reveal().decode() == VALUE
    assert version.known_to == [str(operator.person_id)]


def test_how_hard_it_is_to_guess_is_known(gold, operator):
    offer(gold, operator)
    version = PasswordVersion.objects.get()
    assert (version.length, version.strength) == (16, 4)


@pytest.mark.parametrize("change", [{"strength": 1}, {"length": 40}])
def test_a_judgement_is_written_once(gold, operator, change):
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        PasswordVersion.objects.update(**change)
    offer(gold, operator)
    with pytest.raises(IntegrityError, match="written once"), transaction.atomic():
        PasswordVersion.objects.update(**change)


def test_adopted_value_is_approved_by_nobody(gold, operator):
    """P10"""
    offer(gold, operator)
    assert not Attestation.objects.exists()
    assert Entry.objects.filter(event="veeam.password_adopted").exists()


def test_wrong_value_is_forgotten_and_alarmed(gold, operator):
    made = offer(gold, operator, "something-Else-11")
    assert (made.state, made.sealed, PasswordVersion.objects.get().sealed_password) == ("wrong", None, None)
    assert Alarm.objects.filter(kind="veeam.adoption_failed", state="raised").count() == 1


@pytest.mark.alarm("veeam.adoption_failed")
def test_right_value_after_a_wrong_one_ends_the_alarm(gold, operator):
    offer(gold, operator, "something-Else-11")
    offer(gold, operator)
    assert not Alarm.objects.filter(kind="veeam.adoption_failed", state="raised").exists()


def test_the_alarm_ends_with_a_password_that_is_gone_there(gold, operator, there, read):
    offer(gold, operator, "something-Else-11")
    there.held.clear()
    read()
    assert_ended("veeam.adoption_failed")


def test_wrong_values_are_slowed_before_veeam_blocks(gold, operator, there):
    """Five a minute reach Veeam, which blocks at fifteen."""
    for _ in range(5):
        offer(gold, operator, "something-Else-11")
    there.asked.clear()
    with pytest.raises(Later):
        offer(gold, operator)
    assert "verify" not in there.asked
    assert VeeamAdoption.objects.filter(state="waiting").count() == 1


def test_many_tries_in_an_hour_are_refused(gold, operator):
    for _ in range(offers.MOST):
        VeeamAdoption.objects.create(password=gold, asked_by=operator.pk, person=operator.person_id)
    with pytest.raises(ServerRefused, match="many tries"):
        offer(gold, operator)


def test_value_that_is_held_is_not_asked_for(gold, operator):
    offer(gold, operator)
    with pytest.raises(ServerRefused, match="held here already"):
        offer(gold, operator)


def test_value_of_before_a_change_is_not_taken_for_the_new_one(gold, operator, there):
    [external] = there.held
    there.change(external, "another-One-12", days(2))
    made = offer(gold, operator)
    assert (made.state, PasswordVersion.objects.get().sealed_password) == ("failed", None)


def test_server_that_is_away_keeps_the_offer(gold, operator, there):
    there.away = True
    made = adoption.adopt(gold.pk, by=operator, typed=Secret(VALUE.encode()))
    with pytest.raises(Later):
        adoption.prove(made.pk)
    there.away = False
    adoption.prove(made.pk)
    made.refresh_from_db()
    assert made.state == "adopted"


def test_old_revision_cannot_prove(gold, operator, there):
    there.revision = "1.2-rev1"
    assert offer(gold, operator).state == "failed"


def test_auditor_adopts_nothing(gold):
    with pytest.raises(NotEligible):
        offer(gold, make_user("aude", Role.AUDITOR))


def test_offer_moved_to_another_password_does_not_open(gold, operator, there, read):
    """P9: sealed for this offer of this password."""
    there.add_password("Silver", VALUE, days(1))
    read()
    made = adoption.adopt(gold.pk, by=operator, typed=Secret(VALUE.encode()))
    other = VeeamPassword.objects.exclude(password=gold).get().password
    VeeamAdoption.objects.filter(pk=made.pk).update(password=other)
    adoption.prove(made.pk)
    made.refresh_from_db()
    assert (made.state, PasswordVersion.objects.filter(sealed_password__isnull=False).count()) == (
        "failed",
        0,
    )


def test_no_value_is_in_the_log(gold, operator):
    """P9"""
    offer(gold, operator)
    assert VALUE not in " ".join(str(entry.facts) for entry in Entry.objects.all())
