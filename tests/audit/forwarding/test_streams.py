"""When a batch counts over TCP: receivers that close, break off, are gone, never close, or talk."""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator

import pytest

from audit.errors import NotReceived
from audit.forwarders import streams
from audit.forwarders.streams import Datagrams, Stream


class Receiver:
    """Takes connections one after another, and does with each what its script says; then it is gone."""

    def __init__(self, *script: Callable[[socket.socket], bytes]) -> None:
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.came: list[bytes] = []
        self._script = script
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=5)

    def end(self) -> None:
        self.listening.close()
        self._thread.join(5)

    def _work(self) -> None:
        # The sender breaks off where it is meant to.
        with contextlib.suppress(OSError):
            for number, act in enumerate(self._script):
                connection, _ = self.listening.accept()
                if number == len(self._script) - 1:
                    self.listening.close()
                with connection:
                    self.came.append(act(connection))


def reads(connection: socket.socket) -> bytes:
    """Read to the end, as a receiver that works."""
    return b"".join(iter(lambda: connection.recv(4096), b""))


def breaks_off(connection: socket.socket) -> bytes:
    """Read a little, then reset."""
    data = connection.recv(4)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return data


def sleeps(connection: socket.socket) -> bytes:
    """Read everything, and never close."""
    data = reads(connection)
    threading.Event().wait(1.5)
    return data


def talks(connection: socket.socket) -> bytes:
    """Answer without an end."""
    data = reads(connection)
    try:
        for _ in range(64):
            connection.sendall(b"x" * 65_536)
    except OSError:
        pass
    return data


@pytest.fixture
def receiving() -> Iterator[Callable[..., Receiver]]:
    made: list[Receiver] = []

    def make(*script: Callable[[socket.socket], bytes]) -> Receiver:
        made.append(Receiver(*script))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_a_batch_counts_when_the_receiver_closed_and_is_there(receiving):
    receiver = receiving(reads, reads)
    with Stream(receiver.connect) as way:
        way.send([b"one", b"three"])
    receiver.end()
    assert receiver.came == [b"3 one5 three", b""]


def test_a_receiver_that_is_gone_after_it_closed_took_nothing(receiving):
    """A killed process closes its connections too."""
    receiver = receiving(reads)
    with pytest.raises(NotReceived), Stream(receiver.connect) as way:
        way.send([b"one"])


def test_a_receiver_that_breaks_off_took_nothing(receiving):
    receiver = receiving(breaks_off, reads)
    with pytest.raises(NotReceived), Stream(receiver.connect) as way:
        way.send([b"x" * 1_000_000])


def test_a_receiver_that_never_closes_took_nothing(receiving, monkeypatch):
    monkeypatch.setattr(streams, "PATIENCE", 0.3)
    receiver = receiving(sleeps, reads)
    with pytest.raises(NotReceived), Stream(receiver.connect) as way:
        way.send([b"one"])


def test_a_receiver_that_talks_without_an_end_is_none(receiving):
    receiver = receiving(talks, reads)
    with pytest.raises(NotReceived, match="no syslog"), Stream(receiver.connect) as way:
        way.send([b"one"])


def test_nobody_there_is_said_so(receiving):
    receiver = receiving(reads)
    receiver.listening.close()
    with pytest.raises(NotReceived, match="Nobody"), Stream(receiver.connect) as way:
        way.send([b"one"])


def test_udp_sends_each_message_alone():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        with Datagrams("127.0.0.1", receiver.getsockname()[1]) as way:
            way.send([b"one", b"two"])
        assert [receiver.recv(99), receiver.recv(99)] == [b"one", b"two"]
