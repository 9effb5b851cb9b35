"""Jobs of every type at a server that answers as Veeam does: only their encryption changes."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.cache import cache

from approvals.errors import Invalid
from approvals.models import State
from encryption.crypto.secret import Secret
from encryption.models import Drift, RekeyJob, VeeamPassword, VeeamServer
from encryption.services.veeam import imports, servers
from tests.approvals.conftest import approve, work
from tests.approvals.veeam.conftest import SECRET, ask_for, job_named, the_password
from veeamsec.peer import Peer, serve

__all__ = ["ask_for"]

pytestmark = pytest.mark.django_db

PLAIN = ("Test VMs", "Cloud Director", "Linux Servers", "Linux Laptops", "HR Copy", "Buckets")
ENCRYPTED = ("Finance VMs", "SQL Cluster", "Laptops", "File Shares", "Entra Tenant", "Entra Tenant Copy")
_OURS = ("encryption", "useCustomEncryption")


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


def bare(model: Any) -> Any:
    """A model without what is ours to change."""
    if isinstance(model, dict):
        return {name: bare(value) for name, value in model.items() if name not in _OURS}
    return [bare(one) for one in model] if isinstance(model, list) else model


def places(model: Any) -> Iterator[dict[str, Any]]:
    """Every place of a model that speaks of encryption."""
    for name, value in model.items() if isinstance(model, dict) else ():
        if name == "encryption":
            yield value
        else:
            yield from places(value)
    for one in model if isinstance(model, list) else ():
        yield from places(one)


@pytest.mark.parametrize("names", [PLAIN, ENCRYPTED], ids=["plain", "under other passwords"])
def test_every_place_of_every_type_gets_the_new_password(people, peer, server, ask_for, names):
    before = {name: copy.deepcopy(peer.control.job_model(name)) for name in names}
    request = ask_for("activate_encryption", *names, new_password=SECRET, hint="One for all")
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    external = peer.control.password_id(f"One for all (R-{request.number})")
    for name in names:
        after = peer.control.job_model(name)
        assert bare(after) == bare(before[name])
        assert {place["encryptionPasswordId"] for place in places(after)} == {external}
    assert {tuple(step.proof["others"]) for step in RekeyJob.objects.all()} == {()}


def test_imports_after_it_find_nothing_to_explain(people, peer, server, ask_for):
    work(approve(people.dpo, ask_for("activate_encryption", *ENCRYPTED, new_password=SECRET, hint="One")))
    imports.run_import(server.pk)
    assert not Drift.objects.exclude(what__in=Drift.GAPS).filter(closed_at=None).exists()


def test_from_a_password_to_a_kms_server_and_back(people, peer, server, ask_for):
    """P2"""
    kms = VeeamPassword.objects.get(is_kms=True).password
    request = ask_for("activate_encryption", "Finance VMs", encryption_password=kms.pk)
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    assert the_password(job_named("Finance VMs")) == kms
    request = ask_for("activate_encryption", "Finance VMs", new_password=SECRET, hint="Back")
    assert work(approve(people.ciso, request)).state == State.EXECUTED
    [place] = places(peer.control.job_model("Finance VMs"))
    assert place["encryptionType"] == "ByUserPassword"


def test_type_that_encrypts_nothing_is_refused(server, ask_for):
    with pytest.raises(Invalid, match="encrypts nothing"):
        ask_for("activate_encryption", "Finance Replica", new_password=SECRET, hint="One")


def test_deactivation_keeps_the_rest_of_the_job(people, peer, server, ask_for):
    before = copy.deepcopy(peer.control.job_model("File Shares"))
    request = ask_for("deactivate_encryption", "File Shares")
    assert work(approve(people.dpo, request)).state == State.EXECUTED
    after = peer.control.job_model("File Shares")
    assert bare(after) == bare(before)
    assert {place["isEnabled"] for place in places(after)} == {False}
