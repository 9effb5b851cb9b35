"""One server for as long as a `with` lasts."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from veeamsec.peer.accounts import Account
from veeamsec.peer.certificate import LOCALHOST, Certificate, self_signed
from veeamsec.peer.control import Control
from veeamsec.peer.installation import Installation
from veeamsec.peer.seeds import SEEDS
from veeamsec.peer.server import Server

NEWEST = "13.1.0.411"


@dataclass(frozen=True)
class Peer:
    """A server that answers: where, what it shows, who may sign in, and its levers."""

    port: int
    certificate: Certificate
    control: Control
    address: str = LOCALHOST

    @property
    def url(self) -> str:
        """Where its API begins."""
        return f"https://{self.address}:{self.port}"

    @property
    def thumbprint(self) -> str:
        """SHA-256 of its certificate, lower-case hex."""
        return self.certificate.sha256

    @property
    def thumbprint_sha1(self) -> str:
        """SHA-1 of its certificate, as Veeam shows thumbprints."""
        return self.certificate.sha1

    @property
    def accounts(self) -> dict[str, Account]:
        """Everybody who may sign in, by name."""
        return {one.name: one for one in self.control.at.accounts}

    @property
    def account(self) -> Account:
        """The service account that may govern."""
        return self.control.at.accounts[0]


@contextmanager
def serve(
    seed: str = "small", *, port: int = 0, build: str = NEWEST, name: str = "vbr01.tech.example", **sizes: int
) -> Iterator[Peer]:
    """Serve a seed on this machine, on a free port where none is named; `sizes` are those of `large`."""
    installation = Installation(name=name, build=build)
    SEEDS[seed](installation, **sizes)
    certificate = self_signed(name)
    server = Server(installation, certificate, port)
    thread = threading.Thread(target=_forever, args=(server,), name="veeam-peer", daemon=True)
    thread.start()
    try:
        yield Peer(server.port, certificate, Control(installation, server.seen))
    finally:
        server.close()
        installation.sender.close()
        thread.join(5)


def _forever(server: Any) -> None:
    # The default looks for its end every half second: tests would wait for it.
    server.serve_forever(poll_interval=0.02)
