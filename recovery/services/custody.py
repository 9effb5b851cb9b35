"""Who holds a password: stated with each request, proved by typing it from the copy, drilled by a new proof.

What a custodian types is sealed as it arrives; the worker compares it, and keeps nothing of it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import selectors as accounts
from accounts.errors import NotEligible
from accounts.models import Person, Role, User
from audit import queue
from audit import selectors as audit_selectors
from audit import services as audit
from audit.alarms import Kind
from audit.errors import Refused
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.errors import SealBroken, Unknown, WrongPassword
from encryption.models import PasswordVersion
from encryption.services import intake, vault
from recovery import rules
from recovery.models import CustodyProof, CustodyRecord

Found = CustodyProof.Found
# A statement's times are whole seconds, a row's are not.
WHOLE_SECOND = timedelta(seconds=1)


class TooMany(Refused):
    """Too many wrong passwords for one copy: the next must wait."""

    code = "invalid"


@dataclass(frozen=True, slots=True)
class Early:
    """A proof from before the execution that the worker found right."""

    user: UUID
    person: UUID
    at: datetime


def record_within(
    version: UUID,
    rows: Iterable[Mapping[str, Any]],
    *,
    request: UUID,
    asked: datetime,
    proofs: Iterable[Early] = (),
) -> None:
    """Enter the stated copies of a version that comes into force, in the worker's transaction.

    `proofs` are those of before: they count for the copies of their custodians.
    """
    rows = list(rows)
    known = accounts.persons_named((str(row["custodian"]) for row in rows), before=asked + WHOLE_SECOND)
    made = CustodyRecord.objects.bulk_create(
        CustodyRecord(
            version_id=version,
            medium=row["medium"],
            place=row["place"],
            offsite=row["offsite"],
            offline=row["offline"],
            custodian=row["custodian"],
            person=known.get(str(row["custodian"]).casefold()),
            request=request,
        )
        for row in rows
    )
    subject = ("encryption.passwordversion", version)
    audit.record(Event.CUSTODY_STATED, subject=subject, facts={"copies": len(rows), "request": request})
    early = {proof.person: proof for proof in proofs}
    for record in made:
        if record.person_id in early:
            _take_over_within(record, early[record.person_id])


def _take_over_within(record: CustodyRecord, early: Early) -> None:
    fields = {"by_id": early.user, "person_id": early.person, "offered_at": early.at}
    proof = CustodyProof.objects.create(record=record, **fields)
    CustodyProof.objects.filter(pk=proof.pk).update(found=Found.EQUAL, judged_at=early.at)


def assign(record_id: UUID, *, person: UUID, by: User) -> CustodyRecord:
    """Say which person here a stated custodian is. Raises NotEligible, Unknown."""
    with audit.act(by=by, subject=("recovery.custodyrecord", record_id)):
        if not (by.is_security or by.has_role(Role.ADMINISTRATOR)):
            raise NotEligible("A member of Security or a Backup administrator says who a custodian is.")
        record = CustodyRecord.objects.select_for_update().filter(pk=record_id, ended_at=None).first()
        if record is None or not Person.objects.filter(pk=person).exists():
            raise Unknown("There is no such copy, or no such person.")
        record.person_id = person
        record.save(update_fields=["person"])
        audit.record(Event.CUSTODY_STATED, facts={"person": person})
    return record


@sensitive_variables("typed")
def prove(record_id: UUID, typed: str, *, by: User) -> CustodyProof:
    """Take what a custodian typed from their copy; the worker compares it. A repetition is a drill.

    Raises NotEligible for anybody but the custodian, TooMany, Unknown, PasswordRefused.
    """
    with audit.attempt(by=by, subject=("recovery.custodyrecord", record_id)) as attempt:
        record = CustodyRecord.objects.filter(pk=record_id, ended_at=None).first()
        if record is None:
            raise Unknown("There is no such copy.")
        if record.person_id != by.person_id or not by.is_human:
            raise NotEligible("The custodian alone proves that they hold this copy.")
        now = timezone.now()
        check_may_try(record.proofs.exclude(found=Found.EQUAL), now)
        drill = record.own_proofs().filter(found=Found.EQUAL).exists()
        proof = CustodyProof(record=record, by=by, person_id=by.person_id, drill=drill)
        proof.sealed = intake.seal_for(proof.pk, typed)
        with attempt.act():
            proof.save(force_insert=True)
            queue.ring(queue.Task.CUSTODY, proof.pk)
    return proof


def check_may_try(tries: QuerySet[Any], now: datetime) -> None:
    """Refuse one more guess after these, those that are not judged yet among them. Raises TooMany."""
    lately = tries.filter(offered_at__gt=now - rules.WRONG_WITHIN)
    if not rules.may_try(list(lately.values_list("offered_at", flat=True)), now):
        raise TooMany("Too many wrong passwords: look at the copy again, and try in an hour.")


def judge(proof_id: UUID) -> None:
    """Compare what was typed with the version's value, erase it, and say what was found; as the worker."""
    waiting = CustodyProof.objects.select_related("record__version").filter(found=Found.WAITING)
    proof = waiting.filter(pk=proof_id).first()
    if proof is None or proof.sealed is None:
        return
    version = proof.record.version
    try:
        found = Found.EQUAL if _is_right(proof, version) else Found.WRONG
    except (SealBroken, WrongPassword):
        found = Found.WRONG
    with audit.act(by=audit.WORKER, subject=("encryption.passwordversion", version.pk)):
        now = timezone.now()
        judged = CustodyProof.objects.filter(pk=proof_id, found=Found.WAITING)
        if not judged.update(found=found, judged_at=now, sealed=None):
            return
        facts = {"drill": proof.drill, "person": proof.person_id, "record": proof.record_id}
        if found == Found.EQUAL:
            audit.record(Event.CUSTODY_PROVED, facts=facts)
            resolve_alarm_within(Kind.CUSTODY_WRONG, proof.record)
        else:
            audit.record(Event.CUSTODY_FAILED, facts=facts)
            text = f"What {proof.record.custodian} typed is not the password “{version.hint}”."
            raise_alarm_within(Kind.CUSTODY_WRONG, proof.record, Alarm.Severity.WARNING, text)


def watch() -> int:
    """End the alarm of every copy of a value that is erased, for nobody can prove it; return how many."""
    open_ones = audit_selectors.open_alarms().filter(
        kind=Kind.CUSTODY_WRONG, subject_type=CustodyRecord._meta.label_lower
    )
    told = [UUID(ref) for ref in open_ones.values_list("subject_id", flat=True)]
    erased = list(CustodyRecord.objects.filter(pk__in=told, version__erased_at__isnull=False))
    for record in erased:
        with audit.act(by=audit.WORKER, subject=record):
            resolve_alarm_within(Kind.CUSTODY_WRONG, record)
    return len(erased)


def _is_right(proof: CustodyProof, version: PasswordVersion) -> bool:
    typed = intake.open_for(proof.pk, bytes(proof.sealed or b""))
    return typed == vault.password_of(version)
