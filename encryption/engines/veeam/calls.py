"""Calls with a token and a revision: which are repeated, which never.

Only a reading is repeated: where the server asks to come later, and where its answer was cut. A call that
changes something is sent once. An expired token is the exception: that answer proves that nothing was done.
"""

import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote
from uuid import UUID

from encryption.engines.veeam import exact, operations, paging, reading
from encryption.engines.veeam.operations import Operation
from encryption.engines.veeam.reading import Model
from encryption.engines.veeam.refusals import passes, refusal, wait_asked
from encryption.engines.veeam.tokens import Tokens, authorized
from encryption.engines.veeam.wire import Answer, Wire
from encryption.errors import VeeamBusy, VeeamRefused, VeeamUnexpected, VeeamUnreachable

_TRIES = 4
_FIRST_WAIT = 0.5
# A server that asks for more is left alone until the next beat.
_LONGEST_WAIT = 30.0
_DONE = frozenset({200, 201, 202, 204})
_PAGE = 200


class Calls:
    """What one account says to one server; may be shared by threads."""

    def __init__(self, wire: Wire, tokens: Tokens, revision: str | None) -> None:
        self._wire, self._tokens = wire, tokens
        self._revision = revision or ""
        self._info: Model | None = None

    @property
    def revision(self) -> str:
        """Return the revision that is spoken; found out at the first call. Raises EngineError."""
        if not self._revision:
            self._revision = self._detect()
        return self._revision

    def server_info(self) -> Model:
        """Return what the server says of itself, as read while its revision was found out."""
        if self.revision and self._info is None:
            self._info = reading.model(self.read(operations.SERVER_INFO), "with itself")
        return self._info or {}

    def close(self) -> None:
        """Give the token back, and close."""
        try:
            self._tokens.give_back(self._revision or operations.REVISIONS[0])
        finally:
            self._wire.close()

    def read(self, operation: Operation, *ids: UUID, query: Mapping[str, str] | None = None) -> Any:
        """Return the JSON of an answer, number by number as it was read. Raises EngineError."""
        return exact.loads(self._answer(operation, ids, query=query).content)

    def change(self, operation: Operation, *ids: UUID, body: Any = None) -> Any:
        """Send a change once and return the JSON of its answer, or None where it has none."""
        answer = self._answer(operation, ids, body=body)
        return exact.loads(answer.content) if answer.content.strip() else None

    def entries(
        self,
        operation: Operation,
        *,
        order: str,
        query: Mapping[str, str] | None = None,
        size: int = _PAGE,
        keep_numbers: bool = False,
    ) -> Iterator[Model]:
        """Hand out a list's entries in the order of a column, page by page. Raises EngineError."""
        parse = exact.loads if keep_numbers else exact.loads_plain

        def fetch(skip: int, limit: int) -> paging.Page:
            asked = {"skip": str(skip), "limit": str(limit), "orderColumn": order, "orderAsc": "true"}
            answer = self._answer(operation, (), query=asked | dict(query or {}))
            return _page(parse(answer.content))

        return paging.entries(fetch, size)

    def _answer(
        self,
        operation: Operation,
        ids: tuple[UUID, ...],
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        revision = self.revision
        if operations.REVISIONS.index(revision) < operations.REVISIONS.index(operation.since):
            raise VeeamUnexpected(
                f"The Veeam server speaks revision {revision}; {operation.path} came with {operation.since}."
            )
        return self._with_token(operation, revision, ids, query, body)

    def _with_token(
        self,
        operation: Operation,
        revision: str,
        ids: tuple[UUID, ...] = (),
        query: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Answer:
        path = operation.path.format(*(quote(str(one), safe="") for one in ids))
        content = None if body is None else exact.dumps(body)
        access = self._tokens.bearer(revision)
        answer = self._tried(operation.method, path, authorized(revision, access), query, content)
        if answer.status == 401:
            access = self._tokens.renew(access, revision)
            answer = self._tried(operation.method, path, authorized(revision, access), query, content)
        if answer.status not in _DONE:
            raise refusal(operation, answer)
        return answer

    def _tried(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None,
        content: bytes | None,
    ) -> Answer:
        if content is not None:
            headers = {**headers, "Content-Type": "application/json"}
        last = _TRIES if method == "GET" else 1
        for turn in range(1, last + 1):
            wait = _FIRST_WAIT * 2 ** (turn - 1)
            try:
                answer = self._wire.send(method, path, headers=headers, query=query, content=content)
            except VeeamUnreachable:
                if turn == last:
                    raise
            else:
                if turn == last or not passes(answer):
                    return answer
                asked = wait_asked(answer, datetime.now(UTC))
                if asked is not None and asked > _LONGEST_WAIT:
                    raise VeeamBusy(f"The Veeam server asks to be left alone for {asked:.0f} seconds.")
                wait = wait if asked is None else asked
            time.sleep(wait)
        raise AssertionError("the last turn returns or raises")

    def _detect(self) -> str:
        """Find the newest revision that both sides speak; an account that may not read the build suffices."""
        probed = self.probe()
        try:
            answer = self._with_token(operations.SERVER_INFO, probed)
        except VeeamRefused:
            # Without a token there is nothing more to find; without the role, the probe stands.
            self._tokens.bearer(probed)
            return probed
        self._info = reading.model(exact.loads(answer.content), "with itself")
        build = reading.text(self._info.get("buildVersion"))
        told = operations.revision_of(build)
        if told is None:
            raise VeeamUnexpected(
                f"The Veeam server's build {build[:40]!r} is older than 12.3.1, or not a build."
            )
        return min(probed, told, key=operations.REVISIONS.index)

    def probe(self) -> str:
        """Return the newest revision that the server accepts, without logging in."""
        # The server's time is told to anyone, and to no revision that is not spoken.
        for revision in reversed(operations.REVISIONS):
            answer = self._tried("GET", operations.SERVER_TIME.path, {"x-api-version": revision}, None, None)
            if answer.status != 400:
                break
        if answer.status in _DONE or answer.status == 401:
            return revision
        raise refusal(operations.SERVER_TIME, answer)


def _page(content: Any) -> paging.Page:
    model = reading.model(content, "with a list")
    listed, pages = model.get("data"), model.get("pagination")
    if listed is not None and not isinstance(listed, list):
        raise VeeamUnexpected("The Veeam server's list is none.")
    total = reading.whole(pages.get("total")) if isinstance(pages, dict) else None
    return paging.Page([reading.model(entry, "a list") for entry in listed or ()], total)
