"""The analyzer over the API: runs, what they found, and a run now."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from accounts.api.views import read, user_of
from accounts.exchange import Strict
from compliance import selectors
from compliance.checks import CHECKS
from compliance.models import Assessment, Finding
from compliance.services import analyzing


class AskSerializer(Strict):
    """Nothing: every check is run."""


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    """One run; `done_at` is null until the worker has run it."""

    class Meta:
        model = Assessment
        fields = ("id", "cause", "asked_at", "done_at", "counts")
        read_only_fields = fields


class LineSerializer(serializers.Serializer[Any]):
    """One thing that falls short: a text, and the kind and id of what it is about, where there is one."""

    text = serializers.CharField()
    about = serializers.CharField()
    ref = serializers.CharField()


class FindingSerializer(serializers.ModelSerializer[Finding]):
    """What one check found. `found` is the answer without a suppression, `status` the one that is shown."""

    status = serializers.SerializerMethodField()
    why = serializers.SerializerMethodField()
    mend = serializers.SerializerMethodField()
    controls = serializers.SerializerMethodField()
    evidence = LineSerializer(many=True)
    assessment = serializers.UUIDField(source="assessment_id")
    found_at = serializers.DateTimeField(source="assessment.done_at")

    class Meta:
        model = Finding
        fields = (
            "id",
            "assessment",
            "found_at",
            "code",
            "title",
            "status",
            "found",
            "severity",
            "summary",
            "good",
            "total",
            "evidence",
            "why",
            "mend",
            "controls",
            "suppressed_until",
        )
        read_only_fields = fields

    def get_status(self, finding: Finding) -> str:
        """The answer at this moment."""
        now: datetime = self.context.get("now") or timezone.now()
        return finding.status(now).value

    def get_why(self, finding: Finding) -> str:
        """Why it matters."""
        return CHECKS[finding.code].why if finding.code in CHECKS else ""

    def get_mend(self, finding: Finding) -> str:
        """What helps."""
        return CHECKS[finding.code].mend if finding.code in CHECKS else ""

    def get_controls(self, finding: Finding) -> list[str]:
        """The controls that the check supports."""
        return list(CHECKS[finding.code].controls) if finding.code in CHECKS else []


class Assessments(IdempotentPosts, generics.ListAPIView[Assessment]):
    """Runs of the analyzer."""

    serializer_class = AssessmentSerializer
    cursor_ordering = "-asked_at"
    queryset = Assessment.objects.none()

    def get_queryset(self) -> QuerySet[Assessment]:
        """Return them, newest first."""
        _demand(self.request)
        return Assessment.objects.all()

    @extend_schema(request=AskSerializer, responses={201: AssessmentSerializer})
    def post(self, request: Request) -> Response:
        """Have everything looked at now; a run that waits already is answered instead."""
        read(AskSerializer, request)
        made = analyzing.ask(by=user_of(request))
        return Response(AssessmentSerializer(made).data, status=status.HTTP_201_CREATED)


class Findings(generics.ListAPIView[Finding]):
    """What was found."""

    serializer_class = FindingSerializer
    cursor_ordering = "code"
    queryset = Finding.objects.none()

    def get_queryset(self) -> QuerySet[Finding]:
        """Return what one run found, by check."""
        _demand(self.request)
        rows = Finding.objects.select_related("assessment")
        named = self.request.query_params.get("assessment")
        if named is None:
            newest = selectors.newest()
            return rows.none() if newest is None else rows.filter(assessment=newest)
        try:
            return rows.filter(assessment=UUID(named))
        except ValueError:
            return rows.none()

    @extend_schema(
        parameters=[OpenApiParameter("assessment", UUID, description="Of which run; without it, the last")]
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return what one run found, by check; without a name, the last run."""
        return super().get(request, *args, **kwargs)


class FindingView(APIView):
    """One finding."""

    @extend_schema(responses=FindingSerializer)
    def get(self, request: Request, finding_id: UUID) -> Response:
        """Return it with its evidence."""
        return Response(FindingSerializer(selectors.finding_for(finding_id, user_of(request))).data)


def _demand(request: Request) -> None:
    if not user_of(request).has_perm(selectors.FINDINGS):
        raise PermissionDenied("Findings are not yours to see.")
