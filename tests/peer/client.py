"""A plain client, so that the server is judged by nothing of the product."""

import ssl
from typing import Any, Self

import httpx

from veeamsec.peer import Peer

NEWEST = "1.3-rev2"


class Session:
    """One account, signed in at a revision."""

    def __init__(self, peer: Peer, name: str | None = None, revision: str = NEWEST) -> None:
        self.peer = peer
        account = peer.accounts[name] if name else peer.account
        self.http = self.plain(peer, revision)
        form = {"grant_type": "password", "username": account.name, "password": account.password}
        self.tokens = self.http.post("/api/oauth2/token", data=form).raise_for_status().json()
        self.http.headers["Authorization"] = f"Bearer {self.tokens['access_token']}"

    @staticmethod
    def plain(peer: Peer, revision: str = NEWEST) -> httpx.Client:
        """A client that trusts the server's certificate and has no token."""
        trust = ssl.create_default_context(cadata=peer.certificate.pem)
        return httpx.Client(base_url=peer.url, verify=trust, headers={"x-api-version": revision}, timeout=10)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.http.close()

    def get(self, path: str, **query: Any) -> httpx.Response:
        return self.http.get(f"/api/v1/{path}", params=query)

    def post(self, path: str, body: Any = None) -> httpx.Response:
        return self.http.post(f"/api/v1/{path}", json=body)

    def put(self, path: str, body: Any) -> httpx.Response:
        return self.http.put(f"/api/v1/{path}", json=body)

    def delete(self, path: str) -> httpx.Response:
        return self.http.delete(f"/api/v1/{path}")
