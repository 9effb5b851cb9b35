"""The value of a password at Veeam: made there, changed there, and found to be the one that was approved."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from audit import services as audit
from audit.events import Event
from encryption.crypto.secret import Secret
from encryption.engines.veeam.client import VeeamClient
from encryption.engines.veeam.inventory import Password
from encryption.errors import StaleOrder
from encryption.models import PasswordVersion, VeeamPassword, VeeamServer
from encryption.services import vault
from encryption.services.veeam import proving
from encryption.services.veeam.reading import time_text


@dataclass(frozen=True, slots=True)
class There:
    """A password as it stands at Veeam, with the value that was approved."""

    external: UUID
    modified_at: datetime | None
    is_kms: bool
    # None where a server is too old to compare values, or the key is not Veeam's.
    verified: bool | None


def present(client: VeeamClient, server: VeeamServer, version: PasswordVersion) -> There:
    """Return the password of a version with that very value; made there if it was never.

    Raises StaleOrder where it has another value, VerifyBlocked.
    """
    if (known := _known(server, version)) is None:
        with proving.alone(server.pk, version.password_id):
            if (known := _known(server, version)) is None:
                return _make(client, server, version)
    if known.is_kms:
        return There(known.external, None, True, None)
    with proving.alone(server.pk, known.external):
        version.refresh_from_db(fields=["in_force_from"])
        found = client.password(known.external)
        return _proved(client, server, found, version)


def changed(client: VeeamClient, server: VeeamServer, version: PasswordVersion) -> There:
    """Return the password with the value of this version, which it is given if it was not yet.

    Whether it was is told by its time of change first: a value is tried only where that moved. Raises
    StaleOrder where somebody else changed it, VerifyBlocked.
    """
    known = _known(server, version)
    if known is None or known.is_kms:
        raise StaleOrder("This password cannot be changed at Veeam.")
    with proving.alone(server.pk, known.external):
        # Another worker may have changed it while we waited.
        known.refresh_from_db()
        version.refresh_from_db(fields=["in_force_from"])
        found = client.password(known.external)
        if found.modified_at == known.modified_at and version.in_force_from is None:
            with vault.password_of(version) as secret:
                client.change_password(known.external, version.hint, secret)
            found = client.password(known.external)
        there = _proved(client, server, found, version)
        _note(known, found, version)
    return there


def _known(server: VeeamServer, version: PasswordVersion) -> VeeamPassword | None:
    known = VeeamPassword.objects.filter(password=version.password_id).first()
    if known is not None and known.server_id != server.pk:
        raise StaleOrder("The password is another server's.")
    return known


def _make(client: VeeamClient, server: VeeamServer, version: PasswordVersion) -> There:
    """Make a password, once: one that a killed worker made is known by its hint, and proved by its value."""
    taken = set(VeeamPassword.objects.filter(server=server).values_list("external", flat=True))
    found = next(
        (one for one in client.passwords() if one.hint == version.hint and one.id not in taken), None
    )
    if found is None:
        with vault.password_of(version) as secret:
            found = client.create_password(version.hint, secret)
    there = _proved(client, server, found, version)
    known = VeeamPassword(
        password=version.password, server=server, external=found.id, unique_id=found.unique_id
    )
    _note(known, found, version)
    return there


def _proved(client: VeeamClient, server: VeeamServer, found: Password, version: PasswordVersion) -> There:
    if not proving.can_verify(client):
        # Its time of change is all that there is: the one that we noted when we set it, or none yet.
        if version.in_force_from not in (None, found.modified_at):
            raise StaleOrder("The password was changed at Veeam since.")
        return There(found.id, found.modified_at, False, None)
    with _value(version) as secret:
        same = proving.holds(client, server.pk, found.id, secret, version=version.pk, since=found.modified_at)
    if not same:
        raise StaleOrder(
            "The password at Veeam has another value than the approved one: it was changed there."
        )
    return There(found.id, found.modified_at, False, True)


@sensitive_variables()
def _value(version: PasswordVersion) -> Secret:
    if version.sealed_password is None:
        raise StaleOrder("Nobody has proved to know this password, so it cannot be verified.")
    return vault.password_of(version)


def _note(known: VeeamPassword, found: Password, version: PasswordVersion) -> None:
    """Note what stands there now, and from when on by Veeam's clock each version was in force."""
    with audit.act(by=audit.WORKER, subject=version):
        moment = found.modified_at or timezone.now()
        known.modified_at, known.seen_at = found.modified_at, timezone.now()
        known.gone_at = None
        # As a poll would note it, so that the next one sees what others do from now on.
        known.polled = {"hint": found.hint, "modified_at": time_text(found.modified_at)}
        known.save()
        former = PasswordVersion.objects.filter(password=version.password_id, number__lt=version.number)
        former.filter(in_force_from__isnull=False, in_force_until=None).update(in_force_until=moment)
        fresh = PasswordVersion.objects.filter(Q(in_force_from=None), pk=version.pk)
        if fresh.update(in_force_from=moment):
            facts = {"password": version.password_id, "number": version.number, "at_veeam": found.id}
            audit.record(Event.VEEAM_PASSWORD_SET, facts=facts)
