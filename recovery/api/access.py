"""Who may see what recovers a password, and who asks."""

from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.views import APIView

from accounts.models import User


def asker(request: Request) -> User:
    """Return the account behind a request; anonymous never comes this far."""
    assert isinstance(request.user, User)  # noqa: S101 - DRF's default permission lets nobody else in
    return request.user


class SeesPasswords(BasePermission):
    """Who may see passwords by their hints may see what recovers them."""

    message = "This is for other roles than yours."

    def has_permission(self, request: Request, view: APIView) -> bool:
        """Ask the account's role."""
        return asker(request).has_perm("encryption.view_encryptionpassword")
