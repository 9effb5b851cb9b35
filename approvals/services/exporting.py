"""Taking evidence away; that it was taken is told to the log."""

from typing import Any
from uuid import UUID

from accounts.models import User
from approvals import selectors
from approvals.services import endings
from audit import services as audit
from audit.events import Event


def export(request_id: UUID, *, by: User) -> dict[str, Any]:
    """Return the bundle of a request that the account may see; NotFound otherwise."""
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)) as attempt:
        bundle = selectors.evidence(selectors.get_visible(request_id, by))
        with attempt.act():
            audit.record(Event.EVIDENCE_EXPORTED, facts={"number": bundle["request"]["number"]})
    return bundle
