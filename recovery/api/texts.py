"""The texts that people carry, as JSON: taken in, and given out with the fingerprint that they compare."""

from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.exchange import Strict
from recovery.api.access import SeesPasswords
from recovery.models import BackupServer, Keyset
from recovery.services import identity, keysets


class TextSerializer(Strict):
    """A text that was carried here."""

    text = serializers.CharField(max_length=64 * 1024 * 1024, trim_whitespace=False)


class CarriedSerializer(serializers.Serializer[object]):
    """A text to carry elsewhere, and what is compared on both sides, by another way."""

    text = serializers.CharField()
    fingerprint = serializers.CharField()


class KeysetText(APIView):
    """A keyset's announcement, to carry to a backup server that is another installation."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(responses=CarriedSerializer)
    def get(self, request: Request, keyset_id: UUID) -> Response:
        """Return it; 409 for a keyset that was never activated."""
        keyset = Keyset.objects.filter(pk=keyset_id).first()
        if keyset is None:
            raise NotFound
        text = keysets.announcement_text(keyset)
        return Response({"fingerprint": keysets.fingerprint_of(keyset), "text": text})


class ServerText(APIView):
    """A backup server's registration, to carry to an Enterprise Manager that is another installation."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(responses=CarriedSerializer)
    def get(self, request: Request, server_id: UUID) -> Response:
        """Return it."""
        server = BackupServer.objects.filter(pk=server_id).first()
        if server is None:
            raise NotFound
        return Response({"fingerprint": server.fingerprint, "text": identity.text_of(server)})
