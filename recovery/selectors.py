"""Custody as pages and API read it."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import F, QuerySet
from django.utils import timezone

from accounts import selectors as accounts
from accounts.models import User
from encryption.models import PasswordVersion
from recovery import rules
from recovery.models import CustodyProof, CustodyRecord, Release


@dataclass(frozen=True, slots=True)
class Custody:
    """One version's copies with the five lights, and how many custodians secured it.

    `handover`: how a generated value reaches its custodian; `known`: whether anybody was ever shown it.
    """

    records: tuple[CustodyRecord, ...]
    copies: tuple[rules.Copy, ...]
    lights: tuple[rules.Light, ...]
    secured: int
    handover: Release | None = None
    known: bool = True


def custody_of(versions: Iterable[PasswordVersion], now: datetime) -> dict[UUID, Custody]:
    """Return who holds each of many versions, in as many queries as for one."""
    versions = list(versions)
    records = CustodyRecord.objects.filter(version__in=versions, ended_at=None).select_related("person")
    # What one keeper proved says nothing of the next, to whom the copy was given.
    judged = CustodyProof.objects.filter(record__in=records, person=F("record__person"))
    judged = judged.exclude(found=CustodyProof.Found.WAITING)
    newest = {proof.record_id: proof for proof in judged.order_by("offered_at")}
    of_versions: dict[UUID, list[tuple[CustodyRecord, rules.Copy]]] = {one.pk: [] for one in versions}
    for record in records:
        proof = newest.get(record.pk)
        copy = rules.Copy(
            record.medium,
            record.offsite,
            record.offline,
            record.person_id,
            None if proof is None else proof.found == CustodyProof.Found.EQUAL,
            None if proof is None else proof.judged_at,
        )
        of_versions[record.version_id].append((record, copy))
    asked = {one.pk: one.asked_by for one in versions if one.asked_by is not None}
    keepers = {copy.person for rows in of_versions.values() for _, copy in rows if copy.person is not None}
    made = accounts.made_by(keepers, set(asked.values())) if keepers else frozenset()
    askers = {
        version: {asker, *(person for person, maker in made if maker == asker)}
        for version, asker in asked.items()
    }
    own = Release.objects.filter(version__in=versions, request=F("version__request"))
    handovers = {one.version_id: one for one in own.select_related("person")}
    return {
        one.pk: _custody(one, of_versions[one.pk], askers.get(one.pk, ()), handovers.get(one.pk), now)
        for one in versions
    }


def _custody(
    version: PasswordVersion,
    rows: list[tuple[CustodyRecord, rules.Copy]],
    askers: Collection[UUID],
    handover: Release | None,
    now: datetime,
) -> Custody:
    copies = tuple(copy for _, copy in rows)
    return Custody(
        records=tuple(record for record, _ in rows),
        copies=copies,
        lights=rules.lights(copies, now),
        secured=rules.secured(copies, askers=askers, now=now),
        handover=handover,
        known=bool(version.known_to),
    )


def custody_for(user: User) -> QuerySet[CustodyRecord]:
    """Return the copies that a person keeps: their own, whatever else they may see."""
    mine = CustodyRecord.objects.filter(person=user.person_id, ended_at=None, version__erased_at=None)
    return mine.select_related("version__password").order_by("version__hint", "-version__number")


def releases_for(user: User) -> QuerySet[Release]:
    """Return what is handed to a person and not read yet."""
    mine = Release.objects.filter(person=user.person_id, taken_at=None, expires_at__gt=timezone.now())
    return mine.select_related("version")
