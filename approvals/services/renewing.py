"""A keyset that was made by itself is asked for by itself: Security decides on it as on any other."""

from accounts.models import User
from approvals.models import ApprovalRequest, Kind
from approvals.services import requests
from audit.errors import Refused
from recovery.models import EnterpriseTask, Keyset, LossProtection
from recovery.services import renewing


def renew_keysets() -> None:
    """Watch the keyset in force, and ask, once, for the activation of each that was made by itself."""
    renewing.watch()
    held = LossProtection.objects.filter(pk=1, automatic=True).first()
    active = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    if held is None or held.automatic_by is None or active is None:
        return
    by = User.objects.filter(pk=held.automatic_by, is_active=True).first()
    if by is None:
        return
    wished = EnterpriseTask.objects.filter(action="generate", asked_by=by.pk, state="done")
    made = Keyset.objects.filter(
        pk__in=wished.values("pk"), state=Keyset.State.INACTIVE, created_at__gt=active.created_at
    )
    asked = ApprovalRequest.objects.filter(kind=Kind.ACTIVATE_KEYSET).values("targets__ref")
    for keyset in made.exclude(pk__in=asked):
        _ask(keyset, by, held.retention_weeks)


def _ask(keyset: Keyset, by: User, weeks: int) -> None:
    reason = "The keyset in force runs out; this one was made by itself, as was set."
    try:
        requests.ask(Kind.ACTIVATE_KEYSET, by=by, reason=reason, keyset=keyset.pk, weeks=weeks)
    except Refused:
        # It is in the log, and the alarm of the keyset in force stays until somebody asks.
        return
