"""The webhook's way over real TLS: signed, verified, and no redirect followed."""

import json
import socket

import pytest

from audit.errors import NotReceived
from audit.forwarders.posts import SIGNATURE, TIMESTAMP, Webhook, signature
from audit.forwarders.streams import Tls
from tests.audit.forwarding.certificates import Authority

KEY = b"k" * 32


def webhook(server, authority: Authority) -> Webhook:
    def connect() -> socket.socket:
        return socket.create_connection(("127.0.0.1", server.server_port), timeout=5)

    tls = Tls("127.0.0.1", authority.pair.certificate)
    return Webhook(connect, tls, port=server.server_port, path="/in", key=KEY)


def test_what_arrives_is_signed(server, authority):
    webhook(server, authority).send([{"entry": 1}])
    ((path, headers, body),) = server.came
    assert (path, json.loads(body)) == ("/in", {"entries": [{"entry": 1}]})
    assert headers[SIGNATURE] == signature(KEY, headers[TIMESTAMP], body)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_ssrf_by_a_redirect_is_not_followed(server, authority, status):
    server.status = status
    with pytest.raises(NotReceived, match=str(status)):
        webhook(server, authority).send([{"entry": 1}])
    assert [path for path, _, _ in server.came] == ["/in"]


@pytest.mark.parametrize("status", [400, 429, 503])
def test_any_answer_but_2xx_is_a_no(server, authority, status):
    server.status = status
    with pytest.raises(NotReceived, match=str(status)):
        webhook(server, authority).send([{"entry": 1}])


def test_a_certificate_of_another_authority_gets_nothing(server):
    with pytest.raises(NotReceived, match="certificate"):
        webhook(server, Authority()).send([{"entry": 1}])
    assert server.came == []
