"""Whoever bends a folder above the one that was judged bends no backup, no re-key and no restore."""

from uuid import uuid4

import pytest

from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.engines.native.rekey import activate, rekey
from encryption.engines.native.restore import restore
from encryption.errors import NotABackup, SourceRefused, TargetRefused
from tests.encryption.native.conftest import KDF, ROOT


def bend(folder, elsewhere):
    """Put a link where `folder` was; what was in it is now `elsewhere`."""
    folder.rename(elsewhere)
    folder.symlink_to(elsewhere)


def test_p2_keyring_is_not_rekeyed_behind_a_link(job, tmp_path):
    """P2, P5: the place that was approved is a folder, not a link to wherever it leads today."""
    bend(job.parent, tmp_path / "elsewhere")
    before = (tmp_path / "elsewhere" / job.name / "keyring").read_bytes()
    with pytest.raises(NotABackup, match="link"):
        rekey(job, old_root=ROOT, new_root=b"n" * 32, new_user_key=uuid4(), new_kdf=KDF)
    assert (tmp_path / "elsewhere" / job.name / "keyring").read_bytes() == before


def test_p2_keyring_is_not_made_behind_a_link(plain, tmp_path):
    """P2"""
    bend(plain.parent, tmp_path / "elsewhere")
    with pytest.raises(NotABackup, match="link"):
        activate(plain, root=ROOT, user_key=uuid4(), parameters=KDF)


def test_source_is_not_read_behind_a_link(plain, small, tmp_path):
    above = tmp_path / "above"
    above.mkdir()
    (above / "mine").mkdir()
    bend(above, tmp_path / "others")
    with pytest.raises(SourceRefused, match="link"):
        backup(plain, Source(above / "mine"), roots=None)


def test_restore_writes_nothing_behind_a_link(plain, small, run, tmp_path):
    point = run(plain, small, roots=None)
    (tmp_path / "above").mkdir()
    bend(tmp_path / "above", tmp_path / "etc")
    with pytest.raises(TargetRefused, match="link"):
        restore(plain, point, tmp_path / "above" / "new", roots=None)
    assert list((tmp_path / "etc").rglob("*")) in ([], [tmp_path / "etc" / "new"])


def test_restore_reads_behind_a_link(plain, small, run, bring, tmp_path):
    """A repository that was put on another disk still gives back what it holds."""
    point = run(plain, small, roots=None)
    bend(plain.parent, tmp_path / "elsewhere")
    assert (bring(plain, point, roots=None) / "two").read_bytes() == b"two"
