"""A governed Veeam server with its jobs, and requests about them from the question to the end."""

from collections.abc import Callable
from typing import Any

import pytest

from approvals.models import ApprovalRequest
from approvals.services import requests
from encryption.crypto.secret import Secret
from encryption.models import EncryptionPassword, Job, VeeamServer
from encryption.services.veeam import imports, servers
from tests.approvals.conftest import CUSTODY, People, answers
from tests.approvals.veeam.governed import Governed

SECRET, OTHER = "Kranich-7-Zitrone-Harfe-Nebel", "Laterne-Quitte-31-Segel-Moos"


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Governed:
    """What the server answers."""
    found = Governed()
    monkeypatch.setattr(servers, "client_for", lambda _server: found)
    return found


@pytest.fixture
def server(people: People, roster: None, there: Governed) -> VeeamServer:
    """A connected server that was never read."""
    return servers.connect(
        by=people.administrator,
        name="Main",
        address="vbr.example",
        account=r"TECH\veeamsec",
        thumbprint="ab" * 32,
        password=Secret(b"Account-pass-1"),
    )


@pytest.fixture
def read(server: VeeamServer) -> Callable[[], VeeamServer]:
    """Import, and return the server's row."""

    def now() -> VeeamServer:
        imports.run_import(server.pk)
        server.refresh_from_db()
        assert server.error == ""
        return server

    return now


@pytest.fixture
def ask_for(people: People, server: VeeamServer) -> Callable[..., ApprovalRequest]:
    """Ask for something about jobs there, as the operator unless told otherwise."""

    def ask(kind: str, *names: str, **fields: Any) -> ApprovalRequest:
        by = fields.pop("by", people.operator)
        wish: dict[str, Any] = {"reason": "The authority asks for it."}
        if names:
            wish["jobs"] = [job_named(name).pk for name in names]
        if kind in ("activate_encryption", "change_password"):
            wish |= {"custody": [CUSTODY], "answers": answers()}
        return requests.ask(kind, by=by, **(wish | fields))

    return ask


@pytest.fixture
def activated(
    people: People, there: Governed, read: Callable[[], VeeamServer], ask_for: Callable[..., ApprovalRequest]
) -> Job:
    """One job, activated under a new password by a request that Security approved."""
    from tests.approvals.conftest import approve, work

    there.add_job("Mail")
    read()
    work(approve(people.dpo, ask_for("activate_encryption", "Mail", new_password=SECRET, hint="Mail 2026")))
    return job_named("Mail")


def job_named(name: str) -> Job:
    """A job by its name."""
    return Job.objects.get(name=name)


def the_password(job: Job) -> EncryptionPassword:
    """The password that a job is given."""
    job.refresh_from_db()
    assert job.password is not None
    return job.password
