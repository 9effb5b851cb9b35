"""What requests say, each text read once in a process: lists show the same hundreds again and again."""

from functools import lru_cache

from approvals import statement
from approvals.models import ApprovalRequest
from approvals.statement import Statement

# Longer ones are few, and would fill the memory.
_SHORT = 16 * 1024


def said_in(request: ApprovalRequest) -> Statement:
    """Return what a request says; Invalid where it is no statement. Shared: it is for reading alone."""
    data = bytes(request.statement)
    return _parsed(data) if len(data) <= _SHORT else statement.parse(data)


@lru_cache(maxsize=512)
def _parsed(data: bytes) -> Statement:
    return statement.parse(data)
