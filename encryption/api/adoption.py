"""Values that people offer as the one in force of a Veeam password."""

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
from encryption.models import VeeamAdoption
from encryption.services.veeam import adoption


class AdoptionSerializer(serializers.ModelSerializer[VeeamAdoption]):
    """An offer, and what became of it; the value is never shown."""

    class Meta:
        model = VeeamAdoption
        fields = ("id", "password", "asked_by", "asked_at", "state", "said", "done_at")
        read_only_fields = fields


class OfferSerializer(Strict):
    """The value that is in force at Veeam."""

    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False, write_only=True)


class Adoptions(IdempotentPosts, generics.ListAPIView[VeeamAdoption]):
    """List and make offers for one password; Veeam verifies each, and nobody approves it."""

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
        # Sent as it was typed: what is in force there was made by other rules than ours.
        typed = Secret(data.validated_data["password"].encode())
        made = adoption.adopt(password_id, by=asker(request), typed=typed)
        return Response(AdoptionSerializer(made).data, status=status.HTTP_202_ACCEPTED)
