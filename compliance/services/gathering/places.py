"""What checks ask of Veeam servers, of changes found, and of keysets."""

from collections import defaultdict
from datetime import datetime, timedelta
from uuid import UUID

from compliance.checks.facts import ChangeFacts, DriftFacts, KeysetFacts, ServerFacts
from encryption.models import Drift, KeysetGuard, VeeamDifference, VeeamEvent, VeeamRepository, VeeamServer
from encryption.selectors import reconciliation
from recovery.models import Keyset

LATELY = timedelta(days=90)


def servers() -> tuple[ServerFacts, ...]:
    """Return every Veeam server that is connected."""
    tiers: dict[UUID, list[tuple[str, bool | None]]] = defaultdict(list)
    for place in VeeamRepository.objects.filter(gone_at=None).exclude(tiers=[]).order_by("name"):
        for tier in place.tiers:
            if tier["enabled"]:
                tiers[place.server_id].append((f"{place.name} ({tier['tier']})", tier["encrypted"]))
    rows = VeeamServer.objects.exclude(mode=VeeamServer.Mode.OFF).select_related("repository")
    return tuple(
        ServerFacts(
            id=row.pk,
            name=row.repository.name,
            enforced=row.mode == VeeamServer.Mode.ENFORCED,
            tls=row.tls_version,
            enforcement=row.enforcement,
            configuration_backup=row.configuration_backup,
            analyzer=row.analyzer,
            forwarding=row.forwarding,
            tiers=len(tiers[row.pk]),
            plain_tiers=tuple(name for name, encrypted in tiers[row.pk] if encrypted is False),
            silent_tiers=tuple(name for name, encrypted in tiers[row.pk] if encrypted is None),
        )
        for row in rows.order_by("repository__name")
    )


def drifts() -> tuple[DriftFacts, ...]:
    """Return what is open and no gap: changed, and explained by nobody."""
    rows = Drift.objects.filter(closed_at=None).exclude(what__in=Drift.GAPS)
    return tuple(
        DriftFacts(f"{row.job or row.password or row.repository}: {row.get_what_display()}.", *_about(row))
        for row in rows.select_related("job", "password", "repository").order_by("found_at")
    )


def _about(row: Drift) -> tuple[str, UUID | None]:
    if row.job_id is not None:
        return "job", row.job_id
    if row.password_id is not None:
        return "password", row.password_id
    return "repository", row.repository_id


def changes(now: datetime) -> ChangeFacts:
    """Count what Veeam's events and polling told lately, by where it belongs."""
    events = VeeamEvent.objects.filter(server__isnull=False, happened_at__gte=now - LATELY)
    polled = VeeamDifference.objects.filter(found_at__gte=now - LATELY)
    counts = [reconciliation.population_of(rows) for rows in (events, polled)]
    return ChangeFacts(
        total=sum(one.total for one in counts),
        settled=sum(one.settled for one in counts),
        owned=sum(one.owned for one in counts),
        unowned=sum(one.unowned for one in counts),
        waiting=sum(one.waiting for one in counts),
    )


def guarded_since() -> datetime | None:
    """Return since when new restore points are also wrapped for a keyset."""
    return KeysetGuard.objects.filter(until=None).values_list("since", flat=True).first()


def keyset() -> KeysetFacts | None:
    """Return the keyset in force."""
    row = Keyset.objects.filter(state=Keyset.State.ACTIVE).first()
    return None if row is None else KeysetFacts(row.pk, row.own, row.exported_at, row.expires_at)
