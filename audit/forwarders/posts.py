"""The webhook's way: a batch is one POST over TLS, signed; an answer of 2xx says that it was received.

The signature is HMAC-SHA-256 over the timestamp, a dot and the body, so a receiver can refuse what is old.
No redirect is followed: it would lead past the gate, with everything that the first place was trusted with.
"""

import hashlib
import hmac
import http.client
import json
import socket
import ssl
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from audit.errors import NotReceived
from audit.forwarders.streams import PATIENCE, Tls

SIGNATURE, TIMESTAMP = "X-VeeamSec-Signature", "X-VeeamSec-Timestamp"
SHORTEST_KEY = 32
_MOST_ANSWER = 65_536


def signature(key: bytes, timestamp: str, body: bytes) -> str:
    """Return what stands in the header: the form's version and the MAC in hexadecimal digits."""
    return "v1=" + hmac.new(key, timestamp.encode() + b"." + body, hashlib.sha256).hexdigest()


class Webhook:
    """One address; a connection a batch."""

    def __init__(
        self, connect: Callable[[], socket.socket], tls: Tls, *, port: int, path: str, key: bytes
    ) -> None:
        self._connect, self._context, self._name = connect, tls.context(), tls.name
        self._port, self._path, self._key = port, path, key

    def __enter__(self) -> "Webhook":
        return self

    def __exit__(self, *error: object) -> None:
        self._key = b""

    def send(self, entries: list[dict[str, Any]]) -> None:
        """Post a batch. Raises NotReceived for any answer but 2xx, a redirect included."""
        body = json.dumps({"entries": entries}, separators=(",", ":")).encode()
        stamp = str(int(datetime.now(UTC).timestamp()))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "VeeamSec",
            "Connection": "close",
            TIMESTAMP: stamp,
            SIGNATURE: signature(self._key, stamp, body),
        }
        try:
            status = self._post(body, headers)
        except ssl.SSLCertVerificationError as error:
            raise NotReceived("The receiver's certificate is not one that was to be expected.") from error
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NotReceived("The receiver did not answer as a web server does.") from error
        if not 200 <= status < 300:
            raise NotReceived(f"The receiver answered {status}.")

    def _post(self, body: bytes, headers: dict[str, str]) -> int:
        connection = http.client.HTTPConnection(self._name, self._port)
        with self._connect() as plain:
            plain.settimeout(PATIENCE)
            with self._context.wrap_socket(plain, server_hostname=self._name) as secured:
                connection.sock = secured
                connection.request("POST", self._path, body, headers)
                answer = connection.getresponse()
                answer.read(_MOST_ANSWER)
                return answer.status
