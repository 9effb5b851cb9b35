"""The token of an account: fetched with its password, refreshed before it ends, given back at the end.

It lives in memory alone. The server's `expires_in` is trusted, for the documents name two other lifetimes.
"""

import threading
import time
from urllib.parse import urlencode

from encryption.crypto.secret import Secret
from encryption.engines.veeam import exact, reading
from encryption.engines.veeam.operations import LOGOUT, TOKEN
from encryption.engines.veeam.refusals import refusal
from encryption.engines.veeam.wire import Answer, Wire
from encryption.errors import EngineError, VeeamRefused, VeeamUnexpected

# Refreshed this much before its end, or after four fifths of a short life.
_EARLY = 60.0
_FORM = "application/x-www-form-urlencoded"
_REJECTED = frozenset({400, 401})


class Tokens:
    """The token of one account; may be shared by threads."""

    def __init__(self, wire: Wire, account: str, password: Secret) -> None:
        self._wire, self._account, self._password = wire, account, password
        self._lock = threading.Lock()
        self._access, self._refresh, self._until = "", "", 0.0

    def __repr__(self) -> str:
        return "<Tokens, not shown>"

    def bearer(self, revision: str) -> str:
        """Return a token that is good for a while; raises VeeamRefused where the account is not accepted."""
        with self._lock:
            if not self._access or time.monotonic() >= self._until:
                self._obtain(revision)
            return self._access

    def renew(self, rejected: str, revision: str) -> str:
        """Return another token than the one that the server rejected; raises VeeamRefused."""
        with self._lock:
            # Another thread may have met the same rejection before.
            if self._access == rejected:
                self._obtain(revision)
            return self._access

    def give_back(self, revision: str) -> None:
        """End both tokens on the server; one that cannot be reached lets them run out."""
        with self._lock:
            access, self._access, self._refresh = self._access, "", ""
        if access:
            try:
                self._wire.send("POST", LOGOUT.path, headers=authorized(revision, access))
            except EngineError:
                return

    def _obtain(self, revision: str) -> None:
        # A refresh token serves once, whether or not its answer arrives.
        refresh, self._refresh, self._access = self._refresh, "", ""
        if refresh:
            answer = self._ask(revision, {"grant_type": b"refresh_token", "refresh_token": refresh.encode()})
            if answer.status == 200:
                self._take(answer)
                return
        answer = self._ask(
            revision,
            {
                "grant_type": b"password",
                "username": self._account.encode(),
                "password": self._password.reveal(),
            },
        )
        if answer.status in _REJECTED:
            raise VeeamRefused("The Veeam server does not accept the account or its password.")
        if answer.status != 200:
            raise refusal(TOKEN, answer)
        self._take(answer)

    def _ask(self, revision: str, fields: dict[str, bytes]) -> Answer:
        headers = {"x-api-version": revision, "Content-Type": _FORM}
        return self._wire.send("POST", TOKEN.path, headers=headers, content=urlencode(fields).encode())

    def _take(self, answer: Answer) -> None:
        model = reading.model(exact.loads(answer.content), "with a token")
        access, seconds = model.get("access_token"), reading.whole(model.get("expires_in"))
        if not isinstance(access, str) or not access.isascii() or not access.isprintable() or not seconds:
            raise VeeamUnexpected("The Veeam server's token is not as its specification says.")
        self._access, self._refresh = access, reading.text(model.get("refresh_token"))
        self._until = time.monotonic() + max(seconds - _EARLY, seconds * 0.8 if seconds < 5 * _EARLY else 0.0)


def authorized(revision: str, access: str) -> dict[str, str]:
    """Return the headers of a call that is made with a token."""
    return {"x-api-version": revision, "Authorization": f"Bearer {access}"}
