"""Errors to order: a server that is busy, slow or cut off, as often as a test says; each counts its hits."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

# Instead of an answer.
SLOW, CUT, DROP, GARBAGE = "slow", "cut", "drop", "garbage"
KINDS = (SLOW, CUT, DROP, GARBAGE)
STATUSES = {
    401: ("ExpiredToken", "The access token has expired."),
    403: ("AccessDenied", "Forbidden"),
    404: ("NotFound", "Resource does not exist"),
    409: ("UnknownError", "The object is in use by another operation."),
    429: ("ServiceUnavailable", "Too many requests."),
    500: ("UnknownError", "The request could not be processed."),
    503: ("ServiceUnavailable", "The service is not available now."),
}


@dataclass
class Fault:
    """One order. `kind` is a status, or: slow, cut (done, and the answer ends in its middle), drop (hung up
    before anything is done), garbage (a page of a proxy)."""

    kind: int | str
    method: str
    path: re.Pattern[str]
    left: int
    skip: int = 0
    retry_after: str | None = None
    seconds: float = 0.0
    hits: int = 0


@dataclass
class Faults:
    """The orders that stand, and what is to happen before a call."""

    ordered: list[Fault] = field(default_factory=list)
    before: list[tuple[str, re.Pattern[str], Callable[[], None]]] = field(default_factory=list)

    def order(
        self,
        kind: int | str,
        *,
        times: int = 1,
        method: str = "",
        path: str = "",
        skip: int = 0,
        retry_after: str | None = None,
        seconds: float = 0.0,
    ) -> Fault:
        """Order a fault for the next calls whose path matches the pattern, after `skip` of them passed."""
        if kind not in STATUSES and kind not in KINDS:
            raise ValueError(f"There is no fault {kind!r}.")
        made = Fault(kind, method.upper(), re.compile(path), times, skip, retry_after, seconds)
        self.ordered.append(made)
        return made

    def meet(self, method: str, path: str) -> Fault | None:
        """The fault that this call meets, counted; None for most."""
        for fault in self.ordered:
            if fault.left and fault.method in ("", method) and fault.path.search(path):
                if fault.skip:
                    fault.skip -= 1
                    continue
                fault.left -= 1
                fault.hits += 1
                return fault
        return None

    def due(self, method: str, path: str) -> list[Callable[[], None]]:
        """What is to be done before this call, once."""
        found = [one for one in self.before if one[0] in ("", method) and one[1].search(path)]
        self.before = [one for one in self.before if one not in found]
        return [do for _, _, do in found]
