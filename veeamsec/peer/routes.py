"""Which call is done by which function, for which roles, and since which revision."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote

from veeamsec.peer.accounts import ALL, Account
from veeamsec.peer.answers import Answer, Query, Refusal, unexpected
from veeamsec.peer.installation import Installation
from veeamsec.peer.revisions import REVISIONS, has


@dataclass(frozen=True)
class Call:
    """One request, as the functions read it."""

    at: Installation
    method: str
    path: str
    query: Query
    body: bytes
    revision: str
    account: Account | None
    ids: tuple[str, ...] = ()
    access: str = field(default="", repr=False)

    @property
    def by(self) -> str:
        """The name of who calls."""
        return self.account.name if self.account else ""

    @property
    def text(self) -> str:
        """The body as text. Raises Refusal (400)."""
        try:
            return self.body.decode()
        except UnicodeDecodeError:
            raise unexpected("The body is not valid.") from None

    def model(self, *required: str) -> dict[str, Any]:
        """The body as an object that has these fields. Raises Refusal (400)."""
        try:
            found = json.loads(self.text)
        except ValueError:
            raise unexpected("The body is not valid JSON.") from None
        if not isinstance(found, dict):
            raise unexpected("The body is not an object.")
        for name in required:
            if found.get(name) in (None, ""):
                raise unexpected(f"The field {name} is required.")
        return found


Do = Callable[[Call], Answer]


@dataclass(frozen=True)
class Route:
    """One operation."""

    method: str
    path: re.Pattern[str]
    do: Do
    roles: frozenset[str]
    since: str
    anonymous: bool


ROUTES: list[Route] = []


def route(
    method: str,
    path: str,
    roles: frozenset[str] = ALL,
    *,
    since: str = REVISIONS[0],
    anonymous: bool = False,
) -> Callable[[Do], Do]:
    """Enter a function for a path, in which {} stands for an id."""
    pattern = re.compile(re.escape(path).replace(r"\{\}", r"([^/]+)"))

    def enter(do: Do) -> Do:
        ROUTES.append(Route(method, pattern, do, roles, since, anonymous))
        return do

    return enter


def answer(at: Installation, method: str, target: str, headers: dict[str, str], body: bytes) -> Answer:
    """Do one call; every refusal is an answer."""
    path, _, words = target.partition("?")
    try:
        revision = _revision(at, headers.get("x-api-version"))
        found, ids = _find(method, unquote(path), revision)
        access, account = "", None
        if not found.anonymous:
            access = _bearer(headers.get("authorization"))
            account = at.tokens.holder(access)
            if account.role not in found.roles:
                raise Refusal(403, "AccessDenied", "Forbidden")
        query = parse_qs(words, keep_blank_values=False)
        return found.do(Call(at, method, path, query, body, revision, account, ids, access))
    except Refusal as refusal:
        return refusal.answer


def _revision(at: Installation, asked: str | None) -> str:
    if asked is None:
        raise unexpected("The header x-api-version is required.")
    if asked not in REVISIONS or not has(at.revision, asked):
        raise Refusal(400, "NotImplemented", "The specified API version is not supported.")
    return asked


def _find(method: str, path: str, revision: str) -> tuple[Route, tuple[str, ...]]:
    others = False
    for one in ROUTES:
        matched = one.path.fullmatch(path)
        if matched and has(revision, one.since):
            if one.method == method:
                return one, matched.groups()
            others = True
    if others:
        raise Refusal(405, "MethodNotAllowed", "The method is not allowed.")
    raise Refusal(404, "InvalidURI", "The request URI is invalid.")


def _bearer(header: str | None) -> str:
    scheme, _, access = (header or "").partition(" ")
    if scheme.casefold() != "bearer" or not access:
        raise Refusal(401, "AccessDenied", "Unauthorized. A bearer token is needed.")
    return access
