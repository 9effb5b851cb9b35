"""From a forwarder's row to its open way; the gate is asked at each connection."""

import socket
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

from django.conf import settings

from audit.forwarders import gate
from audit.forwarders.chats import Chat
from audit.forwarders.posts import Webhook
from audit.forwarders.streams import PATIENCE, Datagrams, Stream, Tls
from audit.models import Forwarder


def open_way(forwarder: Forwarder, secret_of: Callable[[Forwarder], bytes]) -> AbstractContextManager[Any]:
    """Return what sends to a forwarder's place. Raises NotReceived for a place that is not allowed."""
    allowed = settings.VEEAMSEC_FORWARD_TO

    def connect() -> socket.socket:
        # The address that was judged is the one connected to: a second look-up could answer another.
        address = gate.resolve(forwarder.host, forwarder.port, allowed)
        return socket.create_connection((address, forwarder.port), timeout=PATIENCE)

    match forwarder.way:
        case Forwarder.Way.UDP:
            address = gate.resolve(forwarder.host, forwarder.port, allowed, datagram=True)
            return Datagrams(address, forwarder.port)
        case Forwarder.Way.TCP:
            return Stream(connect)
        case Forwarder.Way.TLS:
            key = secret_of(forwarder) if forwarder.certificate else b""
            return Stream(connect, Tls(forwarder.host, forwarder.authority, forwarder.certificate, key))
        case Forwarder.Way.APPRISE:
            tls = Tls(forwarder.host, forwarder.authority)
            address = secret_of(forwarder).decode("ascii")
            return Chat(address, forwarder.host, forwarder.port, tls=tls, allowed=allowed)
        case _:
            tls = Tls(forwarder.host, forwarder.authority)
            key = secret_of(forwarder)
            return Webhook(connect, tls, port=forwarder.port, path=forwarder.path, key=key)
