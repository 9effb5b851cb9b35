"""A reader that shares no line with the product reads what the product wrote, with the password alone."""

import os
import stat
from pathlib import Path

import pytest

from encryption.crypto import kdf
from encryption.crypto.secret import check_password
from encryption.engines.native.rekey import rekey
from tests.encryption.independent_reader import read_restore_point
from tests.encryption.native.conftest import PASSWORD, ROOT
from tests.encryption.native.tree import change, make_odd_tree

TEXT = PASSWORD.reveal().decode()


def seen(root):
    """Describe a tree in the reader's terms: type, content or target, mode, mtime."""
    found, first = {}, {}
    top = os.fsencode(root)
    for folder, folders, files in os.walk(top):
        for name in folders + files:
            path = folder + b"/" + name
            found[path.removeprefix(top + b"/")] = path
    return {path: _seen(found[path], path, first) for path in sorted(found)}


def _seen(at, path, first):
    status = os.lstat(at)
    mtime = list(divmod(status.st_mtime_ns, 10**9))
    if stat.S_ISLNK(status.st_mode):
        return "symlink", os.readlink(at), mtime  # noqa: PTH115 - bytes
    if stat.S_ISDIR(status.st_mode):
        return "dir", stat.S_IMODE(status.st_mode), mtime
    original = first.setdefault(status.st_ino, path)
    if original != path:
        return "hardlink", original
    return "file", stat.S_IMODE(status.st_mode), mtime, Path(os.fsdecode(at)).read_bytes()


def told(entries):
    facts = {
        "symlink": lambda entry: (entry["target"], entry["mtime"]),
        "dir": lambda entry: (entry["mode"], entry["mtime"]),
        "hardlink": lambda entry: (entry["target"],),
        "file": lambda entry: (entry["mode"], entry["mtime"], entry["content"]),
    }
    return {path: (entry["type"], *facts[entry["type"]](entry)) for path, entry in entries.items()}


def test_it_reads_a_full(job, source, run):
    assert told(read_restore_point(job, str(run(job, source)), TEXT)) == seen(source.path)


def test_it_reads_a_plain_full(plain, source, run):
    point = run(plain, source, roots=None)
    assert told(read_restore_point(plain, str(point), None)) == seen(source.path)


def test_it_reads_an_increment_through_two_bases(job, source, run):
    second = run(job, source, base=run(job, source))
    change(source.path)
    third = run(job, source, base=second)
    assert told(read_restore_point(job, str(third), TEXT)) == seen(source.path)


def test_it_reads_on_after_a_rekey(job, source, run):
    point = run(job, source)
    password, parameters = check_password("a new pass\u00a0phrase"), kdf.new_parameters(fips=True)
    new_root = kdf.derive_root(password, parameters)
    rekey(job, old_root=ROOT, new_root=new_root, new_user_key=point, new_kdf=parameters)
    assert told(read_restore_point(job, str(point), "a new pass phrase")) == seen(source.path)
    with pytest.raises(PermissionError):
        read_restore_point(job, str(point), TEXT)


def test_it_reads_metadata_of_many_chunks(job, source, run):
    folder = source.path / "many"
    folder.mkdir()
    for number in range(9000):
        (folder / f"{number:x}{os.urandom(100).hex()}").write_bytes(os.urandom(8))
    point = run(job, source)
    with (job / f"{point}.vsb").open("rb") as file:
        file.seek(-32, os.SEEK_END)
        assert int.from_bytes(file.read(8), "big") > 1024 * 1024
    assert told(read_restore_point(job, str(point), TEXT)) == seen(source.path)


def test_what_it_reads_is_what_the_fixture_made(tmp_path):
    make_odd_tree(tmp_path / "odd")
    assert len(seen(tmp_path / "odd")) == len(list((tmp_path / "odd").rglob("*")))
