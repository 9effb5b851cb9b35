"""Chat and push services by apprise: a child process sends one text, and may reach one host.

Apprise speaks to more than a hundred services and takes everything from an address, its secrets included.
So the services are those named here; of an address nothing is taken but service, place, tokens and what
`_ASKED` names (`verify=no`, templates and attachments are refused); and the child refuses, below apprise,
every look-up of another name and every connection that the gate would not have (`sender`).
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

from audit.errors import NotReceived
from audit.forwarders import gate
from audit.forwarders.streams import Tls

# Services with one public host, and those that stand where their address says; all over TLS.
PUBLIC = {
    "discord": "discord.com",
    "gchat": "chat.googleapis.com",
    "pover": "api.pushover.net",
    "slack": "hooks.slack.com",
    "tgram": "api.telegram.org",
}
OWN = frozenset({"gotifys", "mmosts", "ntfys", "rockets", "workflows"})
# A room of a chat.
_ASKED = frozenset({"thread", "topic"})
_LONGEST = 2_000
# A service that is slow is tried again; the child ends itself a little before.
PATIENCE = 40
_PROJECT = Path(__file__).resolve().parents[2]
_ANSWERS = {
    1: "The service did not take the message, or its certificate is not one that was to be expected.",
    2: "The address is none that apprise can read: enter it again.",
    3: "The service led to another place than its address says, or to a private network;"
    " VEEAMSEC_FORWARD_TO can name that network.",
    4: "apprise is not installed here: pip install -r requirements-apprise.txt.",
}


def place(address: str) -> tuple[str, int, str]:
    """Return host, port and service of an apprise address. ValueError says what is wrong, without it."""
    if len(address) > _LONGEST or not address.isascii() or any(s <= " " or s == "\x7f" for s in address):
        raise ValueError("An address holds no spaces, line ends or control signs.")
    try:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port
        asked = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    except ValueError as error:
        # Its own text may hold the address.
        raise ValueError("This is no address of apprise's form.") from error
    if parts.scheme not in PUBLIC and parts.scheme not in OWN:
        raise ValueError(f"The services are {', '.join(sorted(PUBLIC))}, {', '.join(sorted(OWN))}.")
    if parts.fragment or not asked <= _ASKED:
        raise ValueError(f"After the question mark an address may say {' or '.join(sorted(_ASKED))} alone.")
    if parts.scheme in PUBLIC:
        return PUBLIC[parts.scheme], 443, parts.scheme
    return gate.host_named(host), port or 443, parts.scheme


class Chat:
    """One service; a child a batch."""

    def __init__(
        self, address: str, host: str, port: int, *, tls: Tls, allowed: Iterable[gate.Network]
    ) -> None:
        self._address, self._host, self._port = address, host, port
        self._authority, self._allowed = tls.authority, [str(net) for net in allowed]

    def __enter__(self) -> "Chat":
        return self

    def __exit__(self, *error: object) -> None:
        self._address = ""

    def send(self, texts: list[str]) -> None:
        """Send texts as one message. Raises NotReceived for anything but a service's yes."""
        told = {
            "address": self._address,
            "host": self._host,
            "port": self._port,
            "allowed": self._allowed,
            "authority": self._authority,
            "text": "\n\n".join(texts),
            "patience": PATIENCE - 5,
        }
        command = [sys.executable, "-E", "-s", "-B", "-m", "audit.forwarders.sender"]
        # Nothing of ours: no proxy, no .netrc, no setting leads it elsewhere, and there is nothing to tell.
        bare = {"PATH": os.defpath, "LANG": "C.UTF-8", "HOME": "/nonexistent"}
        try:
            ended = subprocess.run(
                command,
                input=json.dumps(told).encode(),
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd=_PROJECT,
                env=bare,
                timeout=PATIENCE,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            # Not the error's own text: it holds what was sent.
            raise NotReceived("The service did not answer in time.") from error
        if ended.returncode != 0:
            raise NotReceived(_ANSWERS.get(ended.returncode, "The service did not answer in time."))
