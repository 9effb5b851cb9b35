"""Events of the peer, as they arrive."""

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import pytest

from encryption.engines.veeam.syslog import parse
from veeamsec.peer.certificate import self_signed
from veeamsec.peer.seeds.ground import SOMEBODY
from veeamsec.peer.seeds.small import KMS, STANDARD, UNUSED


@pytest.fixture
def datagrams() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as receiver:
        receiver.bind(("127.0.0.1", 0))
        receiver.settimeout(5)
        yield receiver


@pytest.fixture
def heard(peer, datagrams):
    """What arrives by UDP, read by the product's own reader."""
    peer.control.send_events_to("127.0.0.1", datagrams.getsockname()[1])

    def hear():
        return parse(datagrams.recv(1 << 16), datetime.now(UTC))

    return hear


@contextmanager
def stream(context: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A receiver of one connection: its port, and what came in until it closed."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def work() -> None:
            taken, _ = listener.accept()
            with context.wrap_socket(taken, server_side=True) if context else taken as secured:
                secured.settimeout(5)
                got.extend(iter(lambda: secured.recv(1 << 16), b""))

        thread = threading.Thread(target=work, daemon=True)
        thread.start()
        yield listener.getsockname()[1], got
        thread.join(5)


def test_changed_password_names_its_hint_and_who(peer, heard):
    peer.control.somebody_changes_password(STANDARD)
    event = heard()
    assert (event.number, event.fields["Hint"], event.fields["UserName"]) == (31700, STANDARD, SOMEBODY)
    assert event.fields["ID"] == peer.control.password_id(STANDARD)
    assert "***" in event.fields["ChangesXML"]


def test_no_line_holds_a_value(peer):
    peer.control.somebody_creates_password("New", value="correct horse")
    peer.control.somebody_changes_password("New", value="battery staple")
    peer.control.somebody_verifies_password("New", "another")
    lines = " ".join(one.line for one in peer.control.events)
    assert [value for value in ("correct horse", "battery staple", "another") if value in lines] == []


def test_account_of_the_api_is_named(peer, session, heard):
    path = f"encryptionPasswords/{peer.control.password_id(STANDARD)}/changepassword"
    session.post(path, {"hint": STANDARD, "password": "x"})
    assert heard().fields["UserName"] == peer.account.name


@pytest.mark.parametrize(
    ("number", "do"),
    [
        (31600, lambda control: control.somebody_creates_password("New")),
        (31800, lambda control: control.somebody_deletes_password(UNUSED)),
        (31850, lambda control: control.somebody_verifies_password(STANDARD, "wrong")),
        (23050, lambda control: control.somebody_switches_off("Finance VMs")),
        (23050, lambda control: control.somebody_switches_to_kms("Finance VMs", KMS)),
        (42400, lambda control: control.four_eyes(on=True)),
        (42402, lambda control: control.four_eyes_request("Backup deletion")),
    ],
)
def test_every_deed_has_its_event(peer, heard, number, do):
    do(peer.control)
    event = heard()
    assert (event.number, event.doubtful, event.host) == (number, False, "vbr01.tech.example")


def test_kms_server_has_its_events(session, heard):
    certificate = {"certificate": "QUJD", "formatType": "Pem"}
    both = {"serverCertificate": certificate, "clientCertificate": certificate}
    made = session.post("kmsServers", {"name": "kms02", "type": "KMS", "port": 5696} | both).json()
    session.put(f"kmsServers/{made['id']}", made)
    session.delete(f"kmsServers/{made['id']}")
    assert [heard().number for _ in range(3)] == [42300, 42302, 42301]


def test_muted_event_is_kept_and_not_sent(peer, heard):
    peer.control.mute(31700)
    peer.control.somebody_changes_password(STANDARD)
    peer.control.somebody_creates_password("New")
    assert heard().number == 31600
    assert [one.muted for one in peer.control.events] == [True, False]


def test_lost_event_is_not_sent_later(peer, heard):
    peer.control.lose_events()
    peer.control.somebody_changes_password(STANDARD)
    peer.control.lose_events(on=False)
    peer.control.somebody_creates_password("New")
    assert heard().number == 31600


def test_receiver_is_set_by_the_api(peer, session, datagrams):
    receiver = {"serverName": "127.0.0.1", "port": datagrams.getsockname()[1], "transportProtocol": "Udp"}
    session.put("generalOptions/eventForwarding", {"syslogServer": receiver})
    assert parse(datagrams.recv(1 << 16), datetime.now(UTC)).number == 31000


def test_tcp_ends_each_line(peer):
    with stream() as (port, got):
        peer.control.send_events_to("127.0.0.1", port, "Tcp")
        peer.control.somebody_changes_password(STANDARD)
        peer.control.somebody_creates_password("New")
        peer.control.at.sender.close()
    assert [parse(one, datetime.now(UTC)).number for one in b"".join(got).splitlines()] == [31700, 31600]


def test_tls_counts_each_line(peer):
    certificate = self_signed("receiver")
    with stream(certificate.context()) as (port, got):
        peer.control.send_events_to("127.0.0.1", port, "Tls", certificate.sha1.upper())
        peer.control.somebody_changes_password(STANDARD)
        peer.control.at.sender.close()
    length, _, line = b"".join(got).partition(b" ")
    assert (int(length), parse(line, datetime.now(UTC)).number) == (len(line), 31700)


def test_tls_receiver_with_another_certificate_gets_nothing(peer):
    with stream(self_signed("receiver").context()) as (port, got):
        peer.control.send_events_to("127.0.0.1", port, "Tls", self_signed("another").sha1)
        peer.control.somebody_changes_password(STANDARD)
        peer.control.at.sender.close()
    assert (got, peer.control.at.sender.failures) == ([], 1)


def test_receiver_that_is_away_delays_no_call(peer):
    peer.control.send_events_to("127.0.0.1", 1, "Tcp")
    peer.control.somebody_changes_password(STANDARD)
    assert peer.control.flush_events()
    assert peer.control.at.sender.failures == 1
