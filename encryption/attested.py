"""What the signed statements behind jobs say; each is verified once in a process, not at every page.

A list of a thousand jobs asks for a thousand signatures. What a verification found is kept under what it
depends on, the row's very version and the key, and under nothing that a badge is judged by besides.
"""

import json
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db.models import F, FilteredRelation, Q, QuerySet
from django.db.models.expressions import RawSQL

from audit import dsse, keys
from audit.errors import Forged, KeyUnavailable
from encryption.models import Attestation, RekeyJob

PREDICATE_TYPE = "https://veeamsec.dev/attestation/v1"
# PostgreSQL never changes a version of a row: an update by whomever writes another, elsewhere.
_IN_A_JOIN = RawSQL('"signed"."xmin"::text || "signed"."ctid"::text', ())
_ALONE = RawSQL('"encryption_attestation"."xmin"::text || "encryption_attestation"."ctid"::text', ())
_MISSING = "The key that verifies signatures is missing here."
_MOST_KEPT = 20_000

_Known = tuple[UUID, UUID, UUID, str, str, bytes]


@dataclass(frozen=True, slots=True)
class Attested:
    """What a statement says whose signature holds."""

    id: UUID
    fingerprint: str
    by_security: bool
    proof: str
    since: datetime
    versions: frozenset[UUID]


_kept: dict[_Known, Attested] = {}


def attested(steps: QuerySet[RekeyJob]) -> dict[UUID, Attested | str | None]:
    """Return what is signed of each step's job, or why that says nothing; None where nothing is signed.

    `steps` holds one for each job, the last: only its statement speaks for the job.
    """
    found: dict[UUID, Attested | str | None] = {}
    anew = []
    public = _public()
    raw = b"" if public is None else public.public_bytes_raw()
    for job, rekey, pk, fingerprint, version in _rows(steps):
        found[job] = None if pk is None else _kept.get((pk, job, rekey, fingerprint, version, raw), _MISSING)
        if found[job] is _MISSING:
            anew.append(pk)
    if anew and public is not None:
        found.update(_verified(anew, public, raw))
    return found


def _rows(steps: QuerySet[RekeyJob]) -> QuerySet[Any, Any]:
    of_the_job = Q(rekey__attestations__job=F("job"))
    joined = steps.annotate(signed=FilteredRelation("rekey__attestations", condition=of_the_job))
    columns = ("job_id", "rekey_id", "signed__pk", "signed__fingerprint", "version")
    return joined.annotate(version=_IN_A_JOIN).values_list(*columns)


def _public() -> Ed25519PublicKey | None:
    try:
        return keys.signing_public()
    except KeyUnavailable:
        return None


def _verified(rows: Collection[UUID], public: Ed25519PublicKey, raw: bytes) -> dict[UUID, Attested | str]:
    found: dict[UUID, Attested | str] = {}
    if len(_kept) + len(rows) > _MOST_KEPT:
        _kept.clear()
    for row in Attestation.objects.filter(pk__in=rows).annotate(version=_ALONE):
        found[row.job_id] = says = _read(row, public)
        if isinstance(says, Attested):
            _kept[row.pk, row.job_id, row.rekey_id, row.fingerprint, row.version, raw] = says
    return found


def _read(row: Attestation, public: Ed25519PublicKey) -> Attested | str:
    try:
        return _parse(row, json.loads(dsse.open_envelope(row.envelope, public)))
    except (Forged, KeyError, TypeError, ValueError, IndexError, AttributeError):
        return "The signed statement behind this job does not hold."


def _parse(row: Attestation, payload: dict[str, Any]) -> Attested:
    subject, predicate = payload["subject"][0], payload["predicate"]
    if payload["predicateType"] != PREDICATE_TYPE or len(payload["subject"]) != 1:
        raise ValueError("another kind of statement")
    if subject["name"] != f"job:{row.job_id}" or subject["digest"]["sha256"] != row.fingerprint:
        raise ValueError("a statement about something else")
    if predicate["level"] not in ("signed", "recorded"):
        raise ValueError("an unknown level of proof")
    return Attested(
        id=row.pk,
        fingerprint=row.fingerprint,
        by_security=predicate["approved_by"] == "security",
        proof=predicate["level"],
        since=datetime.fromisoformat(predicate["approved_at"]),
        versions=frozenset(UUID(version) for version in predicate["versions"]),
    )
