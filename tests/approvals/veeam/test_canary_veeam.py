"""P9: a value that is sent to Veeam is in no log, no error, no row and no message on the way."""

import logging
from collections.abc import Iterator

import pytest
from django.core.cache import cache
from django.db import connection

from approvals.services import execution
from audit.errors import Later
from encryption.crypto.secret import Secret
from encryption.models import RekeyJob, VeeamServer
from encryption.services import steps
from encryption.services.veeam import imports, servers
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import ask_for, job_named, the_password
from veeamsec.peer import Peer, serve

__all__ = ["ask_for"]

pytestmark = pytest.mark.django_db

CANARY, SECOND = "Kanarienvogel-Zitter-91-Moos", "Kanarienvogel-Wipfel-92-Farn"


@pytest.fixture
def peer() -> Iterator[Peer]:
    cache.clear()
    with serve() as found:
        yield found


@pytest.fixture
def server(people, roster, peer) -> VeeamServer:
    row = servers.connect(
        by=people.administrator,
        name="Main",
        address=peer.address,
        port=peer.port,
        account=peer.account.name,
        thumbprint=peer.thumbprint,
        password=Secret(peer.account.password.encode()),
    )
    imports.run_import(row.pk)
    return row


def everything() -> str:
    """All that the database holds, as text."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')
            found += [row for (row,) in cursor.fetchall()]
    return "\n".join(found)


def hidden(value: str) -> list[str]:
    """The forms in which a value would give itself away."""
    return [value, value.encode().hex()]


@pytest.mark.parametrize("kind", ["garbage", "cut", "drop", 500, 409])
def test_value_shows_nowhere_whatever_goes_wrong(people, peer, server, ask_for, caplog, kind):
    """P9"""
    caplog.set_level(logging.DEBUG)
    request = ask_for("activate_encryption", "Test VMs", new_password=CANARY, hint="Tests")
    approve(people.dpo, request)
    execution.execute(request.pk)
    request.refresh_from_db()
    for method, path in (("POST", "encryptionPasswords$"), ("POST", "/verify"), ("PUT", "/jobs/")):
        peer.control.fail_next(kind, times=5, method=method, path=path)
    step = request.rekey.steps.get()
    errors = []
    for _ in range(4):
        RekeyJob.objects.update(lease_until=None)
        try:
            steps.run_step(step.pk)
        except Later as error:
            errors.append(repr(error) + repr(error.__context__))
    peer.control.clear_faults()
    work(request)
    text = everything() + caplog.text + " ".join(errors)
    assert [form for form in hidden(CANARY) if form in text] == []


def test_value_of_a_change_shows_nowhere(people, peer, server, ask_for, caplog):
    """P9"""
    caplog.set_level(logging.DEBUG)
    work(approve(people.dpo, ask_for("activate_encryption", "Test VMs", new_password=CANARY, hint="Tests")))
    password = the_password(job_named("Test VMs"))
    work(
        approve(people.ciso, ask_for("change_password", encryption_password=password.pk, new_password=SECOND))
    )
    assert peer.control.password_value(the_password(job_named("Test VMs")).hint) == SECOND
    text = everything() + caplog.text
    assert [form for form in hidden(SECOND) if form in text] == []
