"""The signed order: canonical, strict, and worth nothing without its signature."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from audit import dsse
from audit.errors import Forged
from encryption import order as orders

JOB, KEY = UUID(int=1), UUID(int=9)
ORDER = orders.Order(
    action="change",
    password_version=UUID(int=2),
    rekey=UUID(int=3),
    request=UUID(int=4),
    request_digest="ab" * 32,
    scope="keys",
    start="next_run",
    then="keep",
    targets=(orders.Target(JOB, "cd" * 32, "ef" * 32, KEY),),
    time=datetime(2026, 11, 2, 12, 0, tzinfo=UTC),
)


@pytest.fixture(scope="module")
def key() -> Ed25519PrivateKey:
    return Ed25519PrivateKey.generate()


def test_signed_order_opens(key):
    assert orders.open_order(orders.sign(ORDER, key, "k"), key.public_key()) == ORDER


def test_other_key_is_refused(key):
    envelope = orders.sign(ORDER, Ed25519PrivateKey.generate(), "k")
    with pytest.raises(Forged):
        orders.open_order(envelope, key.public_key())


def test_payload_of_another_type_is_refused(key):
    envelope = dsse.sign(orders.build(ORDER), key, "k")
    with pytest.raises(Forged):
        orders.open_order(envelope, key.public_key())


@pytest.mark.parametrize("envelope", [[], "x", {}, None])
def test_no_envelope_is_refused(envelope, key):
    with pytest.raises(Forged):
        orders.open_order(envelope, key.public_key())


def test_job_that_is_not_named_is_refused():
    with pytest.raises(Forged):
        ORDER.target(UUID(int=8))


@pytest.mark.parametrize("change", [(b'"keys"', b'"all"'), (b'"keep"', b'"keep" '), (b"ab" * 32, b"AB" * 32)])
def test_bytes_of_another_form_are_refused(change):
    with pytest.raises(Forged):
        orders.read(orders.build(ORDER).replace(*change))


def test_targets_stand_in_order_of_their_jobs():
    second = orders.Target(UUID(int=0), "", "aa" * 32, KEY)
    both = replace(ORDER, targets=(*ORDER.targets, second))
    assert [target.job for target in orders.read(orders.build(both)).targets] == [UUID(int=0), JOB]
