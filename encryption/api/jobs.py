"""Jobs, their runs and restore points."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from encryption import badge, keytree, selectors
from encryption.api.editing import Edited, tagged
from encryption.api.filters import JobFilter, RestorePointFilter, SessionFilter
from encryption.api.places import asker
from encryption.api.shown import (
    BadgeSerializer,
    JobSerializer,
    KeyTreeSerializer,
    RestorePointSerializer,
    SessionSerializer,
)
from encryption.models import Job, JobSession, RestorePoint
from encryption.services import jobs, runs


class RunSerializer(Strict):
    """How a run is asked for."""

    full = serializers.BooleanField(default=False)


class RestoreSerializer(Strict):
    """How a restore is asked for."""

    to = serializers.CharField(max_length=1000)
    paths = serializers.ListField(
        child=serializers.CharField(max_length=4096), required=False, allow_null=True, max_length=1000
    )


class Jobs(IdempotentPosts, generics.ListAPIView[Job]):
    """List and make jobs."""

    serializer_class = JobSerializer
    filterset_class = JobFilter
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Return what the account may see."""
        return selectors.jobs_for(asker(self.request))

    @extend_schema(responses={201: JobSerializer})
    def post(self, request: Request) -> Response:
        """Make one; it writes without encryption until a request activates it."""
        data = JobSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = jobs.create_job(by=asker(request), **_fields(request, data))
        return tagged(made, Response(JobSerializer(made).data, status=status.HTTP_201_CREATED))


class JobDetail(Edited):
    """One job."""

    serializer_class = JobSerializer

    def get(self, request: Request, job_id: UUID) -> Response:
        """Return it."""
        job = selectors.job_detail(job_id, asker(request))
        return tagged(job, Response(JobSerializer(job).data))

    def patch(self, request: Request, job_id: UUID) -> Response:
        """Change it; its encryption changes by a request alone."""
        found, seen = selectors.job_detail(job_id, asker(request)), self.seen(request)
        data = JobSerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = jobs.change_job(job_id, by=asker(request), seen=seen, **_fields(request, data))
        return tagged(changed, Response(JobSerializer(changed).data))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, job_id: UUID) -> Response:
        """End it; a job with encryption or encrypted restore points needs a request first."""
        jobs.delete_job(job_id, by=asker(request), seen=self.seen(request))
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
    filterset_class = SessionFilter
    queryset = JobSession.objects.none()

    def get_queryset(self) -> QuerySet[JobSession]:
        """Return the sessions of a job that the account may see."""
        return selectors.sessions(selectors.job_detail(self.kwargs["job_id"], asker(self.request)))


class JobRestorePoints(generics.ListAPIView[RestorePoint]):
    """What can be restored of a job."""

    serializer_class = RestorePointSerializer
    filterset_class = RestorePointFilter
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
