"""From an answer that is no success to an error that says what to do; no password sent comes back in it."""

import json
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from encryption.engines.veeam import reading
from encryption.engines.veeam.operations import VERIFY_PASSWORD, Operation
from encryption.engines.veeam.wire import Answer
from encryption.errors import (
    EngineError,
    FourEyesRefused,
    VeeamBusy,
    VeeamGone,
    VeeamRefused,
    VeeamUnexpected,
    VerifyBlocked,
)

_BUSY = frozenset({409, 429, 502, 503, 504})
_PASSING = frozenset({429, 503})
_BLOCKED = re.compile(r"block|too many|attempts|try again|temporar|locked", re.IGNORECASE)
_FOUR_EYES = re.compile(r"four[\s-]?eyes|4[\s-]?eyes", re.IGNORECASE)


def passes(answer: Answer) -> bool:
    """Say whether a server asks to come again later, so that a reading may be repeated."""
    return answer.status in _PASSING or (answer.status == 500 and _said(answer)[0] == "ServiceUnavailable")


def wait_asked(answer: Answer, now: datetime) -> float | None:
    """Return the seconds that Retry-After asks for, which may be a date; None where it says nothing."""
    asked = answer.retry_after.strip()
    if asked.isdecimal() and len(asked) < 7:
        return float(asked)
    try:
        until = parsedate_to_datetime(asked)
    except ValueError:
        return None
    return max(0.0, ((until if until.tzinfo else until.replace(tzinfo=UTC)) - now).total_seconds())


def refusal(operation: Operation, answer: Answer) -> EngineError:
    """Return what an answer means that is no success."""
    code, message = _said(answer)
    quote = "" if operation.secret or not message else f" It says: {message}"
    status = answer.status
    if operation.method == "DELETE" and _FOUR_EYES.search(message):
        return FourEyesRefused(
            "Veeam's own four-eyes authorization refuses deletions by its REST API while it is on."
            f" Delete it in Veeam's console, where a second administrator approves.{quote}"
        )
    if operation is VERIFY_PASSWORD and (status == 429 or tells_of_a_block(message)):
        return verify_blocked()
    if status == 401:
        return VeeamRefused(f"The Veeam server does not accept the account.{quote}")
    if status == 403:
        return VeeamRefused(f"The Veeam account may not do this: it needs the role {operation.role}.{quote}")
    if status == 404:
        return VeeamGone(f"The Veeam server has no such object any more.{quote}")
    if status in _BUSY or passes(answer):
        return VeeamBusy(f"The Veeam server cannot do this now (HTTP {status}).{quote}")
    kind = f", {code}" if code else ""
    return VeeamUnexpected(
        f"The Veeam server answered {operation.method} {operation.path} with HTTP {status}{kind}.{quote}"
    )


def tells_of_a_block(message: object) -> bool:
    """Say whether a server's words tell that it compares no passwords for a while."""
    return bool(_BLOCKED.search(reading.quoted(message)))


def verify_blocked() -> VerifyBlocked:
    """Return what to say where Veeam compares no passwords for a while."""
    return VerifyBlocked("Veeam compares no passwords for five minutes, after too many wrong ones.")


def _said(answer: Answer) -> tuple[str, str]:
    try:
        body: Any = json.loads(answer.content)
    except (ValueError, RecursionError):
        return "", ""
    if not isinstance(body, dict):
        return "", ""
    # The token's endpoint may answer as OAuth does.
    code = body.get("errorCode") or body.get("error")
    return reading.quoted(code), reading.quoted(body.get("message") or body.get("error_description"))
