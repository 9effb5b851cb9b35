"""One request, one answer: bounded in size and time, to a pinned server and nowhere else.

Neither redirects nor proxies are followed, and nothing of a request survives in an error: httpx keeps the
request, with its headers and body, in the exceptions that it raises.
"""

import logging
import time
from collections.abc import Mapping
from typing import NamedTuple

import httpx

from encryption.engines.veeam.tls import Pin, PinnedContext, check_address
from encryption.errors import EngineError, VeeamCut, VeeamUnexpected, VeeamUnreachable

# Headers carry the token; these loggers would write them.
for _name in ("httpx", "httpcore"):
    logging.getLogger(_name).setLevel(logging.WARNING)

# A page of a hundred jobs with thousands of objects each stays below it.
_LARGEST_ANSWER = 64 * 1024 * 1024
# A whole answer, however slowly it drips.
_LONGEST_ANSWER = 300.0
_CONNECTIONS = 8
_HEADERS = {"Accept": "application/json", "Accept-Encoding": "identity", "User-Agent": "veeamsec"}
_NOTHING_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)


class Answer(NamedTuple):
    """What a server answered."""

    status: int
    content: bytes
    retry_after: str = ""


class Wire:
    """A pool of connections to one pinned server; may be shared by threads."""

    def __init__(self, address: str, port: int, pin: Pin, timeout: float) -> None:
        check_address(address)
        self.place = f"[{address}]:{port}" if ":" in address else f"{address}:{port}"
        self._context = PinnedContext(pin)
        self._client = httpx.Client(
            transport=transport(self._context),
            headers=_HEADERS,
            timeout=httpx.Timeout(timeout, connect=min(timeout, 15.0)),
            follow_redirects=False,
            trust_env=False,
        )

    @property
    def tls_version(self) -> str:
        """Return what the newest connection negotiated, such as TLSv1.3; "" before the first."""
        return self._context.tls_version

    def send(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, str],
        query: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Send a request once and return the answer, whatever its status.

        Raises VeeamUnreachable where nothing was sent, VeeamCut where something was and no whole answer came,
        VeeamUntrusted, and VeeamUnexpected for an answer that is too large.
        """
        failure: EngineError
        try:
            with self._client.stream(
                method, f"https://{self.place}{path}", headers=headers, params=query, content=content
            ) as response:
                return Answer(
                    response.status_code, self._read(response), response.headers.get("retry-after", "")
                )
        except _NOTHING_SENT as error:
            failure = VeeamUnreachable(
                f"The Veeam server at {self.place} cannot be reached: {_cause(error)}."
            )
        except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, UnicodeError) as error:
            failure = VeeamCut(f"The Veeam server at {self.place} gave no whole answer: {_cause(error)}.")
        # Raised here, where no former exception clings to it.
        raise failure

    def close(self) -> None:
        """Close every connection."""
        self._client.close()

    def _read(self, response: httpx.Response) -> bytes:
        if response.headers.get("content-encoding", "identity") != "identity":
            raise VeeamUnexpected("The Veeam server packs its answers although that was not asked for.")
        until = time.monotonic() + _LONGEST_ANSWER
        pieces, size = [], 0
        for piece in response.iter_raw():
            size += len(piece)
            if size > _LARGEST_ANSWER:
                raise VeeamUnexpected(
                    f"The Veeam server's answer is larger than {_LARGEST_ANSWER >> 20} MiB."
                )
            if time.monotonic() > until:
                raise VeeamCut(f"The Veeam server at {self.place} did not end its answer in time.")
            pieces.append(piece)
        return b"".join(pieces)


def transport(context: PinnedContext) -> httpx.BaseTransport:
    """Return what carries requests to the pinned server."""
    limits = httpx.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=_CONNECTIONS)
    return httpx.HTTPTransport(verify=context, trust_env=False, limits=limits)


def _cause(error: Exception) -> str:
    # Only the kind: some texts of httpx repeat a header's value.
    if isinstance(error, httpx.TimeoutException):
        return "it took too long"
    return str(error)[:200] if isinstance(error, httpx.ConnectError) else type(error).__name__
