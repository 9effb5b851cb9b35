"""Veeam servers, and which password version opens the restore points of their jobs."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from encryption import badge, selectors
from encryption.api.places import asker
from encryption.api.shown import BadgeSerializer
from encryption.crypto.secret import Secret
from encryption.errors import Unknown
from encryption.models import Job, VeeamServer
from encryption.selectors import opens
from encryption.services.veeam import servers


class VeeamServerSerializer(serializers.ModelSerializer[VeeamServer]):
    """A Veeam server, as it was read last; its account's password is never shown."""

    id = serializers.UUIDField(source="repository_id", read_only=True)
    name = serializers.CharField(source="repository.name", read_only=True)

    class Meta:
        model = VeeamServer
        fields = (
            "id",
            "name",
            "address",
            "port",
            "thumbprint",
            "account",
            "vbr_id",
            "vbr_name",
            "build",
            "revision",
            "tls_version",
            "mode",
            "enforcement",
            "emergency_account",
            "configuration_backup",
            "analyzer",
            "forwarding",
            "four_eyes",
            "progress",
            "imported_at",
            "error",
            "created_at",
        )
        read_only_fields = fields


class ConnectSerializer(Strict):
    """How a server is connected: its certificate's thumbprint or its authority's certificate."""

    name = serializers.CharField(max_length=120)
    address = serializers.CharField(max_length=253)
    port = serializers.IntegerField(min_value=1, max_value=65_535, default=9419)
    thumbprint = serializers.CharField(max_length=64, default="", allow_blank=True)
    authority = serializers.CharField(max_length=65_536, default="", allow_blank=True)
    account = serializers.CharField(max_length=255)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, write_only=True)


class StretchSerializer(serializers.Serializer[opens.Stretch]):
    """Restore points of one job, one after another, that need the same version.

    null: not encrypted; or not `known`, of a backup whose job was gone before the first reading.
    """

    version = serializers.UUIDField(source="version.pk", allow_null=True, default=None)
    hint = serializers.CharField(source="version.hint", allow_null=True, default=None)
    number = serializers.IntegerField(source="version.number", allow_null=True, default=None)
    held = serializers.SerializerMethodField()
    begins = serializers.DateTimeField()
    ends = serializers.DateTimeField()
    points = serializers.IntegerField()
    known = serializers.BooleanField()

    def get_held(self, stretch: opens.Stretch) -> bool | None:
        """Whether the version's value is known here; null where a KMS stands for it, or nothing is needed."""
        if stretch.version is None or opens.is_kms(stretch.version):
            return None
        return stretch.version.sealed_password is not None


class OpensSerializer(serializers.Serializer[Any]):
    """What opens one job's live restore points, oldest first."""

    job = serializers.UUIDField()
    name = serializers.CharField()
    points = serializers.IntegerField()
    stretches = StretchSerializer(many=True)
    badge = BadgeSerializer()


class VeeamServers(IdempotentPosts, generics.ListAPIView[VeeamServer]):
    """List and connect Veeam servers."""

    serializer_class = VeeamServerSerializer
    queryset = VeeamServer.objects.none()

    def get_queryset(self) -> QuerySet[VeeamServer]:
        """Return what the account may see."""
        return selectors.veeam_servers_for(asker(self.request))

    @extend_schema(request=ConnectSerializer, responses={201: VeeamServerSerializer})
    def post(self, request: Request) -> Response:
        """Connect one, and read it; nothing is changed there."""
        data = ConnectSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        given = dict(data.validated_data)
        password = Secret(given.pop("password").encode())
        made = servers.connect(by=asker(request), password=password, **given)
        return Response(VeeamServerSerializer(made).data, status=status.HTTP_201_CREATED)


class VeeamServerDetail(generics.GenericAPIView[VeeamServer]):
    """One Veeam server."""

    serializer_class = VeeamServerSerializer
    queryset = VeeamServer.objects.none()

    def get(self, request: Request, repository_id: UUID) -> Response:
        """Return it."""
        found = selectors.veeam_servers_for(asker(request)).filter(pk=repository_id).first()
        if found is None:
            raise Unknown("There is no such Veeam server, or it is not yours to see.")
        return Response(VeeamServerSerializer(found).data)


class Opens(generics.ListAPIView[Job]):
    """Which password version opens the restore points of each job."""

    serializer_class = OpensSerializer
    queryset = Job.objects.none()

    def get_queryset(self) -> QuerySet[Job]:
        """Return the jobs that the account may see, where it may see passwords."""
        viewer = asker(self.request)
        jobs = selectors.jobs_for(viewer).select_related("veeam")
        return jobs if viewer.has_perm("encryption.view_encryptionpassword") else jobs.none()

    def list(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return one page."""
        page = self.paginate_queryset(self.get_queryset()) or []
        now = timezone.now()
        found = opens.opened(page, since=opens.oldest_point(page) or now, until=now)
        signed = badge.badges(page, now)
        rows = [
            {
                "job": job.pk,
                "name": job.name,
                "points": found[job.pk].points,
                "stretches": found[job.pk].stretches,
                "badge": signed[job.pk],
            }
            for job in page
        ]
        return self.get_paginated_response(OpensSerializer(rows, many=True).data)
