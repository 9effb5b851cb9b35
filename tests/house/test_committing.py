"""Committing tests leave nothing behind and find what migrations made."""

import pytest

from accounts.models import Person, SecurityRole
from audit import services as audit
from audit.events import Event
from audit.models import Entry


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_a_committed_entry_does_not_outlive_its_test(turn):
    with audit.act(by=audit.WORKER, subject=None):
        audit.record(next(iter(Event)), subject=None, facts={})
    assert Entry.objects.count() == 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("turn", ["first", "second"])
def test_what_migrations_made_is_there(turn):
    assert (SecurityRole.objects.count(), Person.objects.count()) == (1, 0)
