"""The server that most tests need."""

from collections.abc import Iterator

import pytest

from veeamsec.peer import Peer, serve


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A new server with the small seed."""
    with serve() as found:
        yield found
