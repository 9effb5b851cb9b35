"""The house of the other tests, looked at."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import User
from approvals.models import ApprovalRequest
from audit.services import checkpoints
from compliance.models import Finding
from compliance.services import analyzing
from encryption.models import Job
from tests.approvals.conftest import (  # noqa: F401
    People,
    approve,
    ask,
    job,
    make_job,
    pending,
    people,
    reject,
    roster,
    run,
    transactional,
    work,
)
from tests.recovery.conftest import decided, encrypted, enterprise, keyset  # noqa: F401


@pytest.fixture
def look(people: Any) -> Callable[[str], Finding]:  # noqa: F811
    """Run every check, and return what one of them found."""

    def found(code: str, by: User | None = None) -> Finding:
        return analyzing.analyze(analyzing.ask(by=by or people.dpo).pk).findings.get(code=code)

    return found


@pytest.fixture
def executed(people: People, pending: ApprovalRequest, roster: None, job: Job) -> ApprovalRequest:  # noqa: F811
    """An activation that the DPO approved, executed and attested; one run under it; a checkpoint."""
    done = work(approve(people.dpo, pending, "Read it twice."))
    run(job)
    checkpoints.sign_checkpoint()
    return done


@pytest.fixture
def mixed(
    executed: ApprovalRequest,
    people: People,  # noqa: F811
    ask: Callable[..., ApprovalRequest],  # noqa: F811
    make_job: Callable[..., Job],  # noqa: F811
) -> dict[str, Any]:
    """Beside it a request that an administrator approved alone, a rejected one, and one that waits."""
    return {
        "executed": executed,
        "administrator": work(approve(people.administrator, ask(make_job("Mail")))),
        "rejected": reject(people.ciso, ask(make_job("Web")), "The custodian is unknown."),
        "waiting": ask(make_job("=HYPERLINK(1)")),
    }
