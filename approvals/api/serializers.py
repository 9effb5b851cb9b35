"""What is sent and what is answered, as JSON. What a field means is written in docs/evidence-format.md."""

import json
from typing import Any
from uuid import UUID

from rest_framework import serializers

from accounts.api.serializers import MemberSerializer, StepUpSerializer
from accounts.exchange import Strict
from accounts.models import Title
from accounts.selectors import user_label
from approvals import selectors
from approvals.models import ApprovalRequest, EarlyProof, Kind, Policy, State, Verdict
from approvals.selectors import Headroom, RequestDetail, VoteLine
from approvals.services import proving
from approvals.services.wishes import MAX_HINT, MAX_TEXT, MOST_JOBS
from encryption.crypto.secret import LONGEST_PASSWORD


class CustodySerializer(Strict):
    """One copy of the password."""

    medium = serializers.CharField(max_length=MAX_HINT)
    place = serializers.CharField(max_length=MAX_HINT)
    offsite = serializers.BooleanField()
    offline = serializers.BooleanField()
    custodian = serializers.CharField(max_length=MAX_HINT)


class AnswerSerializer(Strict):
    """The answer to one question of the procedure."""

    question = serializers.CharField(max_length=MAX_TEXT)
    answer = serializers.CharField(max_length=MAX_TEXT)


class AskSerializer(Strict):
    """A request; which fields belong to which kind is checked by the use case."""

    kind = serializers.ChoiceField(choices=Kind.choices)
    reason = serializers.CharField(max_length=MAX_TEXT)
    jobs = serializers.ListField(child=serializers.UUIDField(), max_length=MOST_JOBS, required=False)
    encryption_password = serializers.UUIDField(required=False, allow_null=True)
    new_password = serializers.CharField(
        required=False,
        allow_null=True,
        write_only=True,
        trim_whitespace=False,
        max_length=LONGEST_PASSWORD,
    )
    # The worker makes the new password, and hands it to the custodian's account once, if one is named.
    generate = serializers.BooleanField(required=False)
    custodian = serializers.UUIDField(required=False, allow_null=True)
    hint = serializers.CharField(max_length=MAX_HINT, required=False, allow_blank=True)
    # `keys` or `data` for a password; the id of a repository, or null for everywhere, for a policy.
    scope = serializers.CharField(max_length=36, required=False, allow_null=True)
    start = serializers.ChoiceField(choices=["next_run", "now"], required=False)
    then = serializers.ChoiceField(choices=["keep", "delete"], required=False)
    custody = CustodySerializer(many=True, required=False)
    answers = AnswerSerializer(many=True, required=False)
    user = serializers.UUIDField(required=False)
    member = serializers.UUIDField(required=False)
    title = serializers.ChoiceField(choices=Title.choices, required=False)
    role = serializers.ChoiceField(choices=["backup", "enterprise"], required=False)
    policy = serializers.DictField(required=False)
    drift = serializers.UUIDField(required=False)
    keyset = serializers.UUIDField(required=False)
    server = serializers.UUIDField(required=False)
    case = serializers.UUIDField(required=False)
    text = serializers.CharField(max_length=65_536, required=False, write_only=True)
    weeks = serializers.IntegerField(min_value=1, max_value=520, required=False)
    version = serializers.IntegerField(min_value=1, max_value=2**31 - 1, required=False)
    passphrase = serializers.CharField(
        required=False, write_only=True, trim_whitespace=False, max_length=LONGEST_PASSWORD
    )
    finding = serializers.UUIDField(required=False)
    note = serializers.CharField(max_length=MAX_TEXT, required=False)
    until = serializers.DateField(required=False)


class ChallengeSerializer(Strict):
    """The decision that a step-up is begun for."""

    verdict = serializers.ChoiceField(choices=Verdict.choices)
    digest = serializers.CharField(max_length=64)
    comment = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True, default="")


class DecisionSerializer(Strict):
    """A decision on exactly this text, with its step-up."""

    digest = serializers.CharField(max_length=64)
    comment = serializers.CharField(max_length=MAX_TEXT, required=False, allow_blank=True, default="")
    nonce = serializers.CharField(max_length=128)
    step_up = StepUpSerializer()


class WithdrawSerializer(Strict):
    """The text of the request that is taken back."""

    digest = serializers.CharField(max_length=64)


class EarlyProofSerializer(Strict):
    """The new password of a request, typed from the custodian's copy."""

    password = serializers.CharField(trim_whitespace=False, max_length=LONGEST_PASSWORD, write_only=True)


class OfferedProofSerializer(serializers.ModelSerializer[EarlyProof]):
    """A proof, as far as the worker has judged it."""

    class Meta:
        model = EarlyProof
        fields = ("id", "request", "found", "offered_at", "judged_at")
        read_only_fields = fields


class VoteSerializer(serializers.Serializer[VoteLine]):
    """One decision; its proof is in the evidence."""

    id = serializers.UUIDField(source="vote.pk")
    who = serializers.CharField()
    person = serializers.UUIDField(source="vote.person_id")
    capacity = serializers.CharField(source="vote.capacity")
    verdict = serializers.CharField(source="vote.verdict")
    comment = serializers.CharField(source="vote.comment")
    factor = serializers.CharField(source="vote.proof.factor")
    digest = serializers.CharField(source="vote.digest")
    cast_at = serializers.DateTimeField(source="vote.cast_at")


