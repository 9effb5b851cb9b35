"""Who there is: persons, their accounts and roles, the Security Role and its signed roster, ways in."""

from accounts.models.access import ApiToken, EnrolmentLink, IdempotencyKey, KnownDevice, Notice
from accounts.models.people import Person, Role, RoleGrant, User
from accounts.models.security import (
    CredentialEnrolment,
    Roster,
    SecurityMember,
    SecurityRole,
    Suspension,
    SuspensionVoice,
    Title,
)

__all__ = [
    "ApiToken",
    "CredentialEnrolment",
    "EnrolmentLink",
    "IdempotencyKey",
    "KnownDevice",
    "Notice",
    "Person",
    "Role",
    "RoleGrant",
    "Roster",
    "SecurityMember",
    "SecurityRole",
    "Suspension",
    "SuspensionVoice",
    "Title",
    "User",
]
