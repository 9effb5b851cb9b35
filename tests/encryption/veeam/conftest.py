"""A scripted Veeam server for tests of the client, and a client of it; a connected one, read from memory."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from accounts.models import Role, User
from encryption.crypto.secret import Secret
from encryption.engines.veeam import calls
from encryption.engines.veeam.client import Pin, VeeamClient
from encryption.models import VeeamServer
from encryption.services.veeam import imports, servers
from tests.encryption.conftest import make_user
from tests.encryption.veeam.scripted import Scripted, serving
from tests.encryption.veeam.standin import StandIn
from veeamsec.home import Home

THUMBPRINT = "ab" * 32

ACCOUNT, ACCOUNT_PASSWORD = "TECH\\veeamsec", "correct-Horse&=+battery"


@pytest.fixture
def scripted(tmp_path: Path) -> Iterator[Scripted]:
    with serving(tmp_path) as server:
        yield server


@pytest.fixture
def open_client(scripted: Scripted) -> Iterator[Callable[..., VeeamClient]]:
    opened = []

    def make(**wanted) -> VeeamClient:
        pin = wanted.pop("pin", Pin(scripted.thumbprint))
        client = VeeamClient(
            "127.0.0.1", scripted.port, pin, ACCOUNT, Secret(ACCOUNT_PASSWORD.encode()), timeout=5, **wanted
        )
        opened.append(client)
        return client

    yield make
    for client in opened:
        client.close()


@pytest.fixture
def client(open_client: Callable[..., VeeamClient]) -> VeeamClient:
    return open_client(revision="1.3-rev2")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """What was waited between two tries, without waiting."""
    waited: list[float] = []
    monkeypatch.setattr(calls.time, "sleep", waited.append)
    return waited


@pytest.fixture
def admin(db: None) -> User:
    """A Backup administrator."""
    return make_user("olivia", Role.ADMINISTRATOR)


@pytest.fixture
def connect(admin: User, vsec_home: Home) -> Callable[..., VeeamServer]:
    """Connect a server, as the wizard does."""

    def one(name: str = "Main", **more: Any) -> VeeamServer:
        given = {"address": "vbr.example", "account": r"TECH\veeamsec", "thumbprint": THUMBPRINT} | more
        return servers.connect(by=admin, name=name, password=Secret(b"Account-pass-1"), **given)

    return one


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """What every connected server answers."""
    found = StandIn()
    monkeypatch.setattr(servers, "client_for", lambda _server: found)
    return found


@pytest.fixture
def server(connect: Callable[..., VeeamServer], there: StandIn) -> VeeamServer:
    """A connected server that was never read."""
    return connect()


@pytest.fixture
def read(server: VeeamServer) -> Callable[[], VeeamServer]:
    """Import, and return the server's row."""

    def now() -> VeeamServer:
        imports.run_import(server.pk)
        server.refresh_from_db()
        assert server.error == ""
        return server

    return now


@pytest.fixture
def house(there, read) -> VeeamServer:
    """A server with one job under one password, known under the name that its lines carry."""
    there.add_job("Mail", there.add_password("Gold"))
    server = read()
    VeeamServer.objects.update(syslog_name="vbr01")
    server.refresh_from_db()
    return server
