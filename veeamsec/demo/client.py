"""A person at a browser, as far as the demo needs one: cookies, CSRF, the sign-in pages and the JSON API."""

import base64
import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.cookiejar import CookieJar
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, Request, build_opener

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

PERIOD = 30  # seconds of one TOTP step (RFC 6238)


def totp_code(secret: str, now: float) -> str:
    """The six digits of a base32 secret at a time in seconds (RFC 6238, as authenticator apps do)."""
    return (
        TOTP(base64.b32decode(secret), 6, SHA1(), PERIOD, enforce_key_length=False)
        .generate(int(now))
        .decode()
    )


class DemoFailed(Exception):
    """Something that the product promises did not happen; the text says what."""


class _Inputs(HTMLParser):
    """The hidden fields of a page's forms."""

    def __init__(self) -> None:
        super().__init__()
        self.fields: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        name = named.get("name")
        if tag == "input" and named.get("type") == "hidden" and name:
            self.fields[name] = named.get("value") or ""


@dataclass(frozen=True)
class Answer:
    """Status, final address and body of one exchange."""

    status: int
    url: str
    text: str

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return json.loads(self.text)


@dataclass
class Client:
    """One browser (or, with `token`, one program) of one account."""

    url: str
    username: str
    token: str | None = None
    totp_secret: str | None = None
    _last_step: int = -1
    _jar: CookieJar = field(default_factory=CookieJar)

    def __post_init__(self) -> None:
        self._opener: OpenerDirector = build_opener(HTTPCookieProcessor(self._jar))

    def sign_in(self, password: str) -> None:
        """Through the pages that a person uses: password first, then the code."""
        answer = self.submit("/account/login/", {"login": self.username, "password": password})
        if self.totp_secret is not None:
            answer = self.submit("/account/2fa/authenticate/", {"code": self.code()})
        if answer.status != 200 or "/account/" in answer.url:
            raise DemoFailed(f"{self.username} could not sign in: {answer.status} at {answer.url}")

    def code(self) -> str:
        """A code that this account has not used yet; waits for the next step where it must."""
        if self.totp_secret is None:
            raise DemoFailed(f"{self.username} has no authenticator app")
        while int(time.time()) // PERIOD <= self._last_step:
            time.sleep(0.2)
        now = time.time()
        self._last_step = int(now) // PERIOD
        return totp_code(self.totp_secret, now)

    def get(self, path: str) -> Answer:
        """GET a page or an endpoint."""
        return self._open(Request(self.url + path, headers=self._headers()))

    def post(self, path: str, body: dict[str, Any]) -> Answer:
        """POST JSON, with the CSRF token where the session speaks."""
        headers = {**self._headers(), "Content-Type": "application/json"}
        if self.token is None:
            headers |= {"X-CSRFToken": self._csrf(), "Referer": self.url + "/"}
        return self._open(Request(self.url + path, json.dumps(body).encode(), headers))

    def submit(self, path: str, values: Mapping[str, str | Sequence[str]], to: str | None = None) -> Answer:
        """Fill in the form of a page and send it, to another address where the form names one."""
        page = _Inputs()
        page.feed(self.get(path).text)
        data = urlencode({**page.fields, **values}, doseq=True).encode()
        return self._open(Request(self.url + (to or path), data, {"Referer": self.url + path}))

    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"} if self.token else {}

    def _csrf(self) -> str:
        return next((cookie.value or "" for cookie in self._jar if "csrf" in cookie.name), "")

    def _open(self, request: Request) -> Answer:
        try:
            with self._opener.open(request, timeout=60) as response:
                return Answer(response.status, response.url, response.read().decode())
        except HTTPError as refused:
            with refused:
                return Answer(refused.code, refused.url or "", refused.read().decode())
