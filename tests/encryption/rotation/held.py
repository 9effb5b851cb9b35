"""Something in every column that rests under the worker's master key, and whether all of it opens."""

import io
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.core.management import call_command
from django.utils import timezone

from accounts.models import Role
from audit.models import Forwarder
from encryption.crypto import providers
from encryption.crypto.seal import MasterKey
from encryption.crypto.secret import Secret
from encryption.models import EncryptionPassword, MasterRotation, PasswordVersion, RecoveredKeys, VeeamServer
from encryption.services import forwarding, keyring, protection, resting, vault
from encryption.services.rotating import rotate
from encryption.services.veeam import servers
from tests.encryption.conftest import make_user
from tests.encryption.veeam.conftest import THUMBPRINT

KEY, ACCOUNT = b"a key of the webhook, long enough for a MAC", b"Account-pass-1"


def turn() -> MasterRotation:
    """Rotate the worker's key, or go on with that."""
    return rotate(keyring.rest(), told=lambda text: None)


def said(*words: str) -> str:
    """Return what `manage.py keys` prints."""
    out = io.StringIO()
    call_command("keys", *words, stdout=out)
    return out.getvalue()


def versions(number: int, *, under: MasterKey | None = None) -> None:
    """Store so many versions of one password, each with a value and a root that tell their number."""
    PasswordVersion.objects.bulk_create(unsaved(number, under=under), batch_size=5000)


def unsaved(number: int, *, under: MasterKey | None = None) -> list[PasswordVersion]:
    """Seal so many versions, under the key in force or the one given."""
    master = under or providers.load_master(settings.WORKER_KEYS)
    password = EncryptionPassword.objects.create(hint="the green folder")
    first = PasswordVersion.objects.count() + 1
    more = {"hint": "h", "kdf": {"x": 1}, "strength": 4, "length": 9}
    rows = [
        PasswordVersion(id=uuid4(), password=password, number=one, **more)
        for one in range(first, first + number)
    ]
    for row in rows:
        for column, value in zip(vault.COLUMNS, _values(row), strict=True):
            setattr(row, column.field, resting.sealed(column, row, value, under=master))
    return rows


def _values(row: PasswordVersion) -> tuple[bytes, bytes]:
    return f"password {row.number}".encode(), f"root {row.number}".encode().ljust(32)


def everything(number: int = 3) -> None:
    """Put something into each column, as the services do."""
    versions(number)
    ada = make_user("ada", Role.ADMINISTRATOR)
    for name in ("One", "Two"):
        place = {"address": "127.0.0.1", "account": "veeamsec", "thumbprint": THUMBPRINT}
        server = servers.connect(by=ada, name=name, password=Secret(ACCOUNT), **place)
        servers.client_for(server)
        fields: dict[str, Any] = {"name": name, "way": "webhook", "form": "json", "host": "siem.example"}
        forwarding.secret_of(forwarding.make(by=ada, secret=Secret(KEY), port=443, path="/in", **fields))
        until = timezone.now() + timedelta(days=1)
        protection.keep_within(uuid4(), {UUID(int=5): b"s" * 32}, [UUID(int=6)], until)


def check() -> int:
    """Open everything as the services do; returns how many values there are."""
    rows = list(PasswordVersion.objects.all())
    for row in rows:
        found = vault.password_of(row).reveal(), vault.root_of(row)
        assert found == _values(row)
    found = [servers._account_password(one, servers.place_of(one)) for one in VeeamServer.objects.all()]
    assert all(one.reveal() == ACCOUNT for one in found)
    keys = [forwarding.secret_of(one) for one in Forwarder.objects.all()]
    assert all(key == KEY for key in keys)
    cases = list(RecoveredKeys.objects.values_list("pk", flat=True))
    assert all(protection.given_by(case).storage_key(UUID(int=6), UUID(int=5)) == b"s" * 32 for case in cases)
    return len(rows) * 2 + len(found) + len(keys) + len(cases)
