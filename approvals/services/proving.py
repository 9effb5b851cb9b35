"""A custodian proves the new password of a request before it is executed, where the policy demands it.

What they type is sealed as it arrives; the worker compares it with the password that was asked for, which is
sealed just so, and begins nothing before one of them was equal. Without a proof the approval lapses.
"""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from django.db.models import Q
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from accounts import selectors as accounts
from accounts.models import Person, User
from approvals import rules, selectors
from approvals.errors import Invalid, NotEligible, NotFound, NotPending
from approvals.models import ApprovalRequest, EarlyProof, Kind, State
from approvals.services import endings
from approvals.statement import Statement
from audit import queue
from audit import services as audit
from audit.alarms import Kind as Alarms
from audit.errors import Later
from audit.events import Event
from audit.models import Alarm
from audit.services.alarms import raise_alarm_within, resolve_alarm_within
from encryption.errors import SealBroken
from encryption.models import PasswordVersion
from encryption.services import intake
from recovery import rules as custody_rules
from recovery import selectors as custody
from recovery.services.custody import WHOLE_SECOND, Early, check_may_try

Found = EarlyProof.Found
LOOK_AGAIN = timedelta(minutes=1)
OPEN = (State.PENDING, State.APPROVED)


@dataclass(frozen=True, slots=True)
class Need:
    """The proof that a request needs: whether it is there, and who can give it."""

    proved: bool
    names: tuple[str, ...]
    persons: frozenset[UUID]


def need_of(request: ApprovalRequest, said: Statement) -> Need | None:
    """Return the proof that the policy demands before execution; None where it demands none."""
    if said.kind not in (Kind.ACTIVATE, Kind.CHANGE) or not rules.terms(said.kind, said.policy).custody_proof:
        return None
    people = _custodians(said)
    named = {person.pk: person.name for person in people}
    return Need(_is_proved(request.pk, said, set(named)), tuple(sorted(named.values())), frozenset(named))


def check_possible(said: Statement) -> None:
    """Raise Invalid for a request whose proof nobody could give."""
    if said.kind not in (Kind.ACTIVATE, Kind.CHANGE) or not rules.terms(said.kind, said.policy).custody_proof:
        return
    if "generated" in said.change:
        raise Invalid(
            "The policy demands that a custodian proves the password before it is executed; one that is"
            " generated is handed over only afterwards: type the new password."
        )
    if not _custodians(said):
        raise Invalid(
            "The policy demands that a custodian proves the password before it is executed: name one, other"
            " than who asks, who has an account here, by a name that one person alone bears."
        )


def check(request: ApprovalRequest, said: Statement) -> None:
    """Raise Later while the proof that the policy demands is missing; as the worker."""
    need = need_of(request, said)
    if need is not None and not need.proved:
        raise Later(LOOK_AGAIN)


def proofs(request: UUID) -> list[Early]:
    """Return the right proofs of a request, for the register of copies."""
    right = EarlyProof.objects.filter(request=request, found=Found.EQUAL).order_by("offered_at")
    return [Early(proof.by_id, proof.person_id, proof.offered_at) for proof in right]


def asked_of(user: User) -> list[ApprovalRequest]:
    """Return the open requests whose new password a person is to prove, and did not yet."""
    waiting = ApprovalRequest.objects.filter(
        state__in=OPEN, policy__custody_proof=True, rekey=None, sealed_secret__isnull=False
    )
    done = Q(early_proofs__person=user.person_id, early_proofs__found=Found.EQUAL)
    found = waiting.exclude(pk__in=waiting.filter(done).values("pk"))
    return [request for request in found if selectors.state_at(request) in OPEN and _may(request, user)]


