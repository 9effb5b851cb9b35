"""The house of the other tests, looked at."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from compliance.models import Finding
from compliance.services import analyzing
from tests.approvals.conftest import (  # noqa: F401
    ask,
    job,
    make_job,
    people,
    roster,
    transactional,
)
from tests.recovery.conftest import decided, encrypted, enterprise, keyset  # noqa: F401


@pytest.fixture
def look(people: Any) -> Callable[[str], Finding]:  # noqa: F811
    """Run every check, and return what one of them found."""

    def found(code: str, by: User | None = None) -> Finding:
        return analyzing.analyze(analyzing.ask(by=by or people.dpo).pk).findings.get(code=code)

    return found
