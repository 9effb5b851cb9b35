"""Passwords (hints and versions, never values), re-keys and drifts."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from encryption import selectors
from encryption.api.filters import DriftFilter, PasswordFilter
from encryption.api.places import asker
from encryption.models import Drift, EncryptionPassword, PasswordVersion, Rekey, RekeyJob


class VersionSerializer(serializers.ModelSerializer[PasswordVersion]):
    """One version, without its value."""

    class Meta:
        model = PasswordVersion
        fields = (
            "id",
            "number",
            "hint",
            "strength",
            "length",
            "request",
            "in_force_from",
            "in_force_until",
            "erased_at",
            "created_at",
        )
        read_only_fields = fields


class PasswordSerializer(serializers.ModelSerializer[EncryptionPassword]):
    """A password by its hint."""

    versions = VersionSerializer(many=True, read_only=True)
    jobs: Any = serializers.PrimaryKeyRelatedField(many=True, read_only=True)

    class Meta:
        model = EncryptionPassword
        fields = ("id", "hint", "versions", "jobs", "created_at")
        read_only_fields = fields


class StepSerializer(serializers.ModelSerializer[RekeyJob]):
    """One job's step."""

    class Meta:
        model = RekeyJob
        fields = (
            "id",
            "job",
            "state",
            "user_key",
            "old_fingerprint",
            "new_fingerprint",
            "done",
            "total",
            "error",
            "proof",
            "started_at",
            "ended_at",
        )
        read_only_fields = fields


class RekeySerializer(serializers.ModelSerializer[Rekey]):
    """A re-key with its steps and its signed order."""

    steps = StepSerializer(many=True, read_only=True)

    class Meta:
        model = Rekey
        fields = (
            "id",
            "request",
            "action",
            "scope",
            "version",
            "order",
            "state",
            "steps",
            "created_at",
            "ended_at",
        )
        read_only_fields = fields


class DriftSerializer(serializers.ModelSerializer[Drift]):
    """A difference between what was approved and what was found."""

    class Meta:
        model = Drift
        fields = (
            "id",
            "job",
            "password",
            "repository",
            "what",
            "text",
            "found",
            "found_at",
            "closed_at",
            "explained_by",
        )
        read_only_fields = fields


class Passwords(generics.ListAPIView[EncryptionPassword]):
    """The encryption passwords by their hints."""

    serializer_class = PasswordSerializer
    filterset_class = PasswordFilter
    queryset = EncryptionPassword.objects.none()

    def get_queryset(self) -> QuerySet[EncryptionPassword]:
        """Return what the account may see."""
        return selectors.passwords_for(asker(self.request))


class RekeyDetail(APIView):
    """A re-key."""

    @extend_schema(responses=RekeySerializer)
    def get(self, request: Request, rekey_id: UUID) -> Response:
        """Return how far it is."""
        return Response(RekeySerializer(selectors.rekey_for(rekey_id, asker(request))).data)


class Drifts(generics.ListAPIView[Drift]):
    """What was found changed, open and closed."""

    serializer_class = DriftSerializer
    filterset_class = DriftFilter
    queryset = Drift.objects.none()
    cursor_ordering = "-found_at"

    def get_queryset(self) -> QuerySet[Drift]:
        """Return the drifts of jobs that the account may see."""
        return selectors.drifts_for(asker(self.request))
