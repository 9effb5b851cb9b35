"""What was backed up comes back: every byte, name, link, mode, time and attribute."""

from uuid import uuid4

from encryption.engines.native.backup import backup
from encryption.engines.native.rekey import rekey
from encryption.engines.native.restore import restore, verify
from tests.encryption.native.conftest import KDF, ROOT, roots
from tests.encryption.native.tree import change, describe


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


def test_increments_come_back(job, source, run, bring):
    first = run(job, source)
    second = run(job, source, base=first)
    change(source.path)
    third = run(job, source, base=second)
    assert describe(bring(job, third)) == describe(source.path)


def test_older_points_of_a_chain_stay_as_they_were(job, source, run, bring):
    before = describe(source.path)
    first = run(job, source)
    change(source.path)
    run(job, source, base=first)
    assert describe(bring(job, first)) == before


def test_an_unchanged_increment_is_small(job, source, run):
    second = backup(job, source, roots=roots, base=run(job, source))
    assert second.size < 20_000


def test_a_plain_chain_comes_back(plain, source, run, bring):
    first = run(plain, source, roots=None)
    change(source.path)
    second = run(plain, source, base=first, roots=None)
    assert describe(bring(plain, second, roots=None)) == describe(source.path)


def test_a_chain_survives_a_rekey(job, source, run, bring):
    first = run(job, source)
    change(source.path)
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


def test_verify_counts_what_a_restore_would_write(job, source, run):
    result = verify(job, run(job, source), roots=roots)
    assert (
        result.done_bytes
        == sum(
            path.stat().st_size for path in source.path.rglob("*") if path.is_file() and not path.is_symlink()
        )
        - 2 * (source.path / "a" / "x").stat().st_size
    )
