"""Jobs, their runs and restore points."""

from typing import Any, ClassVar, cast
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from encryption import badge, keytree, selectors
from encryption.api.places import asker
from encryption.models import Job, JobSession, Repository, RestorePoint
from encryption.services import jobs, runs


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


class JobSerializer(serializers.ModelSerializer[Job]):
    """A job; what decides on its encryption is read-only here and changes by a request."""

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


class RunSerializer(serializers.Serializer[Any]):
    """How a run is asked for."""

    full = serializers.BooleanField(default=False)


class RestoreSerializer(serializers.Serializer[Any]):
    """How a restore is asked for."""

    to = serializers.CharField(max_length=1000)
    paths = serializers.ListField(
        child=serializers.CharField(max_length=4096), required=False, allow_null=True, max_length=1000
    )


class Jobs(IdempotentPosts, generics.ListAPIView[Job]):
    """List and make jobs."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Return what the account may see."""
        return selectors.jobs_for(asker(self.request))

    def post(self, request: Request) -> Response:
        """Make one; it writes without encryption until a request activates it."""
        data = JobSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = jobs.create_job(by=asker(request), **_fields(request, data))
        return Response(JobSerializer(made).data, status=status.HTTP_201_CREATED)


class JobDetail(generics.GenericAPIView[Job]):
    """One job."""

    serializer_class = JobSerializer
    queryset = Job.objects.none()

    def get(self, request: Request, job_id: UUID) -> Response:
        """Return it."""
        return Response(JobSerializer(selectors.job_detail(job_id, asker(request))).data)

    def patch(self, request: Request, job_id: UUID) -> Response:
        """Change it; its encryption changes by a request alone."""
        found = selectors.job_detail(job_id, asker(request))
        data = JobSerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = jobs.change_job(job_id, by=asker(request), **_fields(request, data))
        return Response(JobSerializer(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: UUID) -> Response:
        """End it; a job with encryption or encrypted restore points needs a request first."""
        jobs.delete_job(job_id, by=asker(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class JobRun(IdempotentPosts):
    """A run of a job."""

    @extend_schema(request=RunSerializer, responses={202: SessionSerializer})
    def post(self, request: Request, job_id: UUID) -> Response:
        """Ask for one; the session shows how it goes."""
        data = RunSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        session = runs.start_backup(job_id, by=asker(request), full=data.validated_data["full"])
        return Response(SessionSerializer(session).data, status=status.HTTP_202_ACCEPTED)


class JobSessions(generics.ListAPIView[JobSession]):
    """What was done with a job."""

    serializer_class = SessionSerializer
    queryset = JobSession.objects.none()

    def get_queryset(self) -> QuerySet[JobSession]:
        """Return the sessions of a job that the account may see."""
        return selectors.sessions(selectors.job_detail(self.kwargs["job_id"], asker(self.request)))


class JobRestorePoints(generics.ListAPIView[RestorePoint]):
    """What can be restored of a job."""

    serializer_class = RestorePointSerializer
    queryset = RestorePoint.objects.none()

    def get_queryset(self) -> QuerySet[RestorePoint]:
        """Return the live restore points of a job that the account may see."""
        return selectors.restore_points(selectors.job_detail(self.kwargs["job_id"], asker(self.request)))


class JobBadge(APIView):
    """The sign of a job."""

    @extend_schema(responses=BadgeSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """Return it as it is now."""
        job = selectors.job_detail(job_id, asker(request))
        return Response(BadgeSerializer(badge.badge(job)).data)


class JobKeys(APIView):
    """The key tree of a job: ids alone, no key."""

    @extend_schema(responses=KeyTreeSerializer)
    def get(self, request: Request, job_id: UUID) -> Response:
        """Return it."""
        job = selectors.job_detail(job_id, asker(request))
        return Response(KeyTreeSerializer(keytree.key_tree(job)).data)


class Restore(IdempotentPosts):
    """A restore of one restore point."""

    @extend_schema(request=RestoreSerializer, responses={202: SessionSerializer})
    def post(self, request: Request, restore_point_id: UUID) -> Response:
        """Ask for one into an empty folder."""
        data = RestoreSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        wish = data.validated_data
        session = runs.start_restore(
            restore_point_id, to=wish["to"], paths=wish.get("paths"), by=asker(request)
        )
        return Response(SessionSerializer(session).data, status=status.HTTP_202_ACCEPTED)


class SessionDetail(APIView):
    """One run, restore or verification."""

    @extend_schema(responses=SessionSerializer)
    def get(self, request: Request, session_id: UUID) -> Response:
        """Return how it goes."""
        return Response(SessionSerializer(selectors.session_for(session_id, asker(request))).data)


def _fields(request: Request, data: JobSerializer) -> dict[str, Any]:
    # What the serializer would silently leave out, but a client must hear: encryption is not changed here.
    sent = request.data if isinstance(request.data, dict) else {}
    decided = {name: sent[name] for name in jobs.DECIDED_FIELDS if name in sent}
    return {**data.validated_data, **decided}
