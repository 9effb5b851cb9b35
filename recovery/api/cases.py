"""Recovery cases and custody over REST."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.exceptions import NotFound
from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from accounts.models import Role, User
from recovery import selectors
from recovery.api.access import SeesPasswords, asker
from recovery.api.texts import TextSerializer
from recovery.models import CustodyProof, CustodyRecord, RecoveryCase
from recovery.services import answers, cases, custody, keysets


class CaseSerializer(serializers.ModelSerializer[RecoveryCase]):
    """A recovery case, as one side sees it."""

    id = serializers.UUIDField(source="row", read_only=True)

    class Meta:
        model = RecoveryCase
        fields = (
            "id",
            "case",
            "side",
            "state",
            "number",
            "reason",
            "server",
            "request_sha256",
            "jobs",
            "keysets",
            "keys",
            "why",
            "created_at",
            "expires_at",
            "answered_at",
            "opened_at",
        )
        read_only_fields = fields


class NewCaseSerializer(Strict):
    """Jobs whose password is lost (backup side), or a request that was carried here (Enterprise side)."""

    jobs = serializers.ListField(child=serializers.UUIDField(), required=False, max_length=500)
    text = serializers.CharField(max_length=64 * 1024 * 1024, required=False, trim_whitespace=False)
    reason = serializers.CharField(max_length=2000, required=False, default="")
    number = serializers.CharField(max_length=60, required=False, default="", allow_blank=True)

    def validate(self, data: dict[str, Any]) -> dict[str, Any]:
        """Take one of both."""
        if bool(data.get("jobs")) == bool(data.get("text")):
            raise serializers.ValidationError("Name jobs, or give a text: exactly one of both.")
        return data


class CustodyRecordSerializer(serializers.ModelSerializer[CustodyRecord]):
    """One copy of one version of a password."""

    class Meta:
        model = CustodyRecord
        fields = (
            "id",
            "version",
            "medium",
            "place",
            "offsite",
            "offline",
            "custodian",
            "person",
            "stated_at",
        )
        read_only_fields = fields


class ProveSerializer(Strict):
    """The password, typed from the copy."""

    password = serializers.CharField(max_length=1024, trim_whitespace=False, write_only=True)


class CustodyProofSerializer(serializers.ModelSerializer[CustodyProof]):
    """A proof, as far as the worker has judged it."""

    class Meta:
        model = CustodyProof
        fields = ("id", "record", "drill", "found", "offered_at", "judged_at")
        read_only_fields = fields


class Cases(IdempotentPosts, generics.ListAPIView[RecoveryCase]):
    """List recovery cases of both sides, and begin one."""

    serializer_class = CaseSerializer
    permission_classes = (IsAuthenticated, SeesPasswords)
    queryset = RecoveryCase.objects.none()

    def get_queryset(self) -> QuerySet[RecoveryCase]:
        """Return what the account may see."""
        return _seen(asker(self.request))

    @extend_schema(request=NewCaseSerializer, responses={201: CaseSerializer})
    def post(self, request: Request) -> Response:
        """Have a request made for jobs, or take one that was carried here."""
        data = NewCaseSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        given, by = data.validated_data, asker(request)
        if given.get("text"):
            made = answers.receive(given["text"], by=by, number=given["number"])
        else:
            made = cases.ask(given["jobs"], by=by, reason=given["reason"], number=given["number"])
        return Response(CaseSerializer(made).data, status=status.HTTP_201_CREATED)


class CaseText(APIView):
    """What is to be carried: the request of a case, or its response."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(responses=TextSerializer)
    def get(self, request: Request, row: UUID) -> Response:
        """Return it; a response only to who runs the Enterprise Manager."""
        by = asker(request)
        case = _seen(by).filter(pk=row).first()
        if case is None:
            raise NotFound
        if case.side == RecoveryCase.Side.BACKUP:
            return Response({"text": cases.text_of(case)})
        keysets.check_may_ask(by)
        return Response({"text": answers.text_of(case)})


class CaseResponse(IdempotentPosts, APIView):
    """The response to a case of the backup side."""

    permission_classes = (IsAuthenticated, SeesPasswords)

    @extend_schema(request=TextSerializer, responses={202: CaseSerializer})
    def post(self, request: Request, row: UUID) -> Response:
        """Take it; the worker opens the keys."""
        data = TextSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        by = asker(request)
        if not cases.visible(by).filter(pk=row).exists():
            raise NotFound
        case = cases.offer_response(row, data.validated_data["text"], by=by)
        return Response(CaseSerializer(case).data, status=status.HTTP_202_ACCEPTED)


class Custody(generics.ListAPIView[CustodyRecord]):
    """Copies of passwords: all for who sees passwords, else one's own."""

    serializer_class = CustodyRecordSerializer
    queryset = CustodyRecord.objects.none()
    cursor_ordering = "-stated_at"

    def get_queryset(self) -> QuerySet[CustodyRecord]:
        """Return what the account may see."""
        by = asker(self.request)
        if by.has_perm("encryption.view_encryptionpassword"):
            return CustodyRecord.objects.filter(ended_at=None)
        return selectors.custody_for(by)


class Prove(IdempotentPosts, APIView):
    """A custodian's proof."""

    @extend_schema(request=ProveSerializer, responses={202: CustodyProofSerializer})
    def post(self, request: Request, record_id: UUID) -> Response:
        """Take what was typed; the worker compares it."""
        data = ProveSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        proof = custody.prove(record_id, data.validated_data["password"], by=asker(request))
        return Response(CustodyProofSerializer(proof).data, status=status.HTTP_202_ACCEPTED)


def _seen(by: User) -> QuerySet[RecoveryCase]:
    mine = cases.visible(by)
    if by.is_security or by.has_role(Role.ENTERPRISE) or by.has_role(Role.AUDITOR):
        return mine | RecoveryCase.objects.filter(side=RecoveryCase.Side.ENTERPRISE)
    return mine
