"""Forgetting a person: the names that entries commit to go, the entries and their proofs stay (P13)."""

from uuid import UUID

from django.db.models import Q

from audit.events import Event
from audit.models import Entry, EntryName
from audit.services.log import act, record
from audit.statement import Actor


def erase_names(person: UUID, *, by: Actor) -> int:
    """Erase a person's names from the log, for ever, and return how many there were.

    Only the database's owner has the right; web and worker are refused by the database.
    """
    accounts = Entry.objects.filter(person=person).order_by().values_list("actor", flat=True).distinct()
    with act(by=by, subject=("accounts.person", person)):
        keyed = [str(person), *(str(account) for account in accounts)]
        theirs = Q(key="actor", entry__person=person) | Q(key__in=keyed)
        count = EntryName.objects.filter(theirs, name__isnull=False).update(name=None, salt=None)
        record(Event.NAMES_ERASED, facts={"count": count})
    return count
