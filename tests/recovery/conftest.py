"""An installation that is both a backup server and an Enterprise Manager, with an encrypted job."""

from collections.abc import Callable
from typing import Any

import pytest

from accounts.models import Role, RoleGrant, User
from approvals.models import ApprovalRequest, State
from approvals.services import requests
from encryption.crypto import keysets as suites
from encryption.crypto import providers
from encryption.models import Job
from recovery.models import EnterpriseTask, Keyset
from recovery.services import identity, keysets, obeying
from tests.accounts import factories
from tests.approvals.conftest import (  # noqa: F401
    People,
    approve,
    ask,
    job,
    make_job,
    people,
    roster,
    run,
    transactional,
    work,
)


@pytest.fixture
def enterprise(people: People, roster: None, vsec_home: Any, settings: Any) -> User:  # noqa: F811
    """The Enterprise Manager's keys and its administrator."""
    settings.ENTERPRISE_KEYS = vsec_home.keys / "enterprise"
    providers.make_enterprise_keys(
        settings.ENTERPRISE_KEYS, settings.PUBLIC_KEYS, fips=settings.VEEAMSEC_FIPS
    )
    identity.publish_own("Backup A")
    user = factories.make_user("ella")
    factories.add_totp(user)
    RoleGrant.objects.create(user=user, role=Role.ENTERPRISE)
    return user


def obeyed() -> list[EnterpriseTask]:
    """Do what the enterprise worker would do, and return the tasks, newest first."""
    for task in EnterpriseTask.objects.filter(state="open").order_by("created_at"):
        obeying.obey(task.pk)
    return list(EnterpriseTask.objects.order_by("-created_at"))


@pytest.fixture
def decided(people: People, enterprise: User) -> Callable[..., ApprovalRequest]:  # noqa: F811
    """Ask as the Enterprise administrator, approve as Security, do the work of both workers."""

    def decide(kind: str, **given: Any) -> ApprovalRequest:
        request = requests.ask(kind, by=enterprise, reason="As the plan says.", **given)
        approve(people.dpo, request)
        request = work(request)
        assert request.state == State.EXECUTED, request.outcome
        obeyed()
        return request

    return decide


@pytest.fixture
def keyset(enterprise: User, decided: Callable[..., Any]) -> Keyset:
    """The active keyset."""
    task = keysets.generate(by=enterprise, suite=suites.X_WING, description="Winter")
    obeyed()
    decided("activate_keyset", keyset=task.pk)
    return Keyset.objects.get(pk=task.pk)


@pytest.fixture
def encrypted(people: People, ask: Callable[..., Any], job: Job, keyset: Keyset) -> Job:  # noqa: F811
    """A job with two encrypted, protected restore points."""
    request = ask()
    approve(people.dpo, request)
    work(request)
    for _ in range(2):
        run(job)
    job.refresh_from_db()
    return job
