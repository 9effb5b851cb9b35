"""The API of people: who one is, who sits in Security; bearer tokens; idempotent POSTs for every app."""

import json
from typing import Any

from rest_framework import exceptions, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from accounts import rules, selectors
from accounts.authentication import MetricsAuthentication, TokenAuthentication
from accounts.models import SecurityMember, User
from accounts.services import idempotency

__all__ = ["IdempotentPosts", "MetricsAuthentication", "TokenAuthentication"]


class _Replay(exceptions.APIException):
    def __init__(self, answer: idempotency.Answer) -> None:
        super().__init__()
        self.answer = answer


class IdempotentPosts(APIView):
    """For views whose POST creates: one with an Idempotency-Key is done once; its answer is given again."""

    _claimed: Any = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After all permissions, take the key or stop with the answer of before."""
        super().initial(request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        if request.method != "POST" or key is None:
            return
        taken = idempotency.claim(
            person=_user(request).person, key=key, route=request.path[:200], body=request.data
        )
        if isinstance(taken, idempotency.Answer):
            raise _Replay(taken)
        self._claimed = taken

    def handle_exception(self, exc: Exception) -> Response:
        """Give the answer of before; free the key when the work broke."""
        if isinstance(exc, _Replay):
            return Response(exc.answer.body, exc.answer.status, headers={"Idempotent-Replayed": "true"})
        try:
            return super().handle_exception(exc)
        except BaseException:
            if self._claimed is not None:
                idempotency.release(self._claimed)
            raise

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep the answer that is about to go out."""
        response = super().finalize_response(request, response, *args, **kwargs)
        if self._claimed is not None:
            claimed, self._claimed = self._claimed, None
            data = getattr(response, "data", None)
            idempotency.settle(claimed, status=response.status_code, body=_plain(response, data))
        return response


def _plain(response: Any, data: Any) -> Any:
    # Through the renderer: what is kept is what was sent, dates and ids as text.
    return json.loads(response.accepted_renderer.render(data)) if data is not None else None


class MeSerializer(serializers.Serializer[User]):
    """Who one is."""

    id = serializers.UUIDField()
    username = serializers.CharField()
    person = serializers.UUIDField(source="person_id")
    name = serializers.CharField(source="person.name")
    office = serializers.SerializerMethodField()
    is_human = serializers.BooleanField()
    roles = serializers.SerializerMethodField()
    security = serializers.SerializerMethodField()
    must_enrol = serializers.SerializerMethodField()
    permissions = serializers.SerializerMethodField()

    def get_office(self, user: User) -> str:
        """Return the name with its office, as pages show it."""
        return selectors.user_label(user)

    def get_roles(self, user: User) -> list[str]:
        """Return the live roles."""
        return sorted(user.facts().roles)

    def get_security(self, user: User) -> str | None:
        """Return the title of the seat, if it is active."""
        facts = user.facts()
        return facts.security_title if facts.is_security else None

    def get_must_enrol(self, user: User) -> bool:
        """Say whether a second factor is missing."""
        return selectors.must_enrol(user)

    def get_permissions(self, user: User) -> list[str]:
        """Return what roles and seat allow everywhere."""
        return sorted(rules.permissions(user.facts()))


class MemberSerializer(serializers.Serializer[SecurityMember]):
    """One seat."""

    id = serializers.UUIDField()
    user = serializers.UUIDField(source="user_id")
    person = serializers.UUIDField(source="person_id")
    name = serializers.CharField(source="person.name")
    title = serializers.CharField()
    since = serializers.DateTimeField()
    active = serializers.SerializerMethodField()
    suspended_at = serializers.DateTimeField(allow_null=True)

    def get_active(self, seat: SecurityMember) -> bool:
        """Say whether the seat may decide."""
        return seat.user.is_active and not seat.is_suspended()


class SecurityRoleSerializer(serializers.Serializer[Any]):
    """The role with its live seats."""

    sealed_at = serializers.DateTimeField(allow_null=True)
    roster = serializers.IntegerField(allow_null=True)
    members = MemberSerializer(many=True)


class Me(APIView):
    """The account that asks."""

    serializer_class = MeSerializer

    def get(self, request: Request) -> Response:
        """Return it."""
        return Response(MeSerializer(_user(request)).data)


class SecurityRoleView(APIView):
    """The Security Role; every signed-in account may know who decides."""

    serializer_class = SecurityRoleSerializer

    def get(self, request: Request) -> Response:
        """Return its seats."""
        newest = selectors.newest_roster()
        role = {
            "sealed_at": selectors.sealed_at(),
            "roster": newest.number if newest else None,
            "members": list(selectors.security_members(active=False)),
        }
        return Response(SecurityRoleSerializer(role).data)


def _user(request: Request) -> User:
    if not isinstance(request.user, User):
        raise exceptions.NotAuthenticated
    return request.user
