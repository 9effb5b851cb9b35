"""After the work: sign what was approved and executed, and end the request (P10).

An attestation is signed for each job as its step has succeeded; a lost bell is made up for by the sweep.
"""

import hashlib
from uuid import UUID

import rfc8785
from django.db.models import Exists, OuterRef

from approvals import rules
from approvals import statement as statements
from approvals.attestation import document
from approvals.attestation import finding as findings
from approvals.attestation.finding import Finding
from approvals.errors import Invalid, Stale
from approvals.models import ApprovalRequest, State
from approvals.selectors.evidence import cast_of
from approvals.services import endings, execution, verification
from approvals.services.kinds import generating
from approvals.statement import Statement
from audit import dsse, keys, queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.errors import Forged
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption import order as orders
from encryption.models import Attestation, Rekey, RekeyJob
from recovery.services import releases

ENDS = {
    Rekey.State.SUCCEEDED: (State.EXECUTED, "Done, and proven by reading back."),
    Rekey.State.FAILED: (State.FAILED, "Nothing changed; the keys were read back and are the former ones."),
}


def rekey_ended(rekey_id: UUID) -> None:
    """Attest what succeeded and end the request whose re-key has ended; a message alone moves nothing."""
    rekey = Rekey.objects.select_related("version").filter(pk=rekey_id).first()
    request = ApprovalRequest.objects.filter(pk=rekey.request).first() if rekey else None
    if rekey is None or rekey.ended_at is None or request is None or request.rekey_id != rekey.pk:
        execution.refuse_message(queue.Task.REKEY_ENDED, rekey_id, "no ended re-key of a request")
        return
    _attest(rekey, request)
    custodian = _custodian(rekey, request)
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, request.pk)):
        request = endings.locked_within(request.pk)
        if request.state != State.APPROVED:
            return
        endings.end_within(request, *_end(rekey))
        if custodian is not None and rekey.version_id is not None and request.state == State.EXECUTED:
            releases.grant_within(rekey.version_id, custodian, request=request.pk)


def attest_missing() -> int:
    """Attest every executed step that lacks it, and end what ended unheard; return how many re-keys."""
    attested = Attestation.objects.filter(job=OuterRef("job"), rekey=OuterRef("rekey"))
    steps = RekeyJob.objects.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
    missing = set(steps.exclude(Exists(attested)).values_list("rekey_id", flat=True))
    ended = set(
        ApprovalRequest.objects.filter(state=State.APPROVED, rekey__ended_at__isnull=False).values_list(
            "rekey_id", flat=True
        )
    )
    for rekey in Rekey.objects.filter(pk__in=missing | ended).select_related("version"):
        if rekey.pk in ended:
            rekey_ended(rekey.pk)
        elif (request := ApprovalRequest.objects.filter(pk=rekey.request, rekey=rekey).first()) is not None:
            _attest(rekey, request)
    return len(missing | ended)


def _attest(rekey: Rekey, request: ApprovalRequest) -> None:
    """Sign and store an attestation for each succeeded step that lacks it; alarm when the papers fail."""
    done = set(Attestation.objects.filter(rekey=rekey).values_list("job_id", flat=True))
    succeeded = rekey.steps.filter(state=RekeyJob.State.SUCCEEDED, user_key__isnull=False)
    steps = [step for step in succeeded.order_by("job_id") if step.job_id not in done]
    if not steps:
        return
    try:
        said, found = _papers(rekey, request)
        made = [_signed(step, rekey, request, said, found) for step in steps]
    except (Forged, Stale, Invalid) as error:
        _tell(request, str(error))
        return
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, request.pk)):
        endings.locked_within(request.pk)
        for row in made:
            if Attestation.objects.filter(job=row.job_id, rekey=rekey).exists():
                continue
            row.save(force_insert=True)
            facts = {"request": request.pk, "fingerprint": row.fingerprint, "level": found.level}
            audit.record(Event.BADGE_ATTESTED, subject=("encryption.job", row.job_id), facts=facts)
        resolve_alarm_within(Alarms.ATTESTATION_MISSING, request)


def _custodian(rekey: Rekey, request: ApprovalRequest) -> UUID | None:
    """Return who is handed the value that was made for this re-key, by what the worker itself signed."""
    try:
        said, _ = _papers(rekey, request)
    except (Forged, Stale, Invalid):
        # Told above: who is named in such papers is handed nothing.
        return None
    return generating.custodian_of(said)


def _papers(rekey: Rekey, request: ApprovalRequest) -> tuple[Statement, Finding]:
    """Return statement and finding, both the signed ones of this very re-key; raises Forged, Invalid."""
    public = keys.signing_public()
    data = bytes(request.statement)
    said, digest = statements.parse(data), statements.digest(data)
    found = findings.open_finding(request.execution, public)
    order = orders.open_order(rekey.order, public)
    if (found.request, found.request_digest) != (request.pk, digest) or said.request != request.pk:
        raise Forged("The worker's finding is about another request.")
    if (order.rekey, order.request, order.request_digest) != (rekey.pk, request.pk, digest):
        raise Forged("The order is that of another request.")
    return said, found


def _signed(
    step: RekeyJob, rekey: Rekey, request: ApprovalRequest, said: Statement, found: Finding
) -> Attestation:
    target = orders.open_order(rekey.order, keys.signing_public()).target(step.job_id)
    fingerprint = step.proof.get("fingerprint")
    if not fingerprint or target.new_fingerprint not in (fingerprint, ""):
        raise Forged("The key that was read back is not the one of the order.")
    executed = document.Executed(
        job=step.job_id,
        fingerprint=fingerprint,
        proof=step.proof,
        order_sha256=hashlib.sha256(rfc8785.dumps(rekey.order)).hexdigest(),
        versions=_versions(step, rekey, found),
    )
    casts = [cast_of(vote) for vote in request.votes.order_by("cast_at", "pk")]
    roster = verification.roster_envelope(found.roster_number)
    payload = document.build(executed, found, said.asker, casts, roster)
    envelope = dsse.sign(payload, keys.signing_key(), keys.signing_keyid())
    return Attestation(job_id=step.job_id, rekey=rekey, fingerprint=fingerprint, envelope=envelope)


def _versions(step: RekeyJob, rekey: Rekey, found: Finding) -> set[UUID]:
    """Return the versions whose restore points stand under an approval as good as this one."""
    versions = {rekey.version_id} if rekey.version_id else set()
    if found.approved_by != rules.BY_SECURITY:
        return versions
    public = keys.signing_public()
    for row in Attestation.objects.filter(job=step.job_id).exclude(rekey=rekey):
        try:
            former = document.open_document(row.envelope, public)
        except Forged:
            continue
        if former.job == step.job_id and former.predicate["approved_by"] == rules.BY_SECURITY:
            versions |= {UUID(version) for version in former.predicate["versions"]}
    return versions


def _end(rekey: Rekey) -> tuple[State, str]:
    if rekey.state in ENDS:
        return ENDS[Rekey.State(rekey.state)]
    total = rekey.steps.count()
    done = rekey.steps.filter(state=RekeyJob.State.SUCCEEDED).count()
    return State.EXECUTED, f"Done for {done} of {total} jobs; nothing changed for the others."


def _tell(request: ApprovalRequest, reason: str) -> None:
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, request.pk)):
        text = f"No evidence can be signed for {request}: {reason}"
        raise_alarm_within(Alarms.ATTESTATION_MISSING, request, Alarm.Severity.CRITICAL, text)
