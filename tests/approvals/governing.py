"""What tests of requests about people and rules share."""

from typing import Any

from accounts.models import Role, SecurityMember, User
from approvals.models import ApprovalRequest
from approvals.services import requests
from tests.accounts import factories


def candidate(name: str = "nora", role: Role | None = Role.AUDITOR) -> User:
    """Somebody who has signed in and set up a second factor."""
    user = factories.make_user(name, role=role)
    factories.add_totp(user)
    return user


def seat(user: User) -> SecurityMember:
    """The live seat of an account."""
    return SecurityMember.objects.get(user=user, until=None)


def asked(kind: str, by: User, **fields: Any) -> ApprovalRequest:
    """Ask for a change of people or rules."""
    return requests.ask(kind, by=by, **({"reason": "The house has changed."} | fields))
