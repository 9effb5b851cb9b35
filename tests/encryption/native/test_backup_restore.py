"""What was backed up comes back: every byte, name, link, mode, time and attribute."""

import os
import shutil
import threading
from uuid import uuid4

import pytest

from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.engines.native.rekey import rekey
from encryption.engines.native.restore import restore, verify
from encryption.errors import (
    BrokenChain,
    NoKeyring,
    NotInRestorePoint,
    PasswordNeeded,
    PlainInEncrypted,
    SourceRefused,
    TargetNotEmpty,
    WrongPassword,
)
from tests.encryption.native.conftest import KDF, ROOT, roots
from tests.encryption.native.tree import describe


def test_an_encrypted_full_comes_back(job, source, run, bring):
    assert describe(bring(job, run(job, source))) == describe(source.path)


def test_a_plain_full_comes_back(plain, source, run, bring):
    point = run(plain, source, roots=None)
    assert describe(bring(plain, point, roots=None)) == describe(source.path)


def test_an_uncompressed_full_comes_back(job, source, run, bring):
    assert describe(bring(job, run(job, source, compress=False))) == describe(source.path)


def test_a_plain_file_holds_its_content_readable(plain, small, run):
    point = run(plain, small, roots=None, compress=False)
    assert b"oneone" in (plain / f"{point}.vsb").read_bytes()


def test_an_encrypted_file_holds_no_content_or_name(job, small, run):
    point = run(job, small, compress=False)
    content = (job / f"{point}.vsb").read_bytes()
    assert b"oneone" not in content
    assert b"folder" not in content


def changed(root):
    with (root / "a" / "x").open("r+b") as file:
        file.seek(1_500_000)
        file.write(b"changed in the middle")
    with (root / "a" / "block").open("ab") as file:
        file.write(b"grown")
    os.truncate(root / "a" / "compressible", 1_200_000)
    (root / "plain.txt").unlink()
    (root / "plain.txt").mkdir()
    (root / "new").write_bytes(b"new")
    (root / "-rf").rename(root / "renamed")
    shutil.rmtree(root / "empty folder")


def test_increments_come_back(job, source, run, bring):
    first = run(job, source)
    second = run(job, source, base=first)
    changed(source.path)
    third = run(job, source, base=second)
    assert describe(bring(job, third)) == describe(source.path)


def test_older_points_of_a_chain_stay_as_they_were(job, source, run, bring):
    before = describe(source.path)
    first = run(job, source)
    changed(source.path)
    run(job, source, base=first)
    assert describe(bring(job, first)) == before


def test_an_unchanged_increment_is_small(job, source, run):
    second = backup(job, source, roots=roots, base=run(job, source))
    assert second.size < 20_000


def test_a_plain_chain_comes_back(plain, source, run, bring):
    first = run(plain, source, roots=None)
    changed(source.path)
    second = run(plain, source, base=first, roots=None)
    assert describe(bring(plain, second, roots=None)) == describe(source.path)


def test_a_chain_survives_a_rekey(job, source, run, bring):
    first = run(job, source)
    changed(source.path)
    second = run(job, source, base=first)
    rekey(job, old_root=ROOT, new_root=b"n" * 32, new_user_key=uuid4(), new_kdf=KDF)
    assert describe(bring(job, second, roots=lambda head: b"n" * 32)) == describe(source.path)


def test_a_backup_that_meets_a_rekey_ends_under_the_new_key(job, small):
    """P11: the line is appended under the user key that the keyring names at the end of the run."""
    new_key, by_key = uuid4(), {}

    def change(progress):
        if not by_key:
            by_key[new_key] = b"n" * 32
            rekey(job, old_root=ROOT, new_root=b"n" * 32, new_user_key=new_key, new_kdf=KDF)

    def current(head):
        return by_key.get(head.user_key, ROOT)

    result = backup(job, small, roots=current, progress=change)
    assert result.user_key == new_key
    verify(job, result.restore_point, roots=lambda head: b"n" * 32)


