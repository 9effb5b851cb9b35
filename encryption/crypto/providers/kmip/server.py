"""A master key that lies at a key management server and comes back only wrapped.

The server keeps two keys: the master key, and a transport key that the file here knows as well. `Get` asks
for the first wrapped by the second (AES key wrap, RFC 3394), so that whoever ends or records the TLS of the
connection later sees no key. The file alone opens nothing, nor does the client certificate alone.
"""

import contextlib
import json
import os
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from encryption.crypto.encoding import canonical, from_base64, to_base64
from encryption.crypto.providers.files import FileKeys
from encryption.crypto.providers.kmip import messages
from encryption.crypto.providers.kmip.messages import Use
from encryption.errors import KeyMaterialError, KeysAway

SECONDS = 10.0
PORT = 5696

_KEY_BYTES = 32


@dataclass(frozen=True)
class Server:
    """One server, the authority that vouches for it, and the certificate that this client shows there."""

    host: str
    port: int
    authority: Path
    certificate: Path
    key: Path
    # What the objects are called there, for the people who look after the server.
    label: str

    kind = "kmip"

    def wrap(self, key: bytes) -> bytes:
        """Register `key` and a fresh transport key; return what finds and opens it. Raises KeysAway."""
        transport = os.urandom(_KEY_BYTES)
        mark = os.urandom(4).hex()
        with self._connection() as connection:
            held = messages.register(connection, key, f"{self.label}-{mark}", Use.ENCRYPT | Use.DECRYPT)
            over = messages.register(connection, transport, f"{self.label}-transport-{mark}", Use.WRAP)
            for one in (held, over):
                messages.activate(connection, one)
        return canonical({"key": held, "transport": to_base64(transport), "transport_key": over})

    def unwrap(self, wrapped: bytes) -> bytes:
        """Return the key that `wrapped` names. Raises KeysAway, KeyMaterialError."""
        try:
            names = json.loads(wrapped)
            held, over = str(names["key"]), str(names["transport_key"])
            transport = from_base64(names["transport"], _KEY_BYTES)
        except (ValueError, KeyError, TypeError) as error:
            raise KeyMaterialError("What names the master key at the server cannot be read.") from error
        with self._connection() as connection:
            material = messages.get_wrapped(connection, held, by=over)
        try:
            return aes_key_unwrap(transport, material)
        except (InvalidUnwrap, ValueError) as error:
            raise KeyMaterialError(
                f"The master key that {self.host} gave does not open under the transport key here."
            ) from error

    @contextlib.contextmanager
    def _connection(self) -> Iterator[ssl.SSLSocket]:
        try:
            context = self._context()
            with socket.create_connection((self.host, self.port), timeout=SECONDS) as plain:
                with context.wrap_socket(plain, server_hostname=self.host) as connection:
                    yield connection
        except KeyMaterialError as error:
            raise KeysAway(error.message) from error
        except messages.Refusal as error:
            raise KeysAway(f"The key server {self.host} refuses: {error}") from error
        except (OSError, ValueError) as error:
            reason = getattr(error, "verify_message", "") or getattr(error, "strerror", "") or str(error)
            raise KeysAway(f"The key server {self.host} cannot be used: {reason}.") from error

    def _context(self) -> ssl.SSLContext:
        # Read first for its mode: who could read it could ask for the key.
        FileKeys(self.key.parent).read(self.key.name)
        context = ssl.create_default_context(cafile=str(self.authority))
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.load_cert_chain(self.certificate, self.key)
        return context
