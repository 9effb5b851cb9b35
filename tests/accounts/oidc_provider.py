"""A small OpenID Connect provider on 127.0.0.1: discovery, keys, codes with PKCE, tokens signed by RS256.

It signs in whoever a test names, and asks nobody anything.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

CLIENT, SECRET = "veeamsec", "the-secret-of-this-client"


class Provider:
    """What the provider knows; tests bend it."""

    def __init__(self, issuer: str) -> None:
        self.issuer = issuer
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.claims: dict[str, Any] = {"sub": "u-1"}
        # What the token says otherwise than the page of the user.
        self.token_claims: dict[str, Any] = {}
        self.signing_key = self.key
        self.asked: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}

    def get(self, path: str, query: dict[str, str], headers: Any) -> tuple[int, dict[str, Any] | str]:
        """Answer one read; a text is where to go."""
        match path:
            case "/.well-known/openid-configuration":
                names = ("authorization", "token", "userinfo")
                found: dict[str, Any] = {f"{name}_endpoint": f"{self.issuer}/{name}" for name in names}
                return 200, found | {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/keys"}
            case "/keys":
                public = json.loads(RSAAlgorithm.to_jwk(self.key.public_key()))
                return 200, {"keys": [public | {"kid": "k1", "alg": "RS256", "use": "sig"}]}
            case "/authorization":
                code = secrets.token_urlsafe(12)
                self._codes[code] = query
                return 302, f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"
            case "/userinfo" if headers["Authorization"] == "Bearer at-1":
                return 200, self.claims
        return 404, {}

    def token(self, form: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """Exchange a code once, for the client that asked with its PKCE verifier."""
        asked = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or form.get("client_secret") != SECRET or asked["code_challenge"] != challenge:
            return 400, {"error": "invalid_grant"}
        now = int(time.time())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 60, **self.claims}
        token = jwt.encode(claims | self.token_claims, self.signing_key, "RS256", headers={"kid": "k1"})
        return 200, {"access_token": "at-1", "token_type": "Bearer", "expires_in": 60, "id_token": token}


@contextmanager
def running() -> Iterator[Provider]:
    """Serve a provider on a free port of 127.0.0.1, and stop with the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.provider = Provider(f"http://127.0.0.1:{server.server_port}")  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield server.provider  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Read."""
        parts = urlsplit(self.path)
        self._provider.asked.append(parts.path)
        status, body = self._provider.get(parts.path, _flat(parts.query), self.headers)
        self._answer(status, body)

    def do_POST(self) -> None:
        """Exchange."""
        self._provider.asked.append(self.path)
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self._answer(*self._provider.token(_flat(body)))

    def log_message(self, *args: Any) -> None:
        """Say nothing."""

    @property
    def _provider(self) -> Provider:
        return self.server.provider  # type: ignore[attr-defined,no-any-return]

    def _answer(self, status: int, body: dict[str, Any] | str) -> None:
        data = b"" if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        if isinstance(body, str):
            self.send_header("Location", body)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _flat(query: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(query).items()}
