"""A log with some entries, a home with keys, and ways to tamper that the product does not have."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from uuid import uuid4

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from django.db import connection

from audit import keys, queue
from audit import services as audit
from audit.events import Event


@pytest.fixture
def signing(tmp_path, settings) -> Ed25519PrivateKey:
    """A home of its own with a signing key; nothing else of the worker's keys is needed here."""
    settings.VEEAMSEC_HOME = tmp_path
    settings.WORKER_KEYS = settings.PUBLIC_KEYS = tmp_path / "keys"
    return new_key(tmp_path / "keys")


def new_key(folder) -> Ed25519PrivateKey:
    """Write a fresh pair into a folder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    key = Ed25519PrivateKey.generate()
    private = folder / keys.PRIVATE
    private.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    private.chmod(0o600)
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / keys.PUBLIC).write_bytes(public)
    return key


@pytest.fixture
def write() -> Callable[[int], None]:
    """Write so many entries, each with a name that it commits to."""

    def write(count: int) -> None:
        with audit.act(by=audit.CONSOLE, subject=("encryption.job", uuid4())):
            for number in range(count):
                names = {"subject": f"job {number}"}
                audit.record(Event.JOB_RUN, facts={"number": number, "paths": ["a", "b"]}, names=names)

    return write


@pytest.fixture
def tamper(db) -> Callable[[str], None]:
    """Run SQL with triggers off: what somebody with the database's own password could do."""

    @contextmanager
    def without_triggers() -> Iterator[None]:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
            cursor.execute("SET session_replication_role = replica")
        try:
            yield
        finally:
            with connection.cursor() as cursor:
                cursor.execute("SET session_replication_role = origin")

    def tamper(*statements: str) -> None:
        with without_triggers(), connection.cursor() as cursor:
            for statement in statements:
                cursor.execute(statement)

    return tamper


@pytest.fixture
def bells(monkeypatch) -> list[tuple]:
    """What would have been sent."""
    sent = []
    monkeypatch.setattr(queue, "bell", lambda task, row=None: sent.append((task, row)))
    return sent
