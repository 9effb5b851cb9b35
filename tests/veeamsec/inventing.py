"""What invented calls to the API share: the schema, who calls, what there is, how an answer is judged.

Reads and writes are files of their own, for two workers. 50 examples an operation, half of them made to be
wrong; `make api-long` sets VEEAMSEC_EXAMPLES to 500.
"""

import os
from collections.abc import Iterator
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode, checks
from schemathesis.specs.openapi import checks as described

from accounts.services import users
from encryption.models import JobSession, RestorePoint
from tests.approvals.conftest import people  # noqa: F401
from tests.pages.conftest import as_user

EXAMPLES = int(os.environ.get("VEEAMSEC_EXAMPLES", "50"))
# 64 characters as Django makes them: a browser's cookie and header, alike.
CSRF = "v" * 64
CHECKS = [
    checks.not_a_server_error,
    described.ignored_auth,
    described.status_code_conformance,
    described.content_type_conformance,
    described.response_schema_conformance,
    described.response_headers_conformance,
]

schema = schemathesis.openapi.from_dict(SchemaGenerator().get_schema(request=None, public=True))
application = get_wsgi_application()


def from_here(environ: dict[str, Any], start_response: Any) -> Any:
    """The product, called from an address, as every server calls it."""
    return application(environ | {"REMOTE_ADDR": "127.0.0.1"}, start_response)


schema.app = from_here


@pytest.fixture(autouse=True)
def unlimited(settings: Any) -> Iterator[None]:
    """Invention is quicker than any client may be; and the test's connection stays open between calls."""
    settings.VEEAMSEC_CALLS_A_MINUTE = dict.fromkeys(settings.VEEAMSEC_CALLS_A_MINUTE, 10**9)
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def ids(encrypted: Any, pending: Any) -> dict[str, str]:
    """What there is, by the name that paths give it."""
    return {
        "job_id": str(encrypted.pk),
        "repository_id": str(encrypted.repository_id),
        "restore_point_id": str(RestorePoint.objects.filter(job=encrypted).first().pk),
        "session_id": str(JobSession.objects.filter(job=encrypted).first().pk),
        "rekey_id": str(encrypted.rekey_steps.get().rekey_id),
        "request_id": str(pending.pk),
        "sequence": "1",
    }


@pytest.fixture
def identities(people: Any) -> dict[str, dict[str, Any]]:  # noqa: F811
    """Who calls, as headers and cookies."""

    def token(user: Any) -> dict[str, Any]:
        made = users.create_token(user=user, name="invented", days=1, scopes=["api"], by=user)
        return {"headers": {"Authorization": f"Bearer {made}"}, "cookies": {}}

    def session(user: Any) -> dict[str, Any]:
        cookies = {"session": as_user(user).cookies["session"].value, "csrftoken": CSRF}
        return {"headers": {"X-CSRFToken": CSRF}, "cookies": cookies}

    return {
        "operator": token(people.operator),
        "administrator": session(people.administrator),
        "security": session(people.dpo),
        "auditor": token(people.auditor),
    }


OPERATIONS = {operation.ok().label: operation.ok() for operation in schema.get_all_operations()}


def invent(label: str, ids: dict[str, str], identities: dict[str, Any]) -> None:
    """Call one operation with what it describes and with what it does not."""
    operation = OPERATIONS[label]
    right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=EXAMPLES <= 50,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    @given(case=right | wrong)
    def each(case: Any) -> None:
        call(case, ids, identities)

    each()


def call(case: Any, ids: dict[str, str], identities: dict[str, Any]) -> None:
    """Make one invented call, on what there is, and look at the answer."""
    # By what is sent, so that an example is replayed by the same account.
    sent = repr((case.body, case.query, case.headers)).encode()
    who = identities[sorted(identities)[crc32(sent) % len(identities)]]
    for name in case.path_parameters or {}:
        case.path_parameters[name] = ids.get(name, case.path_parameters[name])
    headers = {"Host": "localhost:8000", **who["headers"]}
    # What leaves authentication out leaves out a token; a session it would go on sending.
    wanted = [check for check in CHECKS if not who["cookies"] or check is not described.ignored_auth]
    case.call_and_validate(headers=headers, cookies=who["cookies"], checks=wanted)
