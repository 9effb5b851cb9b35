"""What checks ask of passwords, their versions and who keeps them."""

from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from django.db.models import F, Max

from approvals.models import RequestTarget, State, Vote
from compliance.checks.facts import CustodyFacts, JobFacts, PasswordFacts, VersionFacts
from encryption.models import EncryptionPassword, PasswordVersion, VeeamPassword
from recovery import selectors as recovery
from recovery.models import CustodyProof


def versions() -> dict[UUID, VersionFacts]:
    """Return every version that was not erased."""
    approved, kms = _approved_requests(), _approved_kms()
    return {
        row.pk: VersionFacts(
            id=row.pk,
            password=row.password_id,
            number=row.number,
            hint=row.hint,
            since=_since(row),
            length=row.length,
            strength=row.strength,
            known_to=frozenset(UUID(person) for person in row.known_to),
            # What a key management server holds is not lost, and has no value that a request could bring.
            held=row.sealed_password is not None or row.password_id in kms,
            approved=row.request in approved or kms.get(row.password_id, False),
            asked_here=row.request is not None,
            in_force=row.request is None or row.in_force_from is not None,
        )
        for row in PasswordVersion.objects.filter(erased_at=None)
    }


def gather(
    versions: Mapping[UUID, VersionFacts], jobs: Iterable[JobFacts], now: datetime
) -> tuple[PasswordFacts, ...]:
    """Return every password that is not deleted, with its version in force."""
    newest: dict[UUID, VersionFacts] = {}
    for version in (one for one in versions.values() if one.in_force):
        if version.password not in newest or newest[version.password].number < version.number:
            newest[version.password] = version
    custody = _custody(newest.values(), now)
    used = Counter(job.password for job in jobs if job.password is not None)
    at_veeam = VeeamPassword.objects.filter(gone_at=None).values_list("password", "is_kms")
    kms = dict(at_veeam)
    gone = set(VeeamPassword.objects.exclude(gone_at=None).values_list("password", flat=True))
    rows = EncryptionPassword.objects.filter(deleted_at=None).order_by("hint", "pk").values_list("pk", "hint")
    return tuple(
        PasswordFacts(
            id=pk,
            hint=hint,
            jobs=used[pk],
            is_kms=kms.get(pk, False),
            newest=newest.get(pk),
            custody=custody.get(newest[pk].id) if pk in newest else None,
        )
        for pk, hint in rows
        if pk not in gone
    )


def _approved_requests() -> set[UUID]:
    """Return the requests that a member of Security other than the asker approved."""
    return set(Vote.objects.all().of_security().values_list("request", flat=True))


def _since(row: PasswordVersion) -> datetime | None:
    """Return since when a password has this value: by our own request, or by what Veeam says of it."""
    if row.request is None:
        # Adopted files say nothing of it. Only versions of Veeam have no derivation.
        return None if row.kdf else row.in_force_from
    return row.in_force_from or row.created_at


def _approved_kms() -> dict[UUID, bool]:
    """Return the key management servers, and whether Security approved that jobs use each."""
    votes = Vote.objects.all().of_security()
    named = RequestTarget.objects.filter(
        type=RequestTarget.Type.PASSWORD, request__state=State.EXECUTED, request__in=votes.values("request")
    )
    decided = set(named.values_list("ref", flat=True))
    kms = VeeamPassword.objects.filter(is_kms=True).values_list("password", flat=True)
    return {password: password in decided for password in kms}


def _custody(newest: Iterable[VersionFacts], now: datetime) -> dict[UUID, CustodyFacts]:
    rows = PasswordVersion.objects.filter(pk__in=[one.id for one in newest])
    rows = rows.only("pk", "asked_by", "known_to")
    drilled = _drilled()
    return {
        version: CustodyFacts(
            lights=tuple(light.on for light in found.lights),
            secured=found.secured,
            persons=frozenset(copy.person for copy in found.copies if copy.person is not None),
            drilled_at=drilled.get(version),
        )
        for version, found in recovery.custody_of(rows, now).items()
        if found.records
    }


def _drilled() -> dict[UUID, datetime]:
    """Return when a version was last drilled, and the copy was right."""
    right = CustodyProof.objects.filter(
        drill=True, found=CustodyProof.Found.EQUAL, person=F("record__person")
    ).order_by()
    return dict(right.values_list("record__version").annotate(Max("judged_at")))
