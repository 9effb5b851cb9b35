"""Alarms over the API: the list, one, and taking one on. Ending one is for a person at a browser."""

from typing import Any
from uuid import UUID

import django_filters
from drf_spectacular.utils import extend_schema
from rest_framework import generics, permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api.views import read, user_of
from accounts.exchange import Strict
from accounts.services import alarms
from audit import selectors
from audit.alarms import Kind
from audit.models import Alarm


class MayReadAlarms(permissions.BasePermission):
    """Everybody with a role; roles are mapped to the permission in `rules`."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the account may read alarms."""
        return request.user.has_perm("audit.view_alarm")


class AlarmSerializer(serializers.ModelSerializer[Alarm]):
    """An alarm, what it means and what helps."""

    title = serializers.SerializerMethodField()
    todo = serializers.SerializerMethodField()
    incident = serializers.SerializerMethodField()
    subject = serializers.SerializerMethodField()

    class Meta:
        model = Alarm
        fields = (
            "id",
            "kind",
            "title",
            "severity",
            "state",
            "text",
            "todo",
            "incident",
            "subject",
            "raised_at",
            "acknowledged_by",
            "acknowledged_at",
            "note",
            "resolved_at",
        )

    def get_title(self, alarm: Alarm) -> str:
        """What is wrong, in few words."""
        return Kind(alarm.kind).heading

    def get_todo(self, alarm: Alarm) -> str:
        """What a person does about it."""
        return Kind(alarm.kind).todo

    def get_incident(self, alarm: Alarm) -> bool:
        """Whether it is over when it is told, so that a member of Security ends it."""
        return Kind(alarm.kind).incident

    def get_subject(self, alarm: Alarm) -> dict[str, str]:
        """What the alarm is about."""
        return {"type": alarm.subject_type, "id": alarm.subject_id}


class NoteSerializer(Strict):
    """What who takes an alarm on says of it."""

    note = serializers.CharField(max_length=alarms.MAX_NOTE, required=False, allow_blank=True)


class AlarmFilter(django_filters.FilterSet):  # type: ignore[misc]
    """What the list can be narrowed to."""

    state = django_filters.ChoiceFilter(
        choices=[(selectors.OPEN, "Not resolved"), *Alarm.State.choices],
        label="A state, or `open` for what is not resolved",
    )
    kind = django_filters.ChoiceFilter(choices=[(kind.value, kind.heading) for kind in Kind], label="A kind")

    class Meta:
        model = Alarm
        fields: tuple[str, ...] = ()

    def filter_queryset(self, queryset: Any) -> Any:
        """Hand the cleaned values to the selector that the page uses too."""
        return selectors.alarms(**self.form.cleaned_data)


class AlarmsView(generics.ListAPIView[Alarm]):
    """Alarms, newest first."""

    permission_classes = [MayReadAlarms]
    serializer_class = AlarmSerializer
    filterset_class = AlarmFilter
    queryset = Alarm.objects.all()
    cursor_ordering = "-raised_at"


class AlarmView(generics.RetrieveAPIView[Alarm]):
    """One alarm."""

    permission_classes = [MayReadAlarms]
    serializer_class = AlarmSerializer
    queryset = Alarm.objects.all()
    lookup_url_kwarg = "alarm_id"


class AcknowledgeView(APIView):
    """Taking an alarm on."""

    permission_classes = [MayReadAlarms]

    @extend_schema(request=NoteSerializer, responses=AlarmSerializer)
    def post(self, request: Request, alarm_id: UUID) -> Response:
        """Say that one looks into it; it stays until its cause is gone."""
        fields = read(NoteSerializer, request)
        return Response(AlarmSerializer(alarms.acknowledge(alarm_id, by=user_of(request), **fields)).data)
