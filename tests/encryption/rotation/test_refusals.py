"""What holds a rotation up by name, what the database refuses about it, and who may."""

import psycopg
import pytest
from django.core.management import CommandError
from django.db import IntegrityError, connection, transaction

from audit.models import Forwarder
from encryption.crypto import providers
from encryption.crypto.providers import rotating as files
from encryption.errors import KeyMaterialError
from encryption.models import MasterRotation, PasswordVersion
from encryption.services import keyring
from tests.encryption.rotation import held
from tests.guards.fixtures import softhsm  # noqa: F401

pytestmark = pytest.mark.django_db


# --- what holds it ------------------------------------------------------------------------------------------


def test_p11_a_value_that_does_not_open_keeps_the_former_key(worker):
    """P11: a forwarder whose place was altered; nothing is thrown away that could open again."""
    former = providers.load_master(worker)
    name = Forwarder.objects.first()
    Forwarder.objects.filter(pk=name.pk).update(host="other.example")
    with pytest.raises(CommandError, match=rf"1 of the values do not open .*audit_forwarder {name.pk}"):
        held.said("rotate", "worker")
    assert files.load_former(worker) == former
    Forwarder.objects.filter(pk=name.pk).update(host="siem.example")
    held.said("rotate", "worker")
    assert (held.check(), files.load_former(worker)) == (12, None)


def test_it_is_not_moved_in_between(worker, softhsm, monkeypatch):  # noqa: F811
    files.prepare(worker)
    monkeypatch.setenv("VEEAMSEC_KEYS", softhsm.address)
    with pytest.raises(CommandError, match="rotation of this key is unfinished"):
        held.said("move", "--from", "files")


def test_two_do_not_turn_it_at_once(worker):
    with files.alone(worker), pytest.raises(CommandError, match="Another process rotates"):
        held.said("rotate", "worker")


def test_systemd_takes_no_key(worker, tmp_path, monkeypatch):
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "worker-master.key").write_bytes((worker / "master.key").read_bytes())
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))
    monkeypatch.setenv("VEEAMSEC_KEYS", "systemd")
    with pytest.raises(CommandError, match="takes none"):
        held.said("rotate", "worker")


def test_key_files_of_another_day_are_refused(worker):
    """The database says that a rotation began; the folder was brought back from before."""
    key = providers.load_master(worker)
    MasterRotation.objects.create(process="worker", former=key.id.hex(), key="ab" * 16)
    with pytest.raises(KeyMaterialError, match="bring that folder back"):
        held.turn()
    assert held.check() == 12


def test_a_database_of_before_takes_the_rotation_up(worker):
    """The key folder is in the middle of a rotation that this database never heard of."""
    former, key = files.prepare(worker)
    files.switch(worker)
    row = held.turn()
    assert (row.former, row.key, held.check()) == (former.id.hex(), key.id.hex(), 12)


def test_the_status_tells_an_unfinished_rotation(worker, settings):
    settings.VEEAMSEC_PROCESS = "worker"
    files.prepare(worker)
    assert held.said("status").startswith("worker: kept by files, and given; a rotation is unfinished")


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
    held.turn()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"UPDATE encryption_masterrotation SET {change}")


@pytest.mark.parametrize("words", ["DELETE FROM", "TRUNCATE"])
def test_a_rotation_is_not_forgotten(worker, words):
    held.turn()
    with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(f"{words} encryption_masterrotation")


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
