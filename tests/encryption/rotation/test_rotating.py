"""The worker's master key is rotated: everything opens under the new one, and the former is gone."""

import base64

import pytest
from django.core.management import CommandError
from django.db import IntegrityError, transaction

from audit.models import Entry
from encryption.crypto import providers
from encryption.crypto.providers import rotating as files
from encryption.crypto.seal import MasterKey
from encryption.errors import OtherKey
from encryption.models import MasterRotation, PasswordVersion, VeeamServer
from encryption.services import keyring, vault
from tests.encryption.rotation import held
from tests.guards.fixtures import guard, kmip, kmip_server, softhsm  # noqa: F401

pytestmark = pytest.mark.django_db


def test_everything_opens_under_the_new_key(worker):
    former = providers.load_master(worker)
    held.turn()
    assert providers.load_master(worker) != former
    assert held.check() == 12


def test_nothing_is_left_under_the_former_key(worker):
    former = providers.load_master(worker)
    row = held.turn()
    assert (keyring.rest().count(former.mark), files.is_unfinished(worker)) == (0, False)
    assert row.former == former.id.hex()


def test_the_former_keys_place_on_the_disk_is_written_over(worker):
    with (worker / "master.key").open("rb", buffering=0) as former:
        text = former.read()
        held.turn()
        former.seek(0)
        assert len(found := former.read()) == len(text)
    assert text[20:] not in found
    assert all(text not in path.read_bytes() for path in worker.iterdir())


def test_each_step_is_an_entry(worker):
    held.turn()
    entries = list(Entry.objects.filter(event__startswith="master_key").order_by("sequence"))
    assert [entry.event for entry in entries] == [
        "master_key.rotating",
        "master_key.rotated",
        "master_key.destroyed",
    ]
    assert entries[1].facts["values"] == 12


def test_it_turns_again(worker):
    first, second = held.turn(), held.turn()
    assert (second.former, held.check()) == (first.key, 12)


def test_a_small_batch_leaves_nothing_out(worker, monkeypatch):
    monkeypatch.setattr(keyring, "BATCH", 2)
    held.turn()
    assert held.check() == 12


def test_the_key_stays_with_its_guard(vsec_home, guard, monkeypatch):  # noqa: F811
    worker = vsec_home.keys / "worker"
    providers.move(worker, "files", guard.address)
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)
    held.everything()
    former = providers.load_master(worker).key
    held.turn()
    assert held.check() == 12
    key = providers.load_master(worker).key
    texts = [path.read_bytes() for path in worker.iterdir()]
    assert not any(base64.b64encode(one).rstrip(b"=") in text for one in (former, key) for text in texts)


def test_a_guard_that_is_away_begins_nothing(worker, softhsm, monkeypatch):  # noqa: F811
    providers.move(worker, "files", softhsm.address)
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    softhsm.away()
    with pytest.raises(CommandError):
        held.said("rotate", "worker")
    assert not MasterRotation.objects.exists()
    softhsm.back()
    assert held.check() == 12


# --- workers that work meanwhile ---------------------------------------------------------------------------


def test_a_value_sealed_under_the_former_key_opens_meanwhile(worker):
    """The new key is in force, nothing is sealed anew yet: what rests under either opens."""
    files.prepare(worker)
    files.switch(worker)
    held.versions(2)
    assert held.check() == 16


def test_a_value_stored_late_under_the_former_key_is_found_by_the_next_pass(worker, monkeypatch):
    """A worker read the key before the rotation and stores after the first pass."""
    former, late = providers.load_master(worker), []
    real = keyring._reseal

    def reseal(*given):
        done = real(*given)
        if not late:
            late.append(held.versions(1, under=former))
        return done

    monkeypatch.setattr(keyring, "_reseal", reseal)
    held.turn()
    assert held.check() == 14


def test_p11_once_retired_nothing_is_stored_under_the_former_key(worker):
    """P11: who sealed before and stores after is refused by the database, comes again and seals anew."""
    former = providers.load_master(worker)
    (late,) = held.unsaved(1, under=former)
    held.turn()
    with pytest.raises(IntegrityError, match="was replaced"), transaction.atomic():
        late.save(force_insert=True)
    held.versions(1)
    assert held.check() == 14


def test_p11_a_stale_row_that_is_written_back_is_refused(worker):
    server = VeeamServer.objects.first()
    held.turn()
    with pytest.raises(IntegrityError, match="was replaced"), transaction.atomic():
        server.save()


def test_a_row_that_was_read_before_opens_after(worker):
    """Between the reading of a row and that of the key the whole rotation may pass."""
    row = PasswordVersion.objects.first()
    held.turn()
    assert vault.password_of(row).reveal() == f"password {row.number}".encode()


def test_a_value_of_a_lost_key_is_still_told_from_an_altered_one(worker):
    files.FileKeys(worker).replace("master.key", b"veeamsec-master-1 " + base64.b64encode(b"x" * 32) + b"\n")
    with pytest.raises(OtherKey, match="another master key"):
        vault.password_of(PasswordVersion.objects.first())


# --- nothing shows a key ------------------------------------------------------------------------------------


def forms(key: MasterKey) -> list[bytes]:
    return [key.key, key.key.hex().encode(), base64.b64encode(key.key).rstrip(b"=")]


def test_p9_neither_key_is_printed_or_logged(worker):
    """P9: not in what the command prints, nor in the log."""
    former = providers.load_master(worker)
    text = held.said("rotate", "worker")
    text += str(list(Entry.objects.values_list("facts", flat=True)))
    shown = [form for key in (former, providers.load_master(worker)) for form in forms(key)]
    assert not any(form in text.encode() for form in shown)
    assert "12 values rest under the former key" in text
