"""Root trusts no name in a folder of the unprivileged user that servers run as."""

import os

import pytest

from veeamsec import programs, servers
from veeamsec.home import Home


@pytest.mark.parametrize("pid", [0, 1, os.getpid()], ids=["nobody", "init", "ourselves"])
def test_process_of_somebody_else_is_not_ended(tmp_path, monkeypatch, pid):
    """Who owns the data folder writes its pid file; root's signal would reach any process."""
    monkeypatch.setattr(servers, "answers", lambda home: True)
    monkeypatch.setattr(servers, "runner", lambda: programs.Runner(65534, 65534, switches=True))
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("it was signalled"))
    pidfile = tmp_path / "postmaster.pid"
    pidfile.write_text(f"{pid}\n")
    with pytest.raises(servers.ServerFailed, match="no server of ours"):
        servers._stop_orphan(Home(tmp_path), pidfile)


def test_a_file_is_given_away_by_its_descriptor(tmp_path, monkeypatch):
    given = []
    monkeypatch.setattr(os, "chown", lambda what, uid, gid: given.append(what))
    with (tmp_path / "x").open("w") as file:
        programs.Runner(1, 1, switches=True).own(file.fileno())
    assert [type(what) for what in given] == [int]
