"""A password leaves a Veeam server, by a decided request; found gone there, it is done."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone

from audit import services as audit
from audit.alarms import Kind
from audit.errors import Later
from audit.events import Event
from audit.services.alarms import resolve_alarm_within
from encryption import selectors
from encryption.errors import (
    EngineError,
    FourEyesRefused,
    RemovalRefused,
    TargetChanged,
    VeeamCut,
    VeeamGone,
    VeeamUnreachable,
)
from encryption.models import VeeamPassword
from encryption.services.veeam import servers

_AGAIN = timedelta(minutes=1)


def remove(password_id: UUID, *, request: UUID) -> None:
    """Delete a password at its Veeam server, if it is one's.

    Raises RemovalRefused with Veeam's own reason, TargetChanged where something needs it, Later while the
    server cannot be asked.
    """
    rows = VeeamPassword.objects.select_related("server__repository")
    there = rows.filter(password=password_id, gone_at=None).first()
    if there is None:
        return
    if needs := selectors.needs_of(password_id):
        raise TargetChanged(f"This password is still needed: {needs[0]}")
    try:
        with servers.client_for(there.server) as client:
            servers.check_identity(there.server, client.server_info().vbr_id)
            client.delete_password(there.external)
    except VeeamGone:
        # A former try came so far.
        pass
    except FourEyesRefused as error:
        raise RemovalRefused(
            f"Veeam's own four-eyes authorization refuses this deletion: {error.message}"
        ) from error
    except (VeeamUnreachable, VeeamCut, OSError) as error:
        raise Later(_AGAIN) from error
    except EngineError as error:
        raise RemovalRefused(f"Veeam does not delete this password: {error.message}") from error
    with audit.act(by=audit.WORKER, subject=("encryption.encryptionpassword", password_id)):
        VeeamPassword.objects.filter(pk=there.pk).update(gone_at=timezone.now())
        resolve_alarm_within(Kind.VEEAM_ADOPTION_FAILED, ("encryption.encryptionpassword", password_id))
        facts = {"at_veeam": there.external, "request": request}
        audit.record(Event.VEEAM_PASSWORD_REMOVED, facts=facts)
