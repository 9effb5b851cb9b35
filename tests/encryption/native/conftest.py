"""A job with a password, a source with odd things, and short ways to use them."""

from uuid import UUID, uuid4

import pytest

from encryption.crypto import kdf
from encryption.crypto.secret import Secret
from encryption.engines.base import Source
from encryption.engines.native.backup import backup
from encryption.engines.native.rekey import activate
from encryption.engines.native.restore import restore
from tests.encryption.native.forge import POINT
from tests.encryption.native.tree import make_odd_tree

PASSWORD = Secret("cr\u00e8me br\u00fbl\u00e9e 2026".encode())
KDF = kdf.Argon2id(salt=b"s" * 16)
ROOT = kdf.derive_root(PASSWORD, KDF)
USER_KEY = UUID(int=100)


def roots(head):
    return ROOT


@pytest.fixture
def source(tmp_path):
    make_odd_tree(tmp_path / "source")
    return Source(tmp_path / "source")


@pytest.fixture
def small(tmp_path):
    """A source of three small things."""
    root = tmp_path / "small"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "one").write_bytes(b"one" * 1000)
    (root / "two").write_bytes(b"two")
    return Source(root)


@pytest.fixture
def plain(tmp_path):
    """The folder of a job without encryption, not made yet."""
    (tmp_path / "repository").mkdir()
    return tmp_path / "repository" / str(uuid4())


@pytest.fixture
def job(plain):
    """The folder of a job with a keyring."""
    activate(plain, root=ROOT, user_key=USER_KEY, parameters=KDF)
    return plain


@pytest.fixture
def run():
    """Back up and return the restore point's uuid."""

    def go(job, source, base=None, roots=roots, **options):
        return backup(job, source, roots=roots, base=base, **options).restore_point

    return go


@pytest.fixture
def bring(tmp_path):
    """Restore into a fresh folder and return it."""

    def go(job, restore_point, roots=roots, **options):
        to = tmp_path / f"restored-{uuid4()}"
        restore(job, restore_point, to, roots=roots, **options)
        return to

    return go


@pytest.fixture
def refuses(plain, tmp_path):
    """Expect that a forged restore point is refused by name, and that nothing was written."""

    def check(error, forge, match=None, point=POINT):
        if forge is not None:
            forge.write()
        with pytest.raises(error, match=match) as caught:
            restore(plain, point, tmp_path / "to", roots=None)
        assert caught.type is error
        assert not (tmp_path / "to").exists()

    return check
