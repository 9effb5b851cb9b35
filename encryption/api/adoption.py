"""Values that people offer as the one in force, and repositories that are adopted."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.views.decorators.debug import sensitive_variables
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from encryption import selectors
from encryption.api.places import asker
from encryption.crypto.secret import LONGEST_PASSWORD, Secret
from encryption.models import RepositoryAdoption, VeeamAdoption
from encryption.services import adopting, offering


class AdoptionSerializer(serializers.ModelSerializer[VeeamAdoption]):
    """An offer, and what became of it; the value is never shown."""

    class Meta:
        model = VeeamAdoption
        fields = ("id", "password", "asked_by", "asked_at", "state", "said", "done_at")
        read_only_fields = fields


class OfferSerializer(Strict):
    """The value that is in force."""

    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False, write_only=True)


class Adoptions(IdempotentPosts, generics.ListAPIView[VeeamAdoption]):
    """List and make offers for one password; Veeam or the adopted keyring verifies each."""

    serializer_class = AdoptionSerializer
    queryset = VeeamAdoption.objects.none()
    cursor_ordering = "-asked_at"

    def get_queryset(self) -> QuerySet[VeeamAdoption]:
        """Return the offers for a password that the account may see."""
        seen = selectors.passwords_for(asker(self.request)).filter(pk=self.kwargs["password_id"])
        return VeeamAdoption.objects.filter(password__in=seen.values("pk"))

    @extend_schema(request=OfferSerializer, responses={202: AdoptionSerializer})
    @sensitive_variables("data")
    def post(self, request: Request, password_id: UUID) -> Response:
        """Offer the value; ask again until `done_at` is set."""
        data = OfferSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        # Sent as it was typed: what is in force was made by other rules than those of today.
        typed = Secret(data.validated_data["password"].encode())
        made = offering.offer(password_id, by=asker(request), typed=typed)
        return Response(AdoptionSerializer(made).data, status=status.HTTP_202_ACCEPTED)


class UnreadSerializer(serializers.Serializer[dict[str, str]]):
    """What did not hold, by its name in the repository."""

    what = serializers.CharField()
    why = serializers.CharField()


class RepositoryAdoptionSerializer(serializers.ModelSerializer[RepositoryAdoption]):
    """One reading of a repository: what it put on record, and what it could not read.

    `signers` counts the restore points whose recovery lines a backup server signed, by the server's id, which
    is made from its signing key.
    """

    named = UnreadSerializer(many=True)
    signers: Any = serializers.DictField(child=serializers.IntegerField())

    class Meta:
        model = RepositoryAdoption
        fields = (
            "id",
            "repository",
            "asked_by",
            "asked_at",
            "state",
            "said",
            "jobs",
            "points",
            "unread",
            "named",
            "signers",
            "done_at",
        )
        read_only_fields = fields


class RepositoryAdoptions(IdempotentPosts, generics.ListAPIView[RepositoryAdoption]):
    """List the readings of one native repository, and ask for another."""

    serializer_class = RepositoryAdoptionSerializer
    queryset = RepositoryAdoption.objects.none()
    cursor_ordering = "-asked_at"

    def get_queryset(self) -> QuerySet[RepositoryAdoption]:
        """Return the readings of a repository that the account may see."""
        seen = selectors.repositories_for(asker(self.request)).filter(pk=self.kwargs["repository_id"])
        return RepositoryAdoption.objects.filter(repository__in=seen.order_by().values("pk"))

    @extend_schema(request=None, responses={202: RepositoryAdoptionSerializer})
    def post(self, request: Request, repository_id: UUID) -> Response:
        """Put on record what lies there and is not; ask again until `done_at` is set."""
        made = adopting.adopt(repository_id, by=asker(request))
        return Response(RepositoryAdoptionSerializer(made).data, status=status.HTTP_202_ACCEPTED)
