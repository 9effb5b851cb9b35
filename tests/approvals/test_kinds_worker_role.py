"""What a decided request about people or rules does, the worker does in its own role of the database."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from fido2.utils import websafe_encode

from accounts.models import Notice, Roster
from accounts.roster import Credential
from accounts.services import notices, passkeys, suspensions, users
from approvals.models import State
from approvals.services import deadlines
from tests.accounts.soft_passkey import SoftPasskey
from tests.accounts.suspending import suspend
from tests.approvals.conftest import approve, sign_roster, work
from tests.approvals.governing import asked, candidate, seat

pytestmark = pytest.mark.django_db


@contextmanager
def as_worker() -> Iterator[None]:
    """Do what follows as the worker does."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute("SET ROLE veeamsec_worker")
        yield
        cursor.execute("RESET ROLE")


WISHES: dict[str, Callable] = {
    "add_security_member": lambda people: {"user": candidate().pk, "title": "dpo"},
    "remove_security_member": lambda people: {"member": seat(people.third).pk},
    "replace_security_member": lambda people: {
        "member": seat(people.third).pk,
        "user": candidate().pk,
        "title": "other",
    },
    "grant_administrator": lambda people: {"user": candidate().pk, "role": "backup"},
    "revoke_administrator": lambda people: {"user": people.administrator.pk, "role": "backup"},
    "reset_credentials": lambda people: {"user": people.administrator.pk},
    "change_policy": lambda people: {"scope": None, "policy": {"quorum": 2}},
}


@pytest.mark.parametrize("kind", WISHES)
def test_every_kind_is_executed_in_the_workers_role(people, roster, kind):
    request = approve(people.ciso, asked(kind, people.dpo, **WISHES[kind](people)))
    with as_worker():
        work(request)
    assert request.state == State.EXECUTED, request.outcome


def test_what_a_stricter_policy_outdates_ends_in_the_workers_role(people, roster, pending):
    work(approve(people.ciso, asked("change_policy", people.dpo, scope=None, policy={"quorum": 2})))
    with as_worker():
        assert deadlines.end_outdated() == 1


def test_a_suspension_ends_and_people_are_told_in_the_workers_role(people, mailoutbox):
    suspend(people.dpo, people.ciso)
    with time_machine.travel(timezone.now() + timedelta(hours=73)), as_worker():
        assert suspensions.settle() == 1
        assert notices.send(Notice.objects.first().pk)


def test_a_link_is_sent_in_the_workers_role(people, roster, mailoutbox):
    work(approve(people.ciso, asked("reset_credentials", people.dpo, user=people.operator.pk)))
    with as_worker():
        users.send_link(people.operator.pk)
    assert "Set your password" in mailoutbox[-1].subject


def test_a_passkey_enters_the_roster_in_the_workers_role(people):
    first, second = SoftPasskey(), SoftPasskey()
    first.add_to(people.dpo)
    known = Credential(websafe_encode(first.id), websafe_encode(first.public_key))
    sign_roster(people, {people.dpo: (known,)})
    row = second.add_to(people.dpo)
    answer = first.sign(passkeys.begin(row.pk, by=people.dpo)["challenge"])
    made = passkeys.enter_roster(row.pk, by=people.dpo, answer=answer, interactive=True)
    with as_worker():
        passkeys.enrol_credential(made.pk)
    assert Roster.objects.count() == 2
