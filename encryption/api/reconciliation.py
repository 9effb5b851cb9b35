"""What Veeam servers told, and where each event and each difference belongs."""

from typing import Any
from uuid import UUID

import django_filters
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, permissions, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from encryption.api.places import asker
from encryption.models import Reconciled, VeeamEvent, VeeamServer
from encryption.selectors import reconciliation
from encryption.services.veeam import receptions


class MayReadChanges(permissions.BasePermission):
    """Whoever may see what was changed behind our back."""

    def has_permission(self, request: Request, view: Any) -> bool:
        """Say whether the account may."""
        return request.user.has_perm("encryption.view_drift")


class BelongsSerializer(serializers.ModelSerializer[Reconciled]):
    """Where an event belongs: to a request, or as an exception to its owner."""

    class Meta:
        model = Reconciled
        fields = ("request", "drift", "owner", "note", "why", "settled_at")
        read_only_fields = fields


class VeeamEventSerializer(serializers.ModelSerializer[VeeamEvent]):
    """An event as it was told, and where it belongs; null: not judged yet, or of no known server."""

    belongs = serializers.SerializerMethodField()

    class Meta:
        model = VeeamEvent
        fields = (
            "id",
            "server",
            "number",
            "host",
            "happened_at",
            "received_at",
            "peer",
            "transport",
            "subject",
            "name",
            "user_name",
            "description",
            "fields",
            "digest",
            "belongs",
        )
        read_only_fields = fields

    @extend_schema(responses=BelongsSerializer)
    def get_belongs(self, event: VeeamEvent) -> dict[str, Any] | None:
        """Where it belongs."""
        row = getattr(event, "reconciled", None)
        return dict(BelongsSerializer(row).data) if row is not None else None


class PopulationSerializer(serializers.Serializer[reconciliation.Population]):
    """Counts; the last four add up to the first."""

    total = serializers.IntegerField()
    settled = serializers.IntegerField()
    owned = serializers.IntegerField()
    unowned = serializers.IntegerField()
    waiting = serializers.IntegerField()


class GapSerializer(serializers.Serializer[receptions.Gap]):
    """A time in which nobody listened; `until` null: it lasts."""

    since = serializers.DateTimeField()
    until = serializers.DateTimeField(allow_null=True)


class ReconciliationSerializer(serializers.Serializer[Any]):
    """Both populations of a server, and every gap in reception."""

    server = serializers.UUIDField()
    events = PopulationSerializer()
    differences = PopulationSerializer()
    listening = serializers.BooleanField()
    gaps = GapSerializer(many=True)


class VeeamEventFilter(django_filters.FilterSet):  # type: ignore[misc]
    """Events."""

    server = django_filters.UUIDFilter(field_name="server_id", label="The id of a Veeam server")
    number = django_filters.NumberFilter(
        label="The number of an event, as Veeam counts", min_value=0, max_value=999_999
    )
    user = django_filters.CharFilter("user_name", lookup_expr="icontains", label="A part of the account")
    since = django_filters.IsoDateTimeFilter("happened_at", lookup_expr="gte", label="From this time on")
    until = django_filters.IsoDateTimeFilter("happened_at", lookup_expr="lt", label="Before this time")

    class Meta:
        model = VeeamEvent
        fields: tuple[str, ...] = ()


class VeeamEvents(generics.ListAPIView[VeeamEvent]):
    """What Veeam servers told by syslog, newest first."""

    permission_classes = [MayReadChanges]
    serializer_class = VeeamEventSerializer
    filterset_class = VeeamEventFilter
    queryset = VeeamEvent.objects.none()
    cursor_ordering = "-happened_at"

    def get_queryset(self) -> QuerySet[VeeamEvent]:
        """Return all of them."""
        return reconciliation.all_events()


class VeeamReconciliation(generics.GenericAPIView[VeeamServer]):
    """The reconciliation of one Veeam server."""

    permission_classes = [MayReadChanges]
    serializer_class = ReconciliationSerializer
    queryset = VeeamServer.objects.none()

    @extend_schema(responses=ReconciliationSerializer)
    def get(self, request: Request, server_id: UUID) -> Response:
        """Return its counts and the gaps."""
        server = reconciliation.server_for(server_id, asker(request))
        found = {
            "server": server.pk,
            "events": reconciliation.population_of(reconciliation.events_of(server)),
            "differences": reconciliation.population_of(reconciliation.differences_of(server)),
            "listening": receptions.listening() is not None,
            "gaps": receptions.gaps(),
        }
        return Response(ReconciliationSerializer(found).data)
