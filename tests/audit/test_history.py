"""P13: what happened outlives its rows, and a person can be forgotten without breaking a proof."""

from dataclasses import dataclass
from io import StringIO
from uuid import UUID, uuid4

import pytest
from django.apps import apps
from django.core.management import CommandError, call_command
from django.db import ProgrammingError

from audit import keys, merkle, note, selectors
from audit import services as audit
from audit.events import Event
from audit.models import Alarm, Entry, EntryName

pytestmark = pytest.mark.django_db


def test_entry_outlives_its_subject():
    """P13: no foreign key leads from the log to what it tells of."""
    alarm = Alarm.objects.create(kind="drift", severity="info", subject_type="x", text="x")
    with audit.act(by=audit.WORKER, subject=alarm):
        audit.record(Event.ALARM_RAISED)
    gone = str(alarm.pk)
    alarm.delete()
    assert Entry.objects.get().subject_id == gone


def test_log_has_no_foreign_keys_but_to_itself():
    """P13: nothing that is deleted elsewhere can cascade into the log."""
    models = apps.get_app_config("audit").get_models()
    leads = {
        (model.__name__, field.related_model.__name__)
        for model in models
        for field in model._meta.get_fields()
        if field.many_to_one
    }
    assert leads == {("EntryName", "Entry")}


def test_proof_stays_valid_after_a_name_was_erased(signing, write):
    """P13: the entry commits to the name, so it need not hold it."""
    write(9)
    checkpoint = audit.sign_checkpoint()
    EntryName.objects.filter(entry_id=4).update(name=None, salt=None)
    head = note.open_checkpoint(checkpoint.note, keys.log_verifier(signing.public_key()))
    leaf = merkle.leaf_hash(bytes(Entry.objects.get(pk=4).canonical))
    merkle.verify_inclusion(leaf, 4, head.size, selectors.inclusion(4, checkpoint), head.root)
    assert audit.verify().findings == ()


def test_erased_name_reads_as_none(write):
    write(1)
    EntryName.objects.update(name=None, salt=None)
    assert selectors.name_of(Entry.objects.get(), "subject") is None


def test_equal_names_have_different_commitments():
    """Without the salt nobody can try names against the log."""
    for _ in range(2):
        with audit.act(by=audit.WORKER, subject="log"):
            audit.record(Event.JOB_RUN, names={"subject": "Dora"})
    first, second = (entry.canonical for entry in Entry.objects.all())
    commitments = {bytes(text).split(b'"names":')[1].split(b"}")[0] for text in (first, second)}
    assert len(commitments) == 2


def test_entries_are_narrowed_as_asked(write):
    subject = uuid4()
    write(2)
    with audit.act(by=audit.WORKER, subject=("encryption.job", subject)):
        audit.record(Event.REKEY_STARTED)
        audit.record(Event.REKEY_ENDED)
    assert [entry.event for entry in selectors.entries(event="rekey.")] == ["rekey.ended", "rekey.started"]
    assert selectors.entries(event="rekey.ended").count() == 1
    assert selectors.entries(subject=subject).count() == 2
    assert selectors.entries(actor=audit.WORKER.pk).count() == 2
    assert selectors.newest("rekey.ended", subject).sequence == 3


def test_entries_are_narrowed_by_time(write, clock):
    write(1)
    noon = Entry.objects.get().time
    clock.shift(60)
    write(1)
    assert [entry.sequence for entry in selectors.entries(until=Entry.objects.get(pk=1).time)] == [0]
    assert [entry.sequence for entry in selectors.entries(since=noon)] == [1, 0]


def test_list_of_entries_reads_all_names_at_once(write, django_assert_num_queries):
    write(20)
    with django_assert_num_queries(2):
        assert len([selectors.name_of(entry, "subject") for entry in selectors.entries()]) == 20


def test_person_is_forgotten_in_every_entry_and_nobody_else(signing):
    """P13: every name of theirs, in the entries by them and in those that name them."""
    for actor in (Actor(1), Actor(2)):
        with audit.act(by=actor, subject="log"):
            audit.record(
                Event.JOB_RUN, names={str(Actor(1).person_id): "Dora", str(Actor(2).person_id): "Sam"}
            )
    assert audit.erase_names(Actor(1).person_id, by=audit.CONSOLE) == 3
    left = EntryName.objects.filter(name__isnull=False).values_list("name", flat=True)
    assert sorted(left) == ["Sam", "Sam", "user 2"]
    assert audit.verify().findings == ()


def test_forgetting_is_told_without_the_name(signing):
    with audit.act(by=Actor(1), subject="log"):
        audit.record(Event.JOB_RUN)
    call_command("erase_names", str(Actor(1).person_id), stdout=StringIO())
    entry = Entry.objects.first()
    assert (entry.event, entry.facts, entry.actor) == ("names.erased", {"count": 1}, audit.CONSOLE.pk)


@dataclass(frozen=True)
class Actor:
    """An account of a person."""

    number: int

    @property
    def pk(self) -> UUID:
        return UUID(int=self.number)

    @property
    def person_id(self) -> UUID:
        return UUID(int=100 + self.number)

    def get_username(self) -> str:
        return f"user {self.number}"


def test_forgetting_without_the_owners_right_says_what_to_do(monkeypatch):
    """That web and worker lack it is tested with the triggers."""

    def refuse(*args, **kwargs):
        raise ProgrammingError("permission denied for table audit_entryname")

    monkeypatch.setattr(audit, "erase_names", refuse)
    with pytest.raises(CommandError, match="owner"):
        call_command("erase_names", str(Actor(1).person_id))
