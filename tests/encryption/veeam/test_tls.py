"""Who answers at a server's address: nothing is sent to anybody but the pinned one."""

import socket
import ssl

import pytest

from encryption.crypto.secret import Secret
from encryption.engines.veeam import tls
from encryption.engines.veeam.client import VeeamClient
from encryption.engines.veeam.tls import Pin
from encryption.errors import VeeamUnexpected, VeeamUnreachable, VeeamUntrusted
from tests.encryption.veeam.scripted import serving

OTHER = "0" * 64


def test_look_shows_the_thumbprint(scripted):
    assert tls.look("127.0.0.1", scripted.port, 5).thumbprint_sha256 == scripted.thumbprint


def test_look_shows_what_was_negotiated(scripted):
    assert tls.look("127.0.0.1", scripted.port, 5).tls_version == "TLSv1.3"


def test_look_shows_whose_certificate_it_is(scripted):
    assert tls.look("127.0.0.1", scripted.port, 5).subject == "CN=vbr.example"


def test_look_sends_nothing(scripted):
    tls.look("127.0.0.1", scripted.port, 5)
    assert (scripted.asked, scripted.bytes_read) == ([], 0)


def test_look_at_a_closed_port_says_so():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(VeeamUnreachable):
            tls.look("127.0.0.1", port, 5)


@pytest.mark.parametrize("address", ["", "a/b", "user@host", "a b", "host?x", "x" * 254, "a\nb"])
def test_what_is_no_address_is_refused(address):
    with pytest.raises(VeeamUnreachable):
        tls.look(address, 9419, 1)


@pytest.mark.parametrize(
    "write", [str.upper, lambda text: ":".join(text[i : i + 2] for i in range(0, 64, 2))]
)
def test_a_thumbprint_may_be_written_as_consoles_show_it(scripted, open_client, write):
    assert open_client(pin=Pin(write(scripted.thumbprint))).revision == "1.3-rev2"


def test_a_sha1_thumbprint_is_accepted(scripted, open_client):
    assert open_client(pin=Pin(tls.sha1(scripted.certificate))).revision == "1.3-rev2"


@pytest.mark.parametrize("text", ["", "12", "g" * 64, "0" * 63, "0" * 65])
def test_what_is_no_thumbprint_is_refused(text):
    with pytest.raises(VeeamUntrusted):
        Pin(text)


def test_nothing_pinned_refuses(open_client):
    with pytest.raises(VeeamUntrusted):
        open_client(pin=Pin())


def test_another_certificate_is_refused(open_client):
    with pytest.raises(VeeamUntrusted):
        _ = open_client(pin=Pin(OTHER)).revision


@pytest.mark.parametrize("pin", [Pin(OTHER), Pin("0" * 40)])
def test_another_certificate_gets_not_one_byte(scripted, open_client, pin):
    with pytest.raises(VeeamUntrusted):
        _ = open_client(pin=pin, revision="1.3-rev2").server_info()
    assert (scripted.asked, scripted.bytes_read) == ([], 0)


def test_another_certificate_is_not_tried_twice(open_client, waits):
    with pytest.raises(VeeamUntrusted):
        open_client(pin=Pin(OTHER)).server_info()
    assert waits == []


def test_a_certificate_that_changes_later_gets_no_byte(scripted, open_client, tmp_path):
    client = open_client()
    _ = client.revision
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as other:
        client._wire.place = f"127.0.0.1:{other.port}"
        with pytest.raises(VeeamUntrusted):
            list(client.passwords())
        assert (other.asked, other.bytes_read) == ([], 0)


def test_a_pinned_authority_is_accepted(scripted, open_client):
    assert open_client(pin=Pin(ca_pem=scripted.pem)).revision == "1.3-rev2"


def test_another_authority_gets_not_one_byte(scripted, open_client, tmp_path):
    (tmp_path / "other").mkdir()
    with serving(tmp_path / "other") as other, pytest.raises(VeeamUntrusted):
        open_client(pin=Pin(ca_pem=other.pem)).server_info()
    assert (scripted.asked, scripted.bytes_read) == ([], 0)


def test_an_authority_whose_server_has_another_name_is_refused(scripted, monkeypatch):
    def to_this_machine(host, port, *args, **kwargs):
        return original("127.0.0.1", port, *args, **kwargs)

    original = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", to_this_machine)
    pin = Pin(ca_pem=scripted.pem)
    client = VeeamClient("other.example", scripted.port, pin, "a", Secret(b"b"), timeout=5)
    with pytest.raises(VeeamUntrusted):
        _ = client.revision
    client.close()


def test_thumbprint_and_authority_must_both_hold(scripted, open_client):
    with pytest.raises(VeeamUntrusted):
        _ = open_client(pin=Pin(OTHER, scripted.pem)).revision


def test_an_authority_that_cannot_be_read_is_refused(open_client):
    with pytest.raises(VeeamUntrusted):
        open_client(pin=Pin(ca_pem="-----BEGIN CERTIFICATE-----\nxx\n-----END CERTIFICATE-----\n"))


def test_the_negotiated_version_is_known(open_client):
    assert open_client().tls_version == "TLSv1.3"


def test_tls_1_2_is_spoken(tmp_path):
    with serving(tmp_path, maximum_version=ssl.TLSVersion.TLSv1_2) as server:
        pin = Pin(server.thumbprint)
        with VeeamClient("127.0.0.1", server.port, pin, "a", Secret(b"b"), timeout=5) as client:
            assert client.tls_version == "TLSv1.2"


def test_what_is_older_than_tls_1_2_is_not_spoken(scripted):
    assert tls.PinnedContext(Pin(OTHER)).minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_certificate_that_cannot_be_read_says_so():
    with pytest.raises(VeeamUnexpected):
        tls._seen(b"no certificate", "TLSv1.3")


def test_proxies_of_the_environment_are_not_used(open_client, monkeypatch):
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert open_client().revision == "1.3-rev2"
