"""Repositories."""

from typing import Any, ClassVar
from uuid import UUID

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response

from accounts.api import IdempotentPosts
from accounts.exchange import Strict
from accounts.models import User
from encryption import selectors
from encryption.api.editing import Edited, tagged
from encryption.api.filters import RepositoryFilter
from encryption.errors import Unknown
from encryption.models import Repository
from encryption.services import jobs


def asker(request: Request) -> User:
    """Return the account behind a request; anonymous never comes this far."""
    assert isinstance(request.user, User)  # noqa: S101 - DRF's default permission lets nobody else in
    return request.user


class RepositorySerializer(Strict, serializers.ModelSerializer[Repository]):
    """A place for backups."""

    class Meta:
        model = Repository
        fields = (
            "id",
            "name",
            "engine",
            "location",
            "media",
            "offsite",
            "offline",
            "immutable",
            "created_at",
        )
        read_only_fields = ("id", "engine", "created_at")
        # Uniqueness is the service's to refuse, in the same words everywhere.
        extra_kwargs: ClassVar[dict[str, Any]] = {"name": {"validators": []}}


class Repositories(IdempotentPosts, generics.ListAPIView[Repository]):
    """List and make repositories."""

    serializer_class = RepositorySerializer
    filterset_class = RepositoryFilter
    queryset = Repository.objects.none()

    def get_queryset(self) -> QuerySet[Repository]:
        """Return what the account may see."""
        return selectors.repositories_for(asker(self.request))

    @extend_schema(responses={201: RepositorySerializer})
    def post(self, request: Request) -> Response:
        """Make one."""
        data = RepositorySerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = jobs.create_repository(by=asker(request), **data.validated_data)
        return tagged(made, Response(RepositorySerializer(made).data, status=status.HTTP_201_CREATED))


class RepositoryDetail(Edited):
    """One repository."""

    serializer_class = RepositorySerializer

    def get(self, request: Request, repository_id: UUID) -> Response:
        """Return it."""
        found = _find(request, repository_id)
        return tagged(found, Response(RepositorySerializer(found).data))

    def patch(self, request: Request, repository_id: UUID) -> Response:
        """Change it."""
        found, seen = _find(request, repository_id), self.seen(request)
        data = RepositorySerializer(found, data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        changed = jobs.change_repository(found.pk, by=asker(request), seen=seen, **data.validated_data)
        return tagged(changed, Response(RepositorySerializer(changed).data))

    @extend_schema(responses={204: None})
    def delete(self, request: Request, repository_id: UUID) -> Response:
        """Forget it, if no job uses it."""
        found = _find(request, repository_id)
        jobs.delete_repository(found.pk, by=asker(request), seen=self.seen(request))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _find(request: Request, repository_id: UUID) -> Repository:
    found = selectors.repositories_for(asker(request)).filter(pk=repository_id).first()
    if found is None:
        raise Unknown("There is no such repository, or it is not yours to see.")
    return found
