"""Checks over a Veeam server, as its surroundings are read: what it says, what it does not, and nothing."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from compliance.checks import Status
from encryption.models import Reconciled, VeeamRepository, VeeamServer
from encryption.services.veeam import imports
from tests.approvals.veeam.conftest import activated, ask_for, read, server, there  # noqa: F401
from tests.compliance.test_checks_native import PASSED, SHORT, UNABLE, all_of, answers
from tests.pages.reconciled_house import make_event
from tests.pages.veeam_house import make_story

pytestmark = pytest.mark.django_db(transaction=True)
SAID = (
    "servers.enforced",
    "servers.configuration_backup",
    "servers.forwarding",
    "servers.tiers",
    "servers.product_checks",
    "servers.analyzed",
)


def moment(days: float) -> str:
    return f"{datetime.now(UTC) - timedelta(days=days):%Y-%m-%dT%H:%M:%SZ}"


def test_without_a_server_nothing_is_detected(people):
    assert all_of(answers(people), *SAID, "changes.reconciled") == {UNABLE}


def test_a_server_that_is_well_passes(people):
    found = make_story()
    VeeamRepository.objects.create(
        server=found,
        external=uuid4(),
        name="Cloud",
        tiers=[{"tier": "capacity", "enabled": True, "encrypted": True}],
    )
    VeeamServer.objects.update(
        mode="enforced",
        enforcement={"checked_at": moment(0), "count": 0, "others": [], "unchecked": ""},
        configuration_backup={"unchecked": "", "enabled": True, "encrypted": True},
        analyzer={"items": [{"status": "OK"}], "last_run": {"ended_at": moment(1)}, "unchecked": ""},
        forwarding={"unchecked": "", "ours": True, "muted": []},
    )
    Reconciled.objects.create(event=make_event(found, 31700, 1, "us"), request=uuid4())
    assert all_of(answers(people), *SAID, "changes.reconciled") == {PASSED}


def test_a_server_that_falls_short_is_named(people):
    found = make_story()
    VeeamRepository.objects.create(
        server=found,
        external=uuid4(),
        name="Cloud",
        tiers=[{"tier": "capacity", "enabled": True, "encrypted": False}],
    )
    VeeamServer.objects.update(
        analyzer={"items": [{"status": "Suppressed"}], "last_run": {"ended_at": moment(9)}, "unchecked": ""}
    )
    Reconciled.objects.create(event=make_event(found, 31700, 1, "somebody"))
    told = answers(people)
    assert all_of(told, *SAID, "changes.reconciled", "data.copies", "passwords.old_needed") == {SHORT}
    assert told["data.immutable"] == UNABLE


def test_what_was_imported_and_approved_there_passes(people, activated):  # noqa: F811
    imports.run_import(activated.repository_id)
    found = answers(people)
    assert all_of(found, "jobs.encrypted", "passwords.approved", "requests.by_security") == {PASSED}
    assert found["servers.enforced"] == SHORT
    assert Status.SUPPRESSED not in found.values()
