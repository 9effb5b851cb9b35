"""Who did it: what Veeam's own events tell of a change that a reading found, and nothing else does."""

import re
from datetime import UTC, timedelta
from typing import Any

from audit.alarms import Kind
from audit.models import Alarm
from audit.services.log import subject_of
from encryption.models import Drift, VeeamDifference, VeeamEvent

What = VeeamDifference.What

ADDED, CHANGED, DELETED, VERIFIED, JOB_UPDATED = 31600, 31700, 31800, 31850, 23050
_TELLS = {
    What.PASSWORD_ADDED: ADDED,
    What.PASSWORD_CHANGED: CHANGED,
    What.PASSWORD_HINT: CHANGED,
    What.PASSWORD_DELETED: DELETED,
    What.JOB_ENCRYPTION: JOB_UPDATED,
    What.KMS_ADDED: 42300,
    What.KMS_DELETED: 42301,
    What.KMS_CHANGED: 42302,
}
# Veeam's time of a change beside the time of its event: one clock, two writers.
_NEAR = timedelta(minutes=2)
_ENCRYPTION = re.compile(r"encrypt|password|kms", re.IGNORECASE)
_NO_MATCH = re.compile(r"does not match|don't match", re.IGNORECASE)


def events_of(difference: VeeamDifference) -> list[VeeamEvent]:
    """The events that tell of a difference: of its thing, of its kind, in its time; the nearest first."""
    subject = subject_of_difference(difference)
    if not subject:
        return []
    at = difference.happened_at
    earliest = at or difference.after_time
    found = VeeamEvent.objects.filter(
        server=difference.server_id,
        number=_TELLS[What(difference.what)],
        subject=subject,
        happened_at__lte=(at or difference.found_at) + _NEAR,
    )
    if earliest is not None:
        found = found.filter(happened_at__gte=earliest - _NEAR)
    told = [event for event in found.order_by("-happened_at")[:50] if says_encryption(event)]
    return sorted(told, key=lambda event: abs(event.happened_at - at)) if at else told


def subject_of_difference(difference: VeeamDifference) -> str:
    """The id at Veeam of what differs."""
    thing: Any = difference.job or difference.password
    known = getattr(thing, "veeam", None) if thing is not None else None
    return str(known.external).lower() if known is not None else ""


def says_encryption(event: VeeamEvent) -> bool:
    """Whether an event is about encryption; of a job's settings, whether the changes that it names are."""
    if event.number != JOB_UPDATED:
        return True
    changes = next((value for name, value in event.fields.items() if name.casefold() == "changesxml"), "")
    # Without the changes nobody can tell: then it counts.
    stripped = str(changes).replace("<changes />", "").replace("<changes/>", "").strip()
    return not stripped or _ENCRYPTION.search(stripped) is not None


def is_doubtful(event: VeeamEvent) -> bool:
    """Whether its line can be read in two ways: somebody chose a name that imitates another field."""
    return any(name.casefold() == "doubtful" for name in event.fields)


def says_no_match(event: VeeamEvent) -> bool:
    """Whether somebody tried a value that is not the password's."""
    matched = next(
        (value for name, value in event.fields.items() if name.casefold() == "passwordmatched"), ""
    )
    wrong = str(matched).casefold() in ("false", "0", "no") or _NO_MATCH.search(event.description)
    return event.number == VERIFIED and bool(wrong)


def same_account(told: str, ours: str) -> bool:
    r"""Whether `DOMAIN\name`, `name@domain` or `name` is our account; a domain counts where both tell one."""
    (name, domain), (own, own_domain) = _parts(told), _parts(ours)
    if not name or name != own:
        return False
    first, second = domain.partition(".")[0], own_domain.partition(".")[0]
    return not first or not second or first == second


def _parts(account: str) -> tuple[str, str]:
    account = account.strip().casefold()
    if "\\" in account:
        domain, _, name = account.rpartition("\\")
        return name, domain.lstrip(".")
    name, _, domain = account.partition("@")
    return name, domain


def name_actor_within(difference: VeeamDifference, drift: Drift) -> bool:
    """Write into a drift, and its alarm, who changed it, if an event tells. Says whether one does."""
    told = events_of(difference)
    if not told:
        return False
    first = told[0]
    # Where Veeam does not tell when, everybody who did something of the kind is named.
    names = dict.fromkeys(event.user_name or "nobody named" for event in told)
    who = first.user_name or "nobody named" if difference.happened_at else " and ".join(names)
    if is_doubtful(first):
        who += " (in doubt: the event can be read in two ways)"
    actor = {
        "at": f"{first.happened_at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}",
        "event": str(first.pk),
        "number": first.number,
        "user": who[:300],
    }
    if drift.found.get("actor") != actor:
        drift.found = {**drift.found, "actor": actor}
        drift.save(update_fields=["found"])
        _tell_alarm_within(drift)
    return True


def _tell_alarm_within(drift: Drift) -> None:
    thing: Any = drift.job or drift.password or drift.repository
    kind, ref = subject_of(thing)
    Alarm.objects.filter(kind=Kind.DRIFT, subject_type=kind, subject_id=ref).exclude(
        state=Alarm.State.RESOLVED
    ).update(text=drift.text)
