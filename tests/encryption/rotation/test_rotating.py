"""The worker's master key is rotated: everything opens under the new one, and the former is gone."""

import base64
import io

import psycopg
import pytest
from django.core.management import CommandError, call_command
from django.db import IntegrityError, connection, transaction

from audit.models import Entry, Forwarder
from encryption.crypto import providers
from encryption.crypto.providers import rotating as files
from encryption.crypto.seal import MasterKey
from encryption.errors import KeyMaterialError, OtherKey
from encryption.models import MasterRotation, PasswordVersion, VeeamServer
from encryption.services import keyring, vault
from encryption.services.rotating import rotate
from tests.encryption.rotation import held
from tests.guards.fixtures import guard, kmip, kmip_server, softhsm  # noqa: F401

pytestmark = pytest.mark.django_db


@pytest.fixture
def worker(vsec_home):
    """The worker's key folder, with something in every column under its key."""
    held.everything()
    return vsec_home.keys / "worker"


def turn() -> MasterRotation:
    return rotate(keyring.rest(), told=lambda text: None)


def said(*words: str) -> str:
    out = io.StringIO()
    call_command("keys", *words, stdout=out)
    return out.getvalue()


def test_everything_opens_under_the_new_key(worker):
    former = providers.load_master(worker)
    turn()
    assert providers.load_master(worker) != former
    assert held.check() == 12


def test_nothing_is_left_under_the_former_key(worker):
    former = providers.load_master(worker)
    row = turn()
    assert (keyring.rest().count(former.mark), files.is_unfinished(worker)) == (0, False)
    assert row.former == former.id.hex()


def test_the_former_keys_place_on_the_disk_is_written_over(worker):
    with (worker / "master.key").open("rb", buffering=0) as former:
        text = former.read()
        turn()
        former.seek(0)
        assert len(found := former.read()) == len(text)
    assert text[20:] not in found
    assert all(text not in path.read_bytes() for path in worker.iterdir())


def test_each_step_is_an_entry(worker):
    turn()
    entries = list(Entry.objects.filter(event__startswith="master_key").order_by("sequence"))
    assert [entry.event for entry in entries] == [
        "master_key.rotating",
        "master_key.rotated",
        "master_key.destroyed",
    ]
    assert entries[1].facts["values"] == 12


def test_it_turns_again(worker):
    first, second = turn(), turn()
    assert (second.former, held.check()) == (first.key, 12)


def test_a_small_batch_leaves_nothing_out(worker, monkeypatch):
    monkeypatch.setattr(keyring, "BATCH", 2)
    turn()
    assert held.check() == 12


def test_the_key_stays_with_its_guard(vsec_home, guard, monkeypatch):  # noqa: F811
    worker = vsec_home.keys / "worker"
    providers.move(worker, "files", guard.address)
    monkeypatch.setenv("VEEAMSEC_KEYS", guard.address)
    held.everything()
    former = providers.load_master(worker).key
    turn()
    assert held.check() == 12
    key = providers.load_master(worker).key
    texts = [path.read_bytes() for path in worker.iterdir()]
    assert not any(base64.b64encode(one).rstrip(b"=") in text for one in (former, key) for text in texts)


def test_a_guard_that_is_away_begins_nothing(worker, softhsm, monkeypatch):  # noqa: F811
    providers.move(worker, "files", softhsm.address)
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    softhsm.away()
    with pytest.raises(CommandError):
        said("rotate", "worker")
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
    turn()
    assert held.check() == 14


def test_p11_once_retired_nothing_is_stored_under_the_former_key(worker):
    """P11: who sealed before and stores after is refused by the database, comes again and seals anew."""
    former = providers.load_master(worker)
    (late,) = held.unsaved(1, under=former)
    turn()
    with pytest.raises(IntegrityError, match="was replaced"), transaction.atomic():
        late.save(force_insert=True)
    held.versions(1)
    assert held.check() == 14


def test_p11_a_stale_row_that_is_written_back_is_refused(worker):
    server = VeeamServer.objects.first()
    turn()
    with pytest.raises(IntegrityError, match="was replaced"), transaction.atomic():
        server.save()


def test_a_row_that_was_read_before_opens_after(worker):
    """Between the reading of a row and that of the key the whole rotation may pass."""
    row = PasswordVersion.objects.first()
    turn()
    assert vault.password_of(row).reveal() == f"password {row.number}".encode()


def test_a_value_of_a_lost_key_is_still_told_from_an_altered_one(worker):
    files.FileKeys(worker).replace("master.key", b"veeamsec-master-1 " + base64.b64encode(b"x" * 32) + b"\n")
    with pytest.raises(OtherKey, match="another master key"):
        vault.password_of(PasswordVersion.objects.first())


