"""Keysets and backup servers over REST; what they decide, a request decides."""

from uuid import UUID

from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import generics, serializers, status
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from recovery.api.access import SeesPasswords, asker
from recovery.api.texts import TextSerializer
from recovery.models import BackupServer, Keyset, LossProtection
from recovery.services import keysets, renewing, servers


class KeysetSerializer(serializers.ModelSerializer[Keyset]):
    """A keyset by its public half."""

    class Meta:
        model = Keyset
        fields = (
            "id",
            "suite",
            "description",
            "state",
            "own",
            "imported",
            "enterprise",
            "announcement",
            "created_at",
            "activated_at",
            "expires_at",
            "exported_at",
            "deleted_at",
        )
        read_only_fields = fields


class GenerateSerializer(Strict):
    """A new keyset; it stays inactive until a request activates it."""

    suite = serializers.ChoiceField(choices=["rsa-4096", "x-wing"])
    description = serializers.CharField(max_length=200)


class ServerSerializer(serializers.ModelSerializer[BackupServer]):
    """A backup server's public identity."""

    class Meta:
        model = BackupServer
        fields = (
            "id",
            "name",
            "kem",
            "fingerprint",
            "state",
            "own",
            "document",
            "offered_at",
            "registered_at",
            "revoked_at",
        )
        read_only_fields = fields


class AutomaticSerializer(Strict):
    """Whether keysets are made by themselves before the one in force runs out, and which."""

    automatic = serializers.BooleanField()
    suite = serializers.ChoiceField(choices=["rsa-4096", "x-wing"])
    weeks = serializers.IntegerField(min_value=1, max_value=520)


class ReasonSerializer(Strict):
    """Why."""

    reason = serializers.CharField(max_length=200)


class Keysets(IdempotentPosts, generics.ListAPIView[Keyset]):
    """List keysets, and wish for a new one."""

    serializer_class = KeysetSerializer
    permission_classes = (IsAuthenticated, SeesPasswords)
    queryset = Keyset.objects.all()

    @extend_schema(
        request=GenerateSerializer,
        responses={202: inline_serializer("WishedKeyset", {"id": serializers.UUIDField()})},
    )
    def post(self, request: Request) -> Response:
        """Have one generated; it stays inactive."""
        data = GenerateSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        task = keysets.generate(by=asker(request), **data.validated_data)
        return Response({"id": str(task.pk)}, status=status.HTTP_202_ACCEPTED)


class BackupServers(IdempotentPosts, generics.ListAPIView[BackupServer]):
    """List backup servers, and offer another one's registration."""

    serializer_class = ServerSerializer
    permission_classes = (IsAuthenticated, SeesPasswords)
    queryset = BackupServer.objects.all()
    cursor_ordering = "-offered_at"

    @extend_schema(request=TextSerializer, responses={201: ServerSerializer})
    def post(self, request: Request) -> Response:
        """Take one; it counts once a `register_server` request is approved."""
        data = TextSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = servers.offer(data.validated_data["text"], by=asker(request))
        return Response(ServerSerializer(made).data, status=status.HTTP_201_CREATED)


class Automatic(APIView):
    """Keysets that are made by themselves; each still waits for Security."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(responses=AutomaticSerializer)
    def get(self, request: Request) -> Response:
        """Return what is set."""
        return Response(_automatic(LossProtection.objects.filter(pk=1).first() or LossProtection()))

    @extend_schema(request=AutomaticSerializer, responses=AutomaticSerializer)
    def put(self, request: Request) -> Response:
        """Set it; the activations are asked for in this account's name."""
        data = AutomaticSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(_automatic(renewing.configure(by=asker(request), **data.validated_data)))


class Revoke(IdempotentPosts, APIView):
    """The end of a backup server's registration."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(
        request=ReasonSerializer,
        responses={202: inline_serializer("WishedRevocation", {"id": serializers.UUIDField()})},
    )
    def post(self, request: Request, server_id: UUID) -> Response:
        """Have a server revoked: from then on its requests are refused."""
        data = ReasonSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        task = servers.revoke(server_id, by=asker(request), reason=data.validated_data["reason"])
        return Response({"id": str(task.pk)}, status=status.HTTP_202_ACCEPTED)


def _automatic(held: LossProtection) -> dict[str, object]:
    return {"automatic": held.automatic, "suite": held.suite, "weeks": held.retention_weeks}