def test_a_restore_that_meets_a_rekey_goes_on(job, small, run, tmp_path):
    second = run(job, small, base=run(job, small))
    state = []

    def current(head):
        if not state:
            state.append(rekey(job, old_root=ROOT, new_root=b"n" * 32, new_user_key=uuid4(), new_kdf=KDF))
        return ROOT if head.generation == 1 else b"n" * 32

    restore(job, second, tmp_path / "to", roots=current)
    assert describe(tmp_path / "to") == describe(small.path)


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


@pytest.mark.parametrize("kind", ["missing", "file", "link"])
def test_a_source_that_is_no_folder_is_refused(plain, tmp_path, kind):
    path = tmp_path / "no folder"
    if kind == "file":
        path.write_bytes(b"")
    elif kind == "link":
        path.symlink_to(tmp_path)
    with pytest.raises(SourceRefused):
        backup(plain, Source(path), roots=None)


def test_other_file_types_are_reported(plain, small):
    os.mkfifo(small.path / "pipe")
    result = backup(plain, small, roots=None)
    assert result.warnings == ("pipe is a named pipe and is not backed up.",)
    assert result.entries == 3


@pytest.mark.parametrize(
    ("size", "kept"),
    [(5 * 1024 * 1024, 3 * 1024 * 1024), (1_500_000, 1_500_000), (10, 1024 * 1024), (0, 1024 * 1024)],
)
def test_a_file_that_changes_meanwhile_is_reported_and_consistent(
    plain, small, bring, monkeypatch, size, kept
):
    (small.path / "two").write_bytes(os.urandom(3 * 1024 * 1024))
    read = os.preadv

    def change_after_reading(fd, buffers, offset):
        count = read(fd, buffers, offset)
        os.truncate(small.path / "two", size)
        return count

    (small.path / "folder" / "one").unlink()
    monkeypatch.setattr(os, "preadv", change_after_reading)
    result = backup(plain, small, roots=None)
    assert result.warnings == ("two changed while it was read; its content may be of two moments.",)
    assert (bring(plain, result.restore_point, roots=None) / "two").stat().st_size == kept


def test_a_file_that_vanishes_meanwhile_is_reported(plain, small, monkeypatch):
    stat = os.stat

    def vanish(name, **options):
        status = stat(name, **options)
        if name == b"two":
            (small.path / "two").unlink()
        return status

    monkeypatch.setattr(os, "stat", vanish)
    result = backup(plain, small, roots=None)
    assert result.warnings == ("two cannot be read: No such file or directory.",)


def test_the_repository_inside_the_source_is_left_out(tmp_path, bring):
    job = tmp_path / "source" / "repository" / str(uuid4())
    job.parent.mkdir(parents=True)
    (tmp_path / "source" / "file").write_bytes(b"x")
    result = backup(job, Source(tmp_path / "source"), roots=None)
    assert result.entries == 2


def test_nothing_but_named_files_is_left(job, small, run):
    point = run(job, small)
    assert sorted(p.name for p in job.iterdir()) == sorted(["keyring", "lock", f"{point}.vsb"])


def test_a_stopped_backup_leaves_no_part(job, small):
    def stop(progress):
        raise InterruptedError

    with pytest.raises(InterruptedError):
        backup(job, small, roots=roots, progress=stop)
    assert not list(job.glob("*.part"))


def test_two_backups_at_once_both_succeed(job, small, bring):
    points = []
    threads = [
        threading.Thread(target=lambda: points.append(backup(job, small, roots=roots).restore_point))
        for _number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [describe(bring(job, point)) for point in points] == [describe(small.path)] * 4


def test_verify_counts_what_a_restore_would_write(job, source, run):
    result = verify(job, run(job, source), roots=roots)
    assert (
        result.done_bytes
        == sum(
            path.stat().st_size for path in source.path.rglob("*") if path.is_file() and not path.is_symlink()
        )
        - 2 * (source.path / "a" / "x").stat().st_size
    )
