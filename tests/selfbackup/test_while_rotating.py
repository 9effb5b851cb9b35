"""No backup whose keys are not those of its database: rotation and backup keep out of each other's way."""

import contextlib
import io

import pytest
from django.utils import timezone

from encryption.crypto.secret import Secret
from encryption.models import MasterRotation
from veeamsec.selfbackup import writing

pytestmark = pytest.mark.django_db
PASSPHRASE = Secret(b"harbour violet kestrel meadow lantern copper")


def rotation(**fields) -> MasterRotation:
    row = MasterRotation.objects.create(process="worker", former="ab" * 16, key="cd" * 16)
    if fields:
        MasterRotation.objects.update(**fields)
    return row


def test_none_in_the_middle_of_a_rotation(vsec_home, tmp_path):
    rotation()
    with pytest.raises(writing.BackupFailed, match="is unfinished"):
        writing.back_up(tmp_path / "backup", PASSPHRASE)
    assert not list(tmp_path.glob("*backup*"))


@pytest.mark.parametrize("ended", [False, True])
def test_none_that_a_rotation_overtook(vsec_home, tmp_path, monkeypatch, ended):
    """The keys were read, then a rotation began; whether or not it has ended, they are not the database's."""
    now = timezone.now()

    @contextlib.contextmanager
    def dump():
        rotation(**({"retired_at": now, "destroyed_at": now} if ended else {}))
        yield io.BytesIO(b"a dump")

    for name in writing.KEY_FOLDERS:
        (vsec_home.keys / name).mkdir(parents=True, exist_ok=True)
    monkeypatch.setattr(writing.database, "dump", dump)
    with pytest.raises(writing.BackupFailed, match="rotation"):
        writing.back_up(tmp_path / "backup", PASSPHRASE, keys_to=tmp_path / "backup-keys")
    assert not list(tmp_path.glob("*backup*"))
