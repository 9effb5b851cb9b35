"""What a restore brings back when only some of it is asked for, and what it refuses."""

import errno
import os

import pytest

from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.engines.native.restore import restore
from encryption.errors import (
    BrokenChain,
    NoKeyring,
    NotInRestorePoint,
    PasswordNeeded,
    PlainInEncrypted,
    TargetNotEmpty,
    TargetRefused,
    WrongPassword,
)
from tests.encryption.native.conftest import roots
from tests.encryption.native.forge import Forge, dir_entry
from tests.encryption.native.tree import describe

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")


def test_holes_stay_holes(job, source, run, bring):
    back = bring(job, run(job, source))
    assert (back / "sparse").stat().st_blocks * 512 < 2 * 1024 * 1024


def test_hard_links_share_one_file(job, source, run, bring):
    back = bring(job, run(job, source))
    assert (back / "hard link").stat().st_ino == (back / "a" / "x").stat().st_ino


def test_one_folder_comes_back_with_what_is_above_it(job, source, run, bring):
    back = bring(job, run(job, source), paths=["a"])
    assert sorted(p.name for p in (back / "a").iterdir()) == ["block", "compressible", "empty", "x"]
    assert [p.name for p in back.iterdir()] == ["a"]


def test_a_hard_link_without_its_file_becomes_the_file(job, source, run, bring):
    back = bring(job, run(job, source), paths=["a/x", "hard link"])
    assert (back / "a" / "x").read_bytes() == (source.path / "a" / "x").read_bytes()
    assert (back / "hard link").stat().st_ino == (back / "a" / "x").stat().st_ino


def test_a_name_that_is_no_text_can_be_asked_for(job, source, run, bring):
    back = bring(job, run(job, source), paths=[b"latin-\xe9"])
    assert [os.fsencode(path.name) for path in back.iterdir()] == [b"latin-\xe9"]


@pytest.mark.parametrize("paths", [["nothing here"], ["a/x/y"], [""], [], ["/"]])
def test_a_path_that_is_not_there_is_refused_before_writing(job, source, run, tmp_path, paths):
    point = run(job, source)
    with pytest.raises(NotInRestorePoint):
        restore(job, point, tmp_path / "to", roots=roots, paths=paths)
    assert not (tmp_path / "to").exists()


def test_a_target_that_is_not_empty_is_refused(job, small, run, tmp_path):
    point = run(job, small)
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "mine").write_bytes(b"mine")
    with pytest.raises(TargetNotEmpty):
        restore(job, point, tmp_path / "to", roots=roots)


def test_a_wrong_password_is_refused_before_reading(job, small):
    with pytest.raises(WrongPassword):
        backup(job, small, roots=lambda head: b"x" * 32)
    assert sorted(p.name for p in job.iterdir()) == ["keyring", "lock"]


def test_a_wrong_password_restores_nothing(job, small, run, tmp_path):
    point = run(job, small)
    with pytest.raises(WrongPassword):
        restore(job, point, tmp_path / "to", roots=lambda head: b"x" * 32)
    assert not (tmp_path / "to").exists()


def test_a_password_without_a_keyring_is_refused(plain, small):
    with pytest.raises(NoKeyring):
        backup(plain, small, roots=roots)


def test_a_plain_point_is_refused_when_a_password_was_given(job, small, run, bring):
    point = run(job, small, roots=None)
    with pytest.raises(PlainInEncrypted):
        bring(job, point)


def test_an_encrypted_point_asks_for_its_password(job, small, run, bring):
    with pytest.raises(PasswordNeeded):
        bring(job, run(job, small), roots=None)


def test_plain_and_encrypted_share_a_folder(job, small, run, bring):
    run(job, small)
    assert describe(bring(job, run(job, small, roots=None), roots=None)) == describe(small.path)


def test_a_plain_base_under_an_encrypted_increment_is_refused(job, small, run):
    with pytest.raises(PlainInEncrypted):
        run(job, small, base=run(job, small, roots=None))


def test_an_encrypted_base_under_a_plain_increment_is_refused(job, small, run):
    with pytest.raises(PasswordNeeded):
        run(job, small, base=run(job, small), roots=None)


def test_a_missing_base_is_damage(job, small, run, bring):
    first = run(job, small)
    second = run(job, small, base=first)
    (job / f"{first}.vsb").unlink()
    with pytest.raises(BrokenChain, match="missing"):
        bring(job, second)


def test_an_attribute_that_the_target_does_not_know_is_reported(job, source, run, tmp_path, monkeypatch):
    point = run(job, source)

    def refuse(*_args):
        raise OSError(errno.ENOTSUP, "Operation not supported")

    monkeypatch.setattr(os, "setxattr", refuse)
    warnings = restore(job, point, tmp_path / "to", roots=roots).warnings
    assert "a is without its attribute 'user.colour': not supported here." in warnings


@as_root
def test_another_user_restores_no_set_uid(job, small, run, tmp_path, monkeypatch):
    (small.path / "two").chmod(0o6755)
    os.chown(small.path / "two", 12345, 12345)
    (small.path / "two").chmod(0o6755)
    point = run(job, small)
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    restore(job, point, tmp_path / "to", roots=roots)
    assert (tmp_path / "to" / "two").stat().st_mode & 0o7777 == 0o755


@as_root
def test_root_restores_owner_and_set_uid(job, small, run, bring):
    os.chown(small.path / "two", 12345, 23456)
    (small.path / "two").chmod(0o6755)
    assert describe(bring(job, run(job, small))) == describe(small.path)


@pytest.mark.parametrize("kind", ["file", "link", "no parent"])
def test_a_target_that_is_no_folder_is_refused(job, small, run, tmp_path, kind):
    to, point = tmp_path / "to", run(job, small)
    if kind == "file":
        to.write_bytes(b"mine")
    elif kind == "link":
        to.symlink_to(tmp_path)
    else:
        to = to / "deeper"
    with pytest.raises(TargetRefused):
        restore(job, point, to, roots=roots)


def test_a_time_beyond_what_systems_can_say_is_clamped(plain, bring):
    entry = dir_entry("a", mtime=[2**53 - 1, 0])
    assert (bring(plain, Forge(plain).add(entry).write(), roots=None) / "a").is_dir()


@as_root
def test_an_unknown_owner_keeps_its_number(plain, bring):
    entry = dir_entry("a", user="nobody here", group="no group here", uid=4321, gid=8765)
    status = (bring(plain, Forge(plain).add(entry).write(), roots=None) / "a").stat()
    assert (status.st_uid, status.st_gid) == (4321, 8765)


def test_folders_deeper_than_descriptors_come_back(plain, tmp_path, run, bring):
    deep = tmp_path / "deep"
    for number in range(300):
        deep = deep / f"{number}"
    deep.mkdir(parents=True)
    (deep / "bottom").write_bytes(b"x")
    back = bring(plain, run(plain, Source(tmp_path / "deep"), roots=None), roots=None)
    assert describe(back) == describe(tmp_path / "deep")