@sensitive_variables("typed")
def offer(request_id: UUID, typed: str, *, by: User) -> EarlyProof:
    """Take what a custodian typed from their copy; the worker compares it.

    Raises NotFound, NotEligible for anybody but a custodian who did not ask, NotPending, TooMany,
    PasswordRefused.
    """
    with audit.attempt(by=by, subject=(endings.SUBJECT, request_id)) as attempt:
        request = ApprovalRequest.objects.filter(pk=request_id).first()
        if request is None or not _may(request, by):
            selectors.get_visible(request_id, by)
            raise NotEligible("A custodian of this password, other than who asks, proves it.")
        if selectors.state_at(request) not in OPEN or request.sealed_secret is None:
            raise NotPending("This request does not wait for a proof any more.")
        tries = EarlyProof.objects.filter(request=request, person=by.person_id)
        check_may_try(tries.exclude(found=Found.EQUAL), timezone.now())
        proof = EarlyProof(request=request, by=by, person_id=by.person_id)
        proof.sealed = intake.seal_for(proof.pk, typed)
        with attempt.act():
            proof.save(force_insert=True)
            queue.ring(queue.Task.EARLY_PROOF, proof.pk)
    return proof


def judge(proof_id: UUID) -> None:
    """Compare what was typed with the password that was asked for, erase it, and say so; as the worker."""
    proof = EarlyProof.objects.select_related("person").filter(pk=proof_id, found=Found.WAITING).first()
    if proof is None or proof.sealed is None:
        return
    with audit.act(by=audit.WORKER, subject=(endings.SUBJECT, proof.request_id)):
        request = endings.locked_within(proof.request_id)
        found = _compared(proof, request)
        judged = EarlyProof.objects.filter(pk=proof_id, found=Found.WAITING)
        if not judged.update(found=found, judged_at=timezone.now(), sealed=None) or found == Found.LATE:
            return
        facts = {"drill": False, "person": proof.person_id, "request": request.pk}
        if found == Found.EQUAL:
            audit.record(Event.CUSTODY_PROVED, facts=facts)
            resolve_alarm_within(Alarms.CUSTODY_WRONG, request)
            queue.hasten(queue.Task.EXECUTE, request.pk)
        else:
            audit.record(Event.CUSTODY_FAILED, facts=facts)
            text = f"What {proof.person.name} typed is not the new password of {request}."
            raise_alarm_within(Alarms.CUSTODY_WRONG, request, Alarm.Severity.WARNING, text)


def _compared(proof: EarlyProof, request: ApprovalRequest) -> EarlyProof.Found:
    if selectors.state_at(request) not in OPEN or request.sealed_secret is None:
        return Found.LATE
    try:
        typed = intake.open_for(proof.pk, bytes(proof.sealed or b""))
        asked = intake.open_for(request.pk, bytes(request.sealed_secret))
    except SealBroken:
        return Found.WRONG
    with typed, asked:
        return Found.EQUAL if typed == asked else Found.WRONG


def _may(request: ApprovalRequest, user: User) -> bool:
    need = need_of(request, selectors.said_in(request))
    return need is not None and user.is_human and user.is_active and user.person_id in need.persons


def _is_proved(request: UUID, said: Statement, persons: set[UUID]) -> bool:
    if said.change["secret_sha256"] is not None:
        right = EarlyProof.objects.filter(request=request, found=Found.EQUAL, person__in=persons)
        return right.filter(by__person__in=persons).exists()
    now = timezone.now()
    copies = [copy for found in custody.custody_of(_version(said), now).values() for copy in found.copies]
    return any(copy.person in persons and custody_rules.is_proved(copy, now) for copy in copies)


def _custodians(said: Statement) -> list[Person]:
    """Return who can prove: of a new password those named, of one that exists the keepers of its copies.

    Nobody who may have asked under another name: whose account an asker made, or handed a link to (P1).
    """
    if said.change["secret_sha256"] is not None:
        named = (str(row["custodian"]) for row in said.custody)
        meant = {one.pk for one in accounts.persons_named(named, before=said.created + WHOLE_SECOND).values()}
    else:
        kept = custody.custody_of(_version(said), timezone.now()).values()
        keepers = {record.person_id for found in kept for record in found.records}
        active = User.objects.filter(is_active=True, is_human=True, person__in=keepers - {None})
        meant = set(active.values_list("person", flat=True))
    made = {person for person, _ in accounts.made_by(meant, said.askers)}
    return list(Person.objects.filter(pk__in=meant - made).exclude(pk__in=said.askers))


def _version(said: Statement) -> list[PasswordVersion]:
    rows = PasswordVersion.objects.filter(password=said.change["encryption_password"])
    return list(rows.filter(number=said.change["version"]))


__all__ = ["Need", "NotFound", "asked_of", "check", "check_possible", "judge", "need_of", "offer", "proofs"]
