"""A master key moves between providers: the same key, killed anywhere, and nothing of it left behind."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from encryption.crypto import providers
from encryption.crypto.encoding import to_base64
from encryption.crypto.providers import moving
from encryption.errors import KeyMaterialError, KeysAway
from tests.guards.fixtures import guard, kmip, kmip_server, softhsm  # noqa: F401


@pytest.fixture
def worker(tmp_path, monkeypatch) -> Path:
    """The worker's folder, its master key in a file."""
    monkeypatch.delenv("VEEAMSEC_KEYS", raising=False)
    providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
    return tmp_path / "worker"


@pytest.fixture
def hand_over(tmp_path, monkeypatch) -> Callable[[bytes], None]:
    """Give the unit a credential that holds a key."""
    folder = tmp_path / "credentials"
    folder.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(folder))

    def give(key: bytes) -> None:
        (folder / "worker-master.key").write_text(f"veeamsec-master-1 {to_base64(key)}\n")

    return give


def test_a_key_moves_to_a_guard_and_back(worker, guard):  # noqa: F811
    key = providers.load_master(worker)
    assert providers.move(worker, "files", guard.address) is True
    assert providers.load_master(worker, said=guard.address) == key
    assert providers.move(worker, guard.address, "files") is True
    assert providers.load_master(worker) == key


def test_a_key_moves_from_one_guard_to_another(worker, softhsm, kmip):  # noqa: F811
    key = providers.load_master(worker)
    providers.move(worker, "files", softhsm.address)
    assert providers.move(worker, softhsm.address, kmip.address) is True
    assert providers.load_master(worker, said=kmip.address) == key


def test_a_second_move_finds_it_done(worker, softhsm):  # noqa: F811
    providers.move(worker, "files", softhsm.address)
    before = (worker / "master.key").read_bytes()
    assert providers.move(worker, "files", softhsm.address) is False
    assert (worker / "master.key").read_bytes() == before


def test_nothing_of_the_clear_key_is_left(worker, softhsm):  # noqa: F811
    """What had the former file open reads other bytes: its place on the disk was written over."""
    with (worker / "master.key").open("rb", buffering=0) as former:
        text = former.read()
        providers.move(worker, "files", softhsm.address)
        former.seek(0)
        assert len(found := former.read()) == len(text)
    assert text[20:] not in found
    assert all(text not in path.read_bytes() for path in worker.iterdir())


def test_a_copy_that_somebody_made_stays_whole(worker, softhsm, tmp_path):  # noqa: F811
    os.link(worker / "master.key", tmp_path / "copy")
    text = (tmp_path / "copy").read_bytes()
    providers.move(worker, "files", softhsm.address)
    assert (tmp_path / "copy").read_bytes() == text


def test_a_guard_that_is_away_takes_nothing(worker, guard):  # noqa: F811
    text = (worker / "master.key").read_bytes()
    guard.away()
    with pytest.raises(KeysAway):
        providers.move(worker, "files", guard.address)
    assert (worker / "master.key").read_bytes() == text


def test_a_guard_that_gives_another_key_back_takes_nothing(worker, softhsm, monkeypatch):  # noqa: F811
    text = (worker / "master.key").read_bytes()
    other = providers.FileKeys(worker)
    monkeypatch.setattr(moving, "text_of", lambda key, *rest: b"veeamsec-master-1 " + b"A" * 43 + b"=\n")
    with pytest.raises((KeysAway, KeyMaterialError)):
        providers.move(worker, "files", softhsm.address)
    assert other.read("master.key") == text


def test_to_systemd_once_the_credential_is_the_same(worker, hand_over):
    key = providers.load_master(worker)
    hand_over(key.key)
    assert providers.move(worker, "files", "systemd") is True
    assert not (worker / "master.key").exists()
    assert providers.load_master(worker, said="systemd") == key
    assert providers.move(worker, "files", "systemd") is False


def test_to_systemd_with_another_credential_removes_nothing(worker, hand_over):
    hand_over(b"x" * 32)
    with pytest.raises(KeyMaterialError, match="another key"):
        providers.move(worker, "files", "systemd")
    assert providers.load_master(worker)


def test_from_systemd_to_a_guard(worker, hand_over, softhsm):  # noqa: F811
    key = providers.load_master(worker)
    hand_over(key.key)
    providers.move(worker, "files", "systemd")
    assert providers.move(worker, "systemd", softhsm.address) is True
    assert providers.load_master(worker, said=softhsm.address) == key


def test_a_file_that_is_not_the_credentials_key_is_not_taken_for_it(worker, hand_over):
    hand_over(b"x" * 32)
    with pytest.raises(KeyMaterialError, match="another key"):
        providers.move(worker, "systemd", "files")


# --- killed ----------------------------------------------------------------------------------------------

PLACES = ("open", "write", "fsync", "rename", "unlink")


def killed_in(number: int, act: Callable[[], Any]) -> bool:
    """Do something in a child that kills itself before its nth call of the system; whether it came so far."""
    child = os.fork()
    if child == 0:
        calls = 0

        def counted(real: Callable[..., Any]) -> Callable[..., Any]:
            def call(*args: Any, **kwargs: Any) -> Any:
                nonlocal calls
                calls += 1
                if calls == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*args, **kwargs)

            return call

        for place in PLACES:
            setattr(os, place, counted(getattr(os, place)))
        try:
            act()
        except BaseException:
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) in (0, -signal.SIGKILL)
    return os.WIFSIGNALED(status)


@pytest.mark.parametrize("there", [True, False], ids=["to the guard", "from the guard"])
def test_p11_a_kill_anywhere_leaves_the_key_with_one_of_both(worker, softhsm, there):  # noqa: F811
    key = providers.load_master(worker)
    ways = ["files", softhsm.address]
    if not there:
        providers.move(worker, *ways)
    before, after = ways if there else reversed(ways)
    number = 0
    while True:
        number += 1
        went = killed_in(number, lambda: providers.move(worker, before, after))
        said = after if opens(worker, after) else before
        assert providers.load_master(worker, said=said) == key
        if not went:
            break
        if said == after:
            providers.move(worker, after, before)
    assert number > len(PLACES)
    assert providers.move(worker, before, after) is False
    assert not (worker / "master.moving").exists()


def opens(folder: Path, said: str) -> bool:
    try:
        providers.load_master(folder, said=said)
    except KeysAway:
        return False
    return True
