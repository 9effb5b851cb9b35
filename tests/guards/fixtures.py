"""Fixtures of both guards; a test module imports those that it uses."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.guards import kmip_peer, token


@pytest.fixture
def softhsm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> token.Token:
    """A token; skipped where there is no SoftHSM2."""
    if why := token.missing():
        pytest.skip(why)
    monkeypatch.setenv("SOFTHSM2_CONF", str(tmp_path / "hsm" / "softhsm2.conf"))
    return token.make(tmp_path / "hsm")


@pytest.fixture(scope="session")
def kmip_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[kmip_peer.Peer]:
    """One server for all tests: it takes seconds to start."""
    pytest.importorskip("kmip")
    peer = kmip_peer.make(tmp_path_factory.mktemp("guards") / "kmip")
    yield peer
    peer.away()


@pytest.fixture
def kmip(kmip_server: kmip_peer.Peer) -> kmip_peer.Peer:
    """A key management server that runs, whatever the test before did to it."""
    if not kmip_server.runs:
        kmip_server.back()
    return kmip_server


@pytest.fixture(params=["softhsm", "kmip"])
def guard(request: pytest.FixtureRequest) -> token.Token | kmip_peer.Peer:
    """Each guard in turn."""
    return request.getfixturevalue(request.param)
