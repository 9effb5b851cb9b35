"""Security and auditors are told once when a check answers otherwise."""

import pytest
from django.core import mail

from audit.models import Outbox
from compliance.services import telling
from tests.accounts import factories

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def changed(people, look):
    """Two runs; between them a person without a second factor got one."""
    factories.add_totp(people.second_account.person.users.get(username="olga"))
    look("people.factors")
    for name in ("norbert", "aude"):
        factories.add_totp(type(people.dpo).objects.get(username=name))
    return look("people.factors").assessment


def test_who_reads_findings_is_told_once(people, changed):
    assert (telling.tell(changed.pk), telling.tell(changed.pk)) == (4, 0)
    told = {address for message in mail.outbox for address in message.to}
    assert told == {user.person.email for user in (people.dpo, people.ciso, people.third, people.auditor)}
    assert all("/compliance/" in message.body and "1 check" in message.body for message in mail.outbox)


def test_the_first_run_tells_nobody(look):
    assert telling.tell(look("people.factors").assessment_id) == 0


def test_nothing_changed_nobody_is_told(look):
    look("people.factors")
    assert telling.tell(look("people.factors").assessment_id) == 0


def test_each_run_asks_for_the_telling(look):
    found = look("people.factors")
    assert Outbox.objects.get(name="compliance.tell_findings").ref == found.assessment_id
