"""What is asked about a Veeam server the web asks in its own role, and the worker does in its own."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from django.core.cache import cache
from django.db import ProgrammingError, connection, transaction

from approvals.models import State
from approvals.services import requests
from encryption.crypto.secret import Secret
from encryption.models import Drift, PasswordVersion, VeeamAdoption, VeeamPassword
from encryption.services import passwords
from encryption.services.veeam import adoption
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import OTHER, SECRET, job_named, the_password

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def quiet():
    cache.clear()


@contextmanager
def role(name: str) -> Iterator[None]:
    """Do what follows in one of the roles of the database."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SET ROLE veeamsec_{name}")
        yield
        cursor.execute("RESET ROLE")


def executed(people, ask, *given, **fields):
    with role("web"):
        request = ask(*given, **fields)
    approve(people.dpo, request)
    with role("worker"):
        work(request)
    assert request.state == State.EXECUTED, request.outcome


def test_life_of_a_password_in_both_roles(people, there, read, ask_for):
    there.add_job("Mail")
    read()
    executed(people, ask_for, "activate_encryption", "Mail", new_password=SECRET, hint="Mail")
    password = the_password(job_named("Mail"))
    executed(people, ask_for, "change_password", encryption_password=password.pk, new_password=OTHER)
    executed(people, ask_for, "deactivate_encryption", "Mail")
    executed(people, ask_for, "delete_password", encryption_password=password.pk)
    with role("worker"):
        passwords.erase(password.pk)
    assert not PasswordVersion.objects.filter(sealed_password__isnull=False).exists()


@pytest.mark.parametrize("kind", ["explain_drift", "revert_drift"])
def test_drift_is_decided_in_both_roles(people, there, read, activated, kind):
    [external] = there.held
    there.change(external, "behind-our-Back-99", there.tick())
    read()
    drift = Drift.objects.get(closed_at=None)

    def ask() -> object:
        return requests.ask(kind, by=people.administrator, reason="Night shift.", drift=drift.pk)

    executed(people, ask)


def test_value_is_adopted_in_both_roles(people, there, read):
    there.add_password("Gold", "plain-Sailing-19")
    read()
    password = VeeamPassword.objects.get().password
    with role("web"):
        offer = adoption.adopt(password.pk, by=people.operator, typed=Secret(b"plain-Sailing-19"))
    with role("worker"):
        adoption.prove(offer.pk)
    offer.refresh_from_db()
    assert offer.state == VeeamAdoption.State.ADOPTED


def test_web_does_not_say_that_a_value_was_proved(people, there, read):
    there.add_password("Gold")
    read()
    VeeamAdoption.objects.create(
        password=VeeamPassword.objects.get().password,
        asked_by=people.operator.pk,
        person=people.operator.person_id,
    )
    with pytest.raises(ProgrammingError), transaction.atomic(), role("web"):
        VeeamAdoption.objects.update(said="proved")
