"""The API of people: who one is, one's own tokens, everybody's roles, and suspending a member of Security."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import exceptions, generics, status
from rest_framework.authentication import SessionAuthentication
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import rules, selectors
from accounts.api.idempotent import IdempotentPosts
from accounts.api.serializers import (
    ConfirmedSerializer,
    DoubtSerializer,
    MadeTokenSerializer,
    MemberChallengeSerializer,
    MemberSerializer,
    MeSerializer,
    NewTokenSerializer,
    NonceSerializer,
    PersonLineSerializer,
    SuspendSerializer,
    TokenSerializer,
)
from accounts.errors import NotEligible
from accounts.models import ApiToken, SecurityMember, User
from accounts.services import suspensions, tokens
from accounts.services.stepup import StepUp


class Me(APIView):
    """The account that asks."""

    serializer_class = MeSerializer

    def get(self, request: Request) -> Response:
        """Return it."""
        return Response(MeSerializer(user_of(request)).data)


class PeopleView(generics.ListAPIView[Any]):
    """Every account with its roles, for who may see people."""

    queryset = User.objects.all()
    serializer_class = PersonLineSerializer
    cursor_ordering = "username"

    def get_queryset(self) -> QuerySet[User]:
        """Return the accounts; refuse who may not see them."""
        if "accounts.view_person" not in rules.permissions(user_of(self.request).facts()):
            raise NotEligible("Administrators, auditors and Security see people.")
        return User.objects.select_related("person")

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Read what belongs to a page of accounts at once."""
        if args and kwargs.get("many"):
            args = (selectors.person_lines(args[0]), *args[1:])
        return super().get_serializer(*args, **kwargs)


class TokensView(IdempotentPosts, generics.ListAPIView[Any]):
    """One's own tokens, the newest first, without their text."""

    shown_once = frozenset({"token"})
    queryset = ApiToken.objects.all()
    serializer_class = TokenSerializer
    cursor_ordering = "-created"

    def get_queryset(self) -> QuerySet[ApiToken]:
        """Return those of the account that asks."""
        return tokens.rows_of(user_of(self.request))

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """Show of a page of rows what is shown of tokens."""
        if args and kwargs.get("many"):
            args = (tokens.shown(args[0]), *args[1:])
        return super().get_serializer(*args, **kwargs)

    @extend_schema(request=NewTokenSerializer, responses={201: MadeTokenSerializer})
    def post(self, request: Request) -> Response:
        """Make one, at a browser; its text is shown this once."""
        fields = read(NewTokenSerializer, request)
        made, text = tokens.create_own(by=user_of(request), interactive=is_interactive(request), **fields)
        body = TokenSerializer(made).data | {"token": text}
        return Response(body, status=status.HTTP_201_CREATED)


class TokenView(APIView):
    """One of one's own tokens."""

    @extend_schema(responses={204: None})
    def delete(self, request: Request, reference: UUID) -> Response:
        """Revoke it at once."""
        tokens.revoke(reference, by=user_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


class MemberChallengeView(APIView):
    """The first half of an act on a seat."""

    throttle_scope = "decisions"

    @extend_schema(request=MemberChallengeSerializer, responses=NonceSerializer)
    def post(self, request: Request, member_id: UUID) -> Response:
        """Begin the step-up for suspending, confirming or lifting."""
        fields = read(MemberChallengeSerializer, request)
        begun = suspensions.challenge(
            member_id, by=user_of(request), interactive=is_interactive(request), **fields
        )
        return Response(NonceSerializer(begun).data)


class SuspendView(APIView):
    """Stopping a member."""

    throttle_scope = "decisions"

    @extend_schema(request=SuspendSerializer, responses=MemberSerializer)
    def post(self, request: Request, member_id: UUID) -> Response:
        """Suspend at once; it ends after 72 hours unless a third member confirms it."""
        fields = _confirmed(SuspendSerializer, request, {"reason": ""})
        suspensions.suspend(member_id, by=user_of(request), **fields)
        return _member(member_id)


class ConfirmView(APIView):
    """A third member's word."""

    throttle_scope = "decisions"

    @extend_schema(request=ConfirmedSerializer, responses=MemberSerializer)
    def post(self, request: Request, member_id: UUID) -> Response:
        """Let a suspension last until two members lift it."""
        suspensions.confirm(member_id, by=user_of(request), **_confirmed(ConfirmedSerializer, request, {}))
        return _member(member_id)


class LiftView(APIView):
    """Ending a suspension."""

    throttle_scope = "decisions"

    @extend_schema(request=ConfirmedSerializer, responses=MemberSerializer)
    def post(self, request: Request, member_id: UUID) -> Response:
        """Say that it should end; the second member who says so ends it."""
        suspensions.lift(member_id, by=user_of(request), **_confirmed(ConfirmedSerializer, request, {}))
        return _member(member_id)


class DoubtView(APIView):
    """The alarm about a member."""

    @extend_schema(request=DoubtSerializer, responses={204: None})
    def post(self, request: Request, member_id: UUID) -> Response:
        """Raise it: all that an administrator may do."""
        suspensions.doubt(member_id, by=user_of(request), **read(DoubtSerializer, request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def user_of(request: Request) -> User:
    """Return the account that asks."""
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user


def is_interactive(request: Request) -> bool:
    """Say whether a browser's session, with its check of the CSRF token, let this request in."""
    return isinstance(request.successful_authenticator, SessionAuthentication)


def read(serializer: type[Any], request: Request) -> dict[str, Any]:
    """Return the checked fields of a body."""
    given = serializer(data=request.data)
    given.is_valid(raise_exception=True)
    fields: dict[str, Any] = given.validated_data
    return fields


def _confirmed(serializer: type[Any], request: Request, empty: dict[str, Any]) -> dict[str, Any]:
    # Before the body is looked at: a token is refused whatever it sends.
    if not is_interactive(request):
        return empty | {"step_up": StepUp(""), "interactive": False}
    fields = read(serializer, request)
    step_up = StepUp(fields.pop("nonce"), **fields.pop("step_up"))
    return fields | {"step_up": step_up, "interactive": True}


def _member(member_id: UUID) -> Response:
    seat = SecurityMember.objects.select_related("person", "user").get(pk=member_id)
    return Response(MemberSerializer(seat).data)