# --- what holds it ------------------------------------------------------------------------------------------


def test_p11_a_value_that_does_not_open_keeps_the_former_key(worker):
    """P11: a forwarder whose place was altered; nothing is thrown away that could open again."""
    former = providers.load_master(worker)
    name = Forwarder.objects.first()
    Forwarder.objects.filter(pk=name.pk).update(host="other.example")
    with pytest.raises(CommandError, match=rf"1 of the values do not open .*audit_forwarder {name.pk}"):
        said("rotate", "worker")
    assert files.load_former(worker) == former
    Forwarder.objects.filter(pk=name.pk).update(host="siem.example")
    said("rotate", "worker")
    assert (held.check(), files.load_former(worker)) == (12, None)


def test_it_is_not_moved_in_between(worker, softhsm, monkeypatch):  # noqa: F811
    files.prepare(worker)
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    with pytest.raises(CommandError, match="rotation of this key is unfinished"):
        said("move", "--from", "files")


def test_two_do_not_turn_it_at_once(worker):
    with files.alone(worker), pytest.raises(CommandError, match="Another process rotates"):
        said("rotate", "worker")


def test_systemd_takes_no_key(worker, tmp_path, monkeypatch):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "worker-master.key").write_bytes((worker / "master.key").read_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("VEEAMSEC_KEYS", "systemd")
    with pytest.raises(CommandError, match="takes none"):
        said("rotate", "worker")


def test_key_files_of_another_day_are_refused(worker):
    """The database says that a rotation began; the folder was brought back from before."""
    key = providers.load_master(worker)
    MasterRotation.objects.create(process="worker", former=key.id.hex(), key="ab" * 16)
    with pytest.raises(KeyMaterialError, match="bring that folder back"):
        turn()
    assert held.check() == 12


def test_a_database_of_before_takes_the_rotation_up(worker):
    """The key folder is in the middle of a rotation that this database never heard of."""
    former, key = files.prepare(worker)
    files.switch(worker)
    row = turn()
    assert (row.former, row.key, held.check()) == (former.id.hex(), key.id.hex(), 12)


def test_the_status_tells_an_unfinished_rotation(worker, settings):
    settings.VEEAMSEC_PROCESS = "worker"
    files.prepare(worker)
    assert said("status").startswith("worker: kept by files, and given; a rotation is unfinished")


# --- what the database refuses ------------------------------------------------------------------------------


def test_a_version_is_not_replaced_without_a_rotation(worker):
    row, other = PasswordVersion.objects.all()[:2]
    with pytest.raises(IntegrityError, match="sealed once"), transaction.atomic():
        PasswordVersion.objects.filter(pk=row.pk).update(sealed_root=bytes(other.sealed_root))


def test_a_key_that_is_used_is_not_retired(worker):
    row = MasterRotation(process="worker", former=providers.load_master(worker).id.hex(), key="ab" * 16)
    row.save()
    with pytest.raises(IntegrityError, match="rests under the former"), transaction.atomic():
        MasterRotation.objects.update(retired_at=row.begun_at)


@pytest.mark.parametrize("change", ["former = 'aa'", "key = 'aa'", "retired_at = NULL"])
def test_what_a_rotation_was_stays(worker, change):
    turn()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE encryption_masterrotation SET {change}")


@pytest.mark.parametrize("words", ["DELETE FROM", "TRUNCATE"])
def test_a_rotation_is_not_forgotten(worker, words):
    turn()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{words} encryption_masterrotation")


# --- nothing shows a key ------------------------------------------------------------------------------------


def forms(key: MasterKey) -> list[bytes]:
    return [key.key, key.key.hex().encode(), base64.b64encode(key.key).rstrip(b"=")]


def test_p9_neither_key_is_printed_or_logged(worker):
    """P9: not in what the command prints, nor in the log."""
    former = providers.load_master(worker)
    text = said("rotate", "worker")
    text += str(list(Entry.objects.values_list("facts", flat=True)))
    shown = [form for key in (former, providers.load_master(worker)) for form in forms(key)]
    assert not any(form in text.encode() for form in shown)
    assert "12 values rest under the former key" in text


# --- who may ------------------------------------------------------------------------------------------------


def test_the_web_process_writes_no_rotation(as_role):
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(
            "INSERT INTO encryption_masterrotation (id, process, former, key, begun_at)"
            " VALUES (gen_random_uuid(), 'worker', 'aa', 'bb', now())"
        )


def test_the_worker_may_hold_off_who_writes(as_role):
    worker = as_role("worker")
    with worker.transaction(force_rollback=True):
        for column in keyring.COLUMNS:
            worker.execute(f"LOCK TABLE {column.table} IN SHARE MODE")
            worker.execute(f"UPDATE {column.table} SET {column.field} = {column.field}")
