"""The home's folders and secret files."""

import os
import stat
from pathlib import Path

import pytest

from veeamsec.home import SOCKET_NAME, SOCKET_PATH_LIMIT, Home, password_of, write_once


@pytest.fixture
def home(tmp_path):
    made = Home(tmp_path / "home")
    made.make()
    return made


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_every_folder_is_private(home):
    assert {mode(path) for path in [home.path, *home.path.rglob("*")] if path.is_dir()} == {0o700}


def test_every_secret_is_private(home):
    assert {mode(path) for path in home.keys.rglob("*") if path.is_file()} == {0o600}


def test_each_role_has_a_password_of_its_own(home):
    passwords = {password_of(home.passfile(role), f"veeamsec_{role}") for role in ("owner", "web", "worker")}
    assert len(passwords) == 3


def test_only_the_owner_knows_the_superuser(home):
    assert "postgres" not in home.passfile("web").read_text() + home.passfile("worker").read_text()


def test_making_again_changes_nothing(home):
    before = {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()}
    home.make()
    assert {path: path.read_bytes() for path in home.path.rglob("*") if path.is_file()} == before


def test_a_deep_home_has_near_sockets(tmp_path):
    home = Home(tmp_path / ("deep" * 30))
    home.make()
    assert len(os.fsencode(home.sockets / SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def test_a_new_home_at_an_old_path_has_other_data(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    first, second = Home(tmp_path / "home"), Home(tmp_path / "home")
    first.make()
    old = first.data
    (tmp_path / "home" / "servers.id").unlink()
    second.make()
    assert second.data != old


def test_a_written_secret_is_kept(tmp_path):
    write_once(tmp_path / "secret", "first")
    write_once(tmp_path / "secret", "second")
    assert (tmp_path / "secret").read_text() == "first"
