"""How jobs, their runs, restore points and keys are shown."""

from typing import Any, ClassVar, cast

from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from accounts.exchange import Strict
from encryption import badge, keytree
from encryption.models import Job, JobSession, Repository, RestorePoint
from encryption.services.jobs import DECIDED_FIELDS


class BadgeSerializer(serializers.Serializer[badge.Badge]):
    """The sign beside a job and its reasons."""

    state = serializers.CharField()
    label = serializers.CharField()  # type: ignore[assignment]
    since = serializers.DateTimeField(allow_null=True)
    older = serializers.IntegerField()
    proof = serializers.CharField(allow_null=True)
    fingerprint = serializers.CharField()
    attestation = serializers.UUIDField(source="attestation_id", allow_null=True)
    reasons = serializers.ListField(child=serializers.CharField())


class JobSerializer(Strict, serializers.ModelSerializer[Job]):
    """A job; what decides on its encryption is read-only here and changes by a request."""

    left_to_the_use_case = DECIDED_FIELDS
    repository: Any = serializers.PrimaryKeyRelatedField(queryset=Repository.objects.all())
    include = serializers.ListField(child=serializers.CharField(max_length=1000), required=False)
    exclude = serializers.ListField(child=serializers.CharField(max_length=1000), required=False)
    state = serializers.ChoiceField([Job.State.ACTIVE, Job.State.DISABLED], required=False)
    badge = serializers.SerializerMethodField()

    class Meta:
        model = Job
        fields = (
            "id",
            "name",
            "repository",
            "source",
            "include",
            "exclude",
            "one_file_system",
            "schedule_minutes",
            "next_run_at",
            "retention_points",
            "retention_days",
            "full_every",
            "compression",
            "data_category",
            "records_reference",
            "state",
            "password",
            "observed_fingerprint",
            "observed_at",
            "badge",
            "created_at",
        )
        read_only_fields = (
            "id",
            "next_run_at",
            "password",
            "observed_fingerprint",
            "observed_at",
            "created_at",
        )
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}

    @extend_schema(responses=BadgeSerializer)
    def get_badge(self, job: Job) -> dict[str, Any]:
        """The sign at this moment."""
        # A list computes the signs of its page at once.
        page = cast("list[Job] | None", self.parent.instance) if self.parent is not None else None
        if not hasattr(self, "_signs"):
            self._signs = badge.badges(page or [job])
        return dict(BadgeSerializer(self._signs[job.pk]).data)


class SessionSerializer(serializers.ModelSerializer[JobSession]):
    """A run, restore or verification."""

    class Meta:
        model = JobSession
        fields = (
            "id",
            "job",
            "kind",
            "state",
            "asked_by",
            "restore_point",
            "done_bytes",
            "done_files",
            "warnings",
            "error",
            "created_at",
            "started_at",
            "ended_at",
        )
        read_only_fields = fields


class RestorePointSerializer(serializers.ModelSerializer[RestorePoint]):
    """A point in time that can be restored."""

    class Meta:
        model = RestorePoint
        fields = (
            "id",
            "job",
            "kind",
            "base",
            "created_at",
            "size",
            "source_bytes",
            "entries",
            "storage_key",
            "password_version",
            "verified_at",
        )
        read_only_fields = fields


class StorageKeySerializer(serializers.Serializer[keytree.StorageKey]):
    """The key of one restore point."""

    restore_point = serializers.UUIDField()
    kind = serializers.CharField()
    created_at = serializers.DateTimeField()
    storage_key = serializers.UUIDField()
    version = serializers.IntegerField(allow_null=True)


class KeyTreeSerializer(serializers.Serializer[keytree.KeyTree]):
    """Password version, user key and the storage keys under it: ids alone."""

    user_key = serializers.UUIDField(allow_null=True)
    fingerprint = serializers.CharField()
    password = serializers.UUIDField(allow_null=True)
    version = serializers.IntegerField(allow_null=True)
    hint = serializers.CharField()
    kdf = serializers.CharField()
    since = serializers.DateTimeField(allow_null=True)
    storage_keys = StorageKeySerializer(many=True)
    plain_points = serializers.IntegerField()
