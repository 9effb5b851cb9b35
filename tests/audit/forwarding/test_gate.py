"""SSRF: where a forwarder may lead, and that what was judged is what is connected to."""

import socket

import pytest

from audit.errors import NotReceived
from audit.forwarders import gate

INSIDE = {
    "this machine": "127.0.0.1",
    "all of loopback": "127.8.9.10",
    "loopback of IPv6": "::1",
    "loopback in IPv6": "::ffff:127.0.0.1",
    "unspecified": "0.0.0.0",
    "unspecified of IPv6": "::",
    "a cloud's metadata": "169.254.169.254",
    "metadata in IPv6": "::ffff:169.254.169.254",
    "metadata behind NAT64": "64:ff9b::a9fe:a9fe",
    "metadata behind local NAT64": "64:ff9b:1::a9fe:a9fe",
    "metadata as 6to4": "2002:a9fe:a9fe::1",
    "compatible loopback": "::7f00:1",
    "link-local of IPv6": "fe80::1",
    "class A private": "10.0.0.1",
    "class B private": "172.31.255.254",
    "class C private": "192.168.1.1",
    "carrier's private": "100.64.0.1",
    "private of IPv6": "fd00:ec2::254",
    "site-local": "fec0::1",
    "multicast": "224.0.0.1",
    "multicast of IPv6": "ff02::1",
    "broadcast": "255.255.255.255",
    "reserved": "240.0.0.1",
    "for documents": "192.0.2.1",
    "for benchmarks": "198.18.0.1",
}


def answers(monkeypatch, *found: str) -> list[str]:
    """Have the resolver say so; returns the names that were asked for."""
    asked = []

    def look_up(host, port, type=0):
        asked.append(host)
        return [(0, type, 0, "", (one, port)) for one in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    return asked


@pytest.mark.parametrize("address", INSIDE.values(), ids=INSIDE)
def test_ssrf_to_an_inner_address_is_refused(address):
    with pytest.raises(NotReceived, match="VEEAMSEC_FORWARD_TO"):
        gate.resolve(address, 443, ())


@pytest.mark.parametrize("address", INSIDE.values(), ids=INSIDE)
def test_ssrf_by_a_name_is_refused(monkeypatch, address):
    answers(monkeypatch, "93.184.216.34", address)
    with pytest.raises(NotReceived, match="VEEAMSEC_FORWARD_TO"):
        gate.resolve("collector.example", 443, ())


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"])
def test_an_address_of_the_world_is_taken(address):
    assert gate.resolve(address, 443, ()) == address


def test_a_network_that_the_operator_names_is_taken():
    assert gate.resolve("10.20.1.5", 6514, gate.networks("10.20.0.0/16, fd00:20::/32")) == "10.20.1.5"


def test_a_neighbour_of_a_named_network_is_refused():
    with pytest.raises(NotReceived):
        gate.resolve("10.21.1.5", 6514, gate.networks("10.20.0.0/16"))


@pytest.mark.parametrize("address", ["0.0.0.0", "255.255.255.255", "224.0.0.1"])
def test_nothing_names_what_is_nowhere(address):
    with pytest.raises(NotReceived):
        gate.resolve(address, 443, gate.networks("0.0.0.0/0"))


def test_a_name_is_looked_up_once(monkeypatch):
    """DNS rebinding: the second answer would be another."""
    asked = answers(monkeypatch, "93.184.216.34")
    assert (gate.resolve("collector.example", 443, ()), asked) == ("93.184.216.34", ["collector.example"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a b",
        "a\r\nb",
        "http://a",
        "a/b",
        "a:1",
        "user@a",
        "-a",
        "a..b",
        "127.1",
        "2130706433",
        "0x7f.1",
        "ä",
    ],
)
def test_what_is_no_host_is_refused(text):
    with pytest.raises(ValueError):
        gate.host_named(text)


@pytest.mark.parametrize(
    "address",
    [
        "http://a.example/x",
        "ftp://a.example/x",
        "//a.example/x",
        "https://user:word@a.example/",
        "https://a.example/x#y",
        "https://a.example/x y",
        "https://a.example/x\r\nHost: other",
        "https://a.example/\x00",
        "https://a.example\\@b.example/",
        "https:///x",
        "https://127.1/",
    ],
)
def test_what_is_no_webhook_is_refused(address):
    """Header injection and other schemes: https alone, and nothing that a request line could not hold."""
    with pytest.raises(ValueError):
        gate.webhook_at(address)


def test_a_webhook_is_parted():
    assert gate.webhook_at("https://Collector.Example:8443/a/b?c=d") == (
        "collector.example",
        8443,
        "/a/b?c=d",
    )
