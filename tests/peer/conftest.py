"""The server under test, and somebody signed in there."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.peer.client import Session
from tests.peer.fixtures import peer  # noqa: F401
from veeamsec.peer import Peer


@pytest.fixture
def session(peer: Peer) -> Iterator[Session]:  # noqa: F811
    """The account that may govern, signed in."""
    with Session(peer) as found:
        yield found


@pytest.fixture
def as_account(peer: Peer) -> Iterator[Callable[[str], Session]]:  # noqa: F811
    """Sign in as another account."""
    opened: list[Session] = []

    def sign_in(name: str) -> Session:
        opened.append(Session(peer, name))
        return opened[-1]

    yield sign_in
    for one in opened:
        one.close()


@pytest.fixture
def stranger(peer: Peer) -> Iterator[httpx.Client]:  # noqa: F811
    """Somebody who is not signed in."""
    with Session.plain(peer) as found:
        yield found
