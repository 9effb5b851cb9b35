"""The child that speaks to a chat: `python -m audit.forwarders.sender`, what it needs as JSON on its input.

Apprise resolves names and connects by itself, so the gate stands below it: hooks of the interpreter, which
nothing in this process can take off again, see every look-up, every connection and every program to start.
A redirect, an answer of the name server that changes, or a fault in a service's part reaches nothing else.
"""

import json
import logging
import os
import signal
import ssl
import sys
from typing import Any

from audit.forwarders import gate

SENT, UNSENT, UNREAD, ELSEWHERE, ABSENT = range(5)
_PROGRAMS = (
    "subprocess.",
    "os.exec",
    "os.fork",
    "os.posix_spawn",
    "os.spawn",
    "os.system",
    "ctypes.",
)
_LOOK_UPS = ("socket.getaddrinfo", "socket.gethostbyname")
_SENDING = ("socket.connect", "socket.sendto", "socket.sendmsg")


class Elsewhere(BaseException):
    """What apprise tried leads elsewhere; no handler in it takes this for one of its own."""


def main() -> int:
    """Send one text; the exit code says how it went."""
    told = json.load(sys.stdin)
    signal.alarm(told["patience"])
    logging.disable()
    try:
        from apprise import Apprise, AppriseAsset
    except ImportError:
        return ABSENT
    _trust(told["authority"])
    guard(told["host"], told["port"], gate.networks(",".join(told["allowed"])))
    asset = AppriseAsset(async_mode=False, storage_mode="memory", http_redirects=False, allow_templates=False)
    try:
        service = Apprise.instantiate(told["address"], asset=asset, suppress_exceptions=True)
        if service is None:
            return UNREAD
        sent = service.notify(body=told["text"], title="VeeamSec", body_format="text")
    except Elsewhere:
        return ELSEWHERE
    return SENT if sent else UNSENT


def guard(host: str, port: int, allowed: tuple[gate.Network, ...]) -> None:
    """Refuse, from now on and for ever in this process, all ways but the one to a host and port."""

    def refuse(event: str, given: tuple[Any, ...]) -> None:
        if event.startswith(_PROGRAMS):
            raise Elsewhere
        if event in _LOOK_UPS and _text(given[0]) not in {host, None}:
            raise Elsewhere
        # Without an address it goes on a connection, which was judged when it was made.
        if event in _SENDING and given[1] is not None and not _leads_there(given[1], port, allowed):
            raise Elsewhere

    sys.addaudithook(refuse)


def _leads_there(address: Any, port: int, allowed: tuple[gate.Network, ...]) -> bool:
    return (
        isinstance(address, tuple)
        and len(address) > 1
        and address[1] == port
        and gate.admits(str(address[0]), allowed)
    )


def _text(name: Any) -> str | None:
    return name.decode("ascii", "replace") if isinstance(name, bytes) else name


def _trust(authority: str) -> None:
    """Name who signs certificates: the forwarder's authority, else those of this machine."""
    if authority:
        handle = os.memfd_create("authority", 0)
        os.write(handle, authority.encode())
        os.environ["REQUESTS_CA_BUNDLE"] = f"/proc/self/fd/{handle}"
        return
    paths = ssl.get_default_verify_paths()
    if known := paths.cafile or paths.capath:
        os.environ["REQUESTS_CA_BUNDLE"] = known


if __name__ == "__main__":
    sys.exit(main())