class SummarySerializer(serializers.Serializer[ApprovalRequest]):
    """A request in a list."""

    id = serializers.UUIDField()
    number = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=Kind.choices)
    state = serializers.SerializerMethodField()
    asker = serializers.SerializerMethodField()
    digest = serializers.CharField()
    outcome = serializers.CharField()
    created_at = serializers.DateTimeField()
    decide_by = serializers.DateTimeField()
    execute_by = serializers.DateTimeField(allow_null=True)
    rekey = serializers.UUIDField(source="rekey_id", allow_null=True)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._labels: dict[UUID, str] = {}

    def get_state(self, request: ApprovalRequest) -> str:
        """The state by the server's clock."""
        return State(selectors.state_at(request)).value

    def get_asker(self, request: ApprovalRequest) -> dict[str, str]:
        """Who asked; a page of a list reads each asker once."""
        if request.asker_id not in self._labels:
            self._labels[request.asker_id] = user_label(request.asker)
        return _asker(request, self._labels[request.asker_id])


class DetailSerializer(serializers.Serializer[RequestDetail]):
    """One request with everything that is decided on."""

    id = serializers.UUIDField(source="request.pk")
    number = serializers.IntegerField(source="request.number")
    kind = serializers.ChoiceField(source="request.kind", choices=Kind.choices)
    state = serializers.SerializerMethodField()
    asker = serializers.SerializerMethodField()
    statement = serializers.SerializerMethodField()
    digest = serializers.CharField(source="request.digest")
    targets = serializers.JSONField(source="statement.targets")
    consequences = serializers.JSONField(source="statement.consequences")
    votes = VoteSerializer(many=True)
    outcome = serializers.CharField(source="request.outcome")
    created_at = serializers.DateTimeField(source="request.created_at")
    decide_by = serializers.DateTimeField(source="request.decide_by")
    execute_by = serializers.DateTimeField(source="request.execute_by", allow_null=True)
    rekey = serializers.UUIDField(source="request.rekey_id", allow_null=True)
    badge = serializers.SerializerMethodField()
    deciders = serializers.ListField(child=serializers.CharField())
    obstacle = serializers.SerializerMethodField()
    custody_proof = serializers.SerializerMethodField()

    def get_custody_proof(self, detail: RequestDetail) -> dict[str, Any] | None:
        """What proof the policy demands before execution, and whether it is there; null: none."""
        need = proving.need_of(detail.request, detail.statement)
        return None if need is None else {"proved": need.proved, "custodians": list(need.names)}

    def get_state(self, detail: RequestDetail) -> str:
        """The state by the server's clock."""
        return detail.state.value

    def get_asker(self, detail: RequestDetail) -> dict[str, str]:
        """Who asked."""
        return _asker(detail.request, detail.asker)

    def get_statement(self, detail: RequestDetail) -> dict[str, Any]:
        """What the digest covers, as an object; its RFC 8785 text has the digest."""
        body: dict[str, Any] = json.loads(bytes(detail.request.statement))
        return body

    def get_badge(self, detail: RequestDetail) -> dict[str, dict[str, Any]]:
        """The sign of each job as it is now."""
        return {
            str(job): {"state": sign.state, "label": sign.label, "proof": sign.proof}
            for job, sign in detail.badges.items()
        }

    def get_obstacle(self, detail: RequestDetail) -> dict[str, str] | None:
        """Why the reader may not decide; null: they may."""
        refusal = detail.obstacle
        return None if refusal is None else {"code": refusal.code, "detail": str(refusal)}


class ProcedureSerializer(serializers.ModelSerializer[Policy]):
    """What has to be read and answered before a password is asked for, and the rules of deciding."""

    class Meta:
        model = Policy
        fields = (
            "id",
            "number",
            "procedure_version",
            "procedure_text",
            "procedure_questions",
            "quorum",
            "pools",
            "advising_titles",
            "administrators_may_approve",
            "mfa_required",
            "decide_days",
            "execute_hours",
        )


class PolicySerializer(serializers.ModelSerializer[Policy]):
    """The rules in force for one repository, or everywhere (`scope` null)."""

    scope_name = serializers.CharField(source="scope.name", allow_null=True, default=None)

    class Meta:
        model = Policy
        fields = (
            *ProcedureSerializer.Meta.fields,
            "scope",
            "scope_name",
            "fulls_a_night",
            "number_in_description",
            "custody_proof",
            "created_at",
        )


class HeadroomSerializer(serializers.Serializer[Headroom]):
    """How many may be away before nothing can be decided."""

    active = serializers.IntegerField()
    needed = serializers.IntegerField()
    spare = serializers.IntegerField()
    note = serializers.CharField()


class SecurityRoleSerializer(serializers.Serializer[Any]):
    """The role with its live seats."""

    sealed_at = serializers.DateTimeField(allow_null=True)
    roster = serializers.IntegerField(allow_null=True)
    headroom = HeadroomSerializer()
    members = MemberSerializer(many=True)


def _asker(request: ApprovalRequest, label: str) -> dict[str, str]:
    return {"user": str(request.asker_id), "person": str(request.asker_person_id), "label": label}
