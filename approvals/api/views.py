"""The addresses of requests. A decision takes a browser's session and a step-up, never a token (P8)."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import selectors as people
from accounts.api import IdempotentPosts
from accounts.api.serializers import NonceSerializer
from accounts.api.views import is_interactive as _is_interactive
from accounts.api.views import read as _read
from accounts.api.views import user_of as _user
from accounts.services.stepup import StepUp
from approvals import selectors
from approvals.api.serializers import (
    AskSerializer,
    ChallengeSerializer,
    DecisionSerializer,
    DetailSerializer,
    EarlyProofSerializer,
    OfferedProofSerializer,
    PolicySerializer,
    ProcedureSerializer,
    SecurityRoleSerializer,
    SummarySerializer,
    WithdrawSerializer,
)
from approvals.models import ApprovalRequest, Kind, Policy, State
from approvals.services import decisions, exporting, policies, proving, requests


class RequestFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the list can be narrowed to."""

    state = django_filters.ChoiceFilter(choices=State.choices, label="The state on record")
    kind = django_filters.ChoiceFilter(choices=Kind.choices, label="What is asked for")
    asker = django_filters.UUIDFilter(field_name="asker_person_id", label="The id of the person who asked")
    target = django_filters.UUIDFilter(
        field_name="targets__ref", distinct=True, label="The id of a job or password that it touches"
    )
    since = django_filters.IsoDateTimeFilter("created_at", lookup_expr="gte", label="From this time on")
    until = django_filters.IsoDateTimeFilter("created_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = ApprovalRequest
        fields: tuple[str, ...] = ()


class RequestsView(IdempotentPosts, generics.ListAPIView[ApprovalRequest]):
    """The requests that one may know of, newest first; and asking."""

    serializer_class = SummarySerializer
    filterset_class = RequestFilter
    cursor_ordering = "-number"
    queryset = ApprovalRequest.objects.all()

    def get_queryset(self) -> QuerySet[ApprovalRequest]:
        """Return what the account may see."""
        return selectors.visible(_user(self.request))

    @extend_schema(request=AskSerializer, responses={201: DetailSerializer})
    def post(self, request: Request) -> Response:
        """Ask; a token asks in the name of its owner."""
        fields = _read(AskSerializer, request)
        made = requests.ask(
            fields.pop("kind"), by=_user(request), via_token=not _is_interactive(request), **fields
        )
        return Response(_detail(made.pk, request), status=status.HTTP_201_CREATED)


class RequestView(APIView):
    """One request."""

    @extend_schema(responses=DetailSerializer)
    def get(self, request: Request, request_id: UUID) -> Response:
        """Return it; 404 when it is not the reader's to know."""
        return Response(_detail(request_id, request))


class ChallengeView(APIView):
    """The first half of a decision."""

    throttle_scope = "decisions"

    @extend_schema(request=ChallengeSerializer, responses=NonceSerializer)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Begin the step-up for one verdict on one text."""
        fields = _read(ChallengeSerializer, request)
        begun = decisions.challenge(
            request_id, by=_user(request), interactive=_is_interactive(request), **fields
        )
        return Response(NonceSerializer(begun).data)


class ApproveView(APIView):
    """The second half of a yes."""

    throttle_scope = "decisions"

    @extend_schema(request=DecisionSerializer, responses=DetailSerializer)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Approve exactly this text."""
        decisions.approve(request_id, **_decision(request))
        return Response(_detail(request_id, request))


class RejectView(APIView):
    """The second half of a no."""

    throttle_scope = "decisions"

    @extend_schema(request=DecisionSerializer, responses=DetailSerializer)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Reject exactly this text."""
        decisions.reject(request_id, **_decision(request))
        return Response(_detail(request_id, request))


class WithdrawView(APIView):
    """Taking back."""

    @extend_schema(request=WithdrawSerializer, responses=DetailSerializer)
    def post(self, request: Request, request_id: UUID) -> Response:
        """Withdraw one's own pending request."""
        requests.withdraw(request_id, by=_user(request), **_read(WithdrawSerializer, request))
        return Response(_detail(request_id, request))


class EarlyProofView(IdempotentPosts, APIView):
    """A custodian's proof before the execution, where the policy demands one."""

    @extend_schema(request=EarlyProofSerializer, responses={202: OfferedProofSerializer})
    def post(self, request: Request, request_id: UUID) -> Response:
        """Take what was typed; the worker compares it."""
        typed = _read(EarlyProofSerializer, request)["password"]
        proof = proving.offer(request_id, typed, by=_user(request))
        return Response(OfferedProofSerializer(proof).data, status=status.HTTP_202_ACCEPTED)


class EvidenceView(APIView):
    """The bundle for an auditor."""

    @extend_schema(responses={200: dict})
    def get(self, request: Request, request_id: UUID) -> Response:
        """Return it as a file; `verify_evidence` checks it offline."""
        bundle = exporting.export(request_id, by=_user(request))
        name = f"evidence-R-{bundle['request']['number']}.json"
        return Response(bundle, headers={"Content-Disposition": f'attachment; filename="{name}"'})


class ProcedureView(APIView):
    """What is asked of whoever asks."""

    @extend_schema(responses=ProcedureSerializer)
    def get(self, request: Request) -> Response:
        """Return the general procedure and the rules of deciding."""
        return Response(ProcedureSerializer(policies.policy_for([])).data)


class SecurityRoleView(APIView):
    """The Security Role; every signed-in account may know who decides."""

    @extend_schema(responses=SecurityRoleSerializer)
    def get(self, request: Request) -> Response:
        """Return its seats, and how many may be away."""
        newest = people.newest_roster()
        role = {
            "sealed_at": people.sealed_at(),
            "roster": newest.number if newest else None,
            "headroom": selectors.headroom(),
            "members": list(people.security_members(active=False)),
        }
        return Response(SecurityRoleSerializer(role).data)


class PoliciesView(generics.ListAPIView[Policy]):
    """The rules of deciding in force: the general ones and those of repositories with their own.

    They change by a request of kind `change_policy`.
    """

    queryset = Policy.objects.all()
    serializer_class = PolicySerializer

    def get_queryset(self) -> QuerySet[Policy]:
        """Return those in force now."""
        return policies.rows_in_force()


def _decision(request: Request) -> dict[str, Any]:
    # Before the body is looked at: a token is refused whatever it sends.
    interactive = _is_interactive(request)
    if not interactive:
        return {
            "by": _user(request),
            "digest": "",
            "step_up": StepUp(""),
            "comment": "",
            "interactive": False,
        }
    fields = _read(DecisionSerializer, request)
    step_up = StepUp(fields.pop("nonce"), **fields.pop("step_up"))
    return fields | {"by": _user(request), "step_up": step_up, "interactive": interactive}


def _detail(request_id: UUID, request: Request) -> Any:
    return DetailSerializer(selectors.request_detail(request_id, _user(request))).data
