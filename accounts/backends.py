"""Where Django's permissions come from: live roles and the seat, never groups or permission rows."""

from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import rules
from accounts.models import User


class RoleBackend:
    """Maps roles to permissions by `rules.PERMISSIONS`; it signs nobody in and opens no session."""

    def authenticate(self, request: HttpRequest | None) -> None:
        """Nobody; Django asks every backend, and passes by one that takes no credentials."""

    def get_user_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Any = None) -> set[str]:
        """Return what the account's roles give everywhere; they say nothing about one object alone."""
        if not isinstance(user_obj, User):
            return set()
        return set(rules.permissions(user_obj.facts()))

    def get_all_permissions(self, user_obj: AbstractBaseUser | AnonymousUser, obj: Any = None) -> set[str]:
        """Return the same: there are no groups."""
        return self.get_user_permissions(user_obj, obj)

    def has_perm(self, user_obj: AbstractBaseUser | AnonymousUser, perm: str, obj: Any = None) -> bool:
        """Say yes by roles; a no is final, save for one object, about which guardian's rows are asked.

        PermissionDenied stops Django before the next backend, which reads groups and permission rows.
        """
        if perm in self.get_user_permissions(user_obj, obj):
            return True
        if obj is None:
            raise PermissionDenied
        return False

    def has_module_perms(self, user_obj: AbstractBaseUser | AnonymousUser, app_label: str) -> bool:
        """Say whether any permission of an app is held; the console asks this for its index."""
        if any(name.startswith(f"{app_label}.") for name in self.get_user_permissions(user_obj)):
            return True
        raise PermissionDenied
