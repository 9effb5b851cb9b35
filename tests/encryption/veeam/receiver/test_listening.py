"""The receiver on real sockets: what anybody may send to it, and what it does then."""

import contextlib
import os
import socket
import ssl
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from encryption.management.receiver.certificate import CERTIFICATE, CLIENTS, KEY
from encryption.management.receiver.framing import LONGEST
from encryption.management.receiver.listening import Limits
from tests.encryption.veeam.receiver.conftest import until
from tests.encryption.veeam.receiver.test_framing import LINE, counted


def ended(own: socket.socket) -> bool:
    """Whether the other side has closed."""
    own.settimeout(10)
    try:
        return own.recv(1) == b""
    except (ConnectionError, ssl.SSLError):
        return True


def trusting(folder) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / CERTIFICATE))


def test_a_datagram_is_a_line(receive):
    running = receive()
    running.datagram(LINE + b"\n\0")
    until(lambda: running.ledger.lines)
    one = running.ledger.lines[0]
    assert (one.line, one.peer, one.transport) == (LINE, "127.0.0.1", "udp")


def test_both_framings_come_by_tcp(receive):
    running = receive()
    with running.connect() as own:
        own.sendall(counted(LINE) + LINE + b"\n")
        until(lambda: running.ledger.texts == [LINE, LINE])


def test_lines_come_by_tls(receive):
    running = receive()
    with trusting(running.folder).wrap_socket(running.connect("tls"), server_hostname="localhost") as own:
        own.sendall(counted(LINE))
        until(lambda: running.ledger.texts == [LINE])
        assert own.version() in ("TLSv1.2", "TLSv1.3")


def test_the_certificate_is_made_once_and_its_key_is_private(receive):
    running = receive()
    before = (running.folder / CERTIFICATE).read_bytes()
    receive()
    assert (running.folder / CERTIFICATE).read_bytes() == before
    assert (running.folder / KEY).stat().st_mode & 0o077 == 0


def client_certificate(folder) -> tuple[str, str]:
    """A certificate that signs itself, as its file and its key's."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName("vbr01")]), critical=True)
    pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
    (folder / "c.crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(pem))
    (folder / "c.key").write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
    return str(folder / "c.crt"), str(folder / "c.key")


def test_a_sender_without_the_demanded_certificate_is_turned_away(receive, tmp_path):
    certificate, key = client_certificate(tmp_path)
    (tmp_path / CLIENTS).write_bytes(Path(certificate).read_bytes())
    strict = receive(tls=-1)
    with trusting(tmp_path).wrap_socket(strict.connect("tls"), server_hostname="localhost") as own:
        assert ended(own)
    client = trusting(tmp_path)
    client.load_cert_chain(certificate, key)
    with client.wrap_socket(strict.connect("tls"), server_hostname="localhost") as own:
        own.sendall(counted(LINE))
        until(lambda: strict.ledger.texts == [LINE])


def test_garbage_and_cuts_leave_it_listening(receive):
    running = receive()
    for data in (
        b"\0" * 5000,
        os.urandom(5000),
        b"<14>1 half",
        b"16777217 <14>",
        b"5 <",
        b"\x16\x03\x01\x02",
    ):
        for transport in ("tcp", "tls"):
            with running.connect(transport) as own:
                own.sendall(data)
        running.datagram(data)
    with running.connect() as own:
        own.sendall(b"x" * (LONGEST * 2) + b"\n" + LINE + b"\n")
        until(lambda: LINE in running.ledger.texts)


def test_a_dripping_line_ends_its_connection(receive):
    running = receive(Limits(half_line=0.5))
    began = time.monotonic()
    with running.connect() as own, running.connect() as good:
        while time.monotonic() - began < 0.8:
            try:
                own.sendall(b"x")
            except ConnectionError:
                break
            time.sleep(0.05)
        assert ended(own)
        good.sendall(LINE + b"\n")
        until(lambda: running.ledger.texts == [LINE])


def test_a_silent_connection_ends(receive):
    running = receive(Limits(idle=0.3))
    with running.connect() as own:
        assert ended(own)


def test_a_handshake_that_does_not_come_ends(receive):
    running = receive(Limits(handshake=0.3))
    with running.connect("tls") as own:
        assert ended(own)


def test_one_sender_takes_no_more_than_its_connections(receive):
    running = receive(Limits(of_one=2))
    with running.connect() as first, running.connect() as second:
        for own in (first, second):
            own.sendall(LINE + b"\n")
        until(lambda: len(running.ledger.lines) == 2)
        with running.connect() as third:
            assert ended(third)
    until(lambda: not running.receiver._listener._open)
    with running.connect() as again:
        again.sendall(LINE + b"\n")
        until(lambda: len(running.ledger.lines) == 3)


def test_a_full_backlog_drops_and_counts_datagrams(receive):
    running = receive(backlog={"lines": 10})
    running.ledger.away = True
    for _ in range(700):
        running.datagram(LINE)
    until(lambda: running.receiver.backlog.dropped > 0)
    running.ledger.away = False
    until(lambda: len(running.ledger.lines) + running.receiver.backlog.dropped == 700)


def test_a_full_backlog_makes_streams_wait_and_loses_nothing(receive):
    running = receive(backlog={"lines": 10})
    running.ledger.away = True
    many, long = 4000, LINE + b" " * 4000 + b"]"
    with running.connect() as own:
        own.settimeout(1)
        sent = 0
        data = (long + b"\n") * many
        with contextlib.suppress(TimeoutError):
            while sent < len(data):
                sent += own.send(data[sent : sent + 65_536])
        assert sent < len(data)
        running.ledger.away = False
        own.settimeout(20)
        own.sendall(data[sent:])
        until(lambda: len(running.ledger.lines) == many, 30)


def test_a_flood_is_counted_and_passed(receive):
    running = receive()
    with running.connect() as own:
        own.sendall((LINE + b"\n") * 30_000)
        for _ in range(2000):
            running.datagram(LINE)
        until(lambda: len(running.ledger.lines) >= 30_000, 30)


def test_what_was_received_is_written_at_the_end(receive):
    running = receive()
    with running.connect() as own:
        own.sendall((LINE + b"\n") * 50)
        until(lambda: running.ledger.lines)
        running.stop()
        until(lambda: running.ledger.told[-1][0] == "end")
    assert running.ledger.told[-1][1].received == len(running.ledger.lines)


def test_a_taken_port_keeps_the_others_open(receive):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        running = receive(tcp=taken.getsockname()[1], udp=-1)
        running.datagram(LINE)
        until(lambda: running.ledger.texts == [LINE])
        assert "tcp" not in running.ports
