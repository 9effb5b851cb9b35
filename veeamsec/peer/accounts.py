"""Who may sign in at the server, with which role; and the tokens that it gave."""

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4, uuid5

from veeamsec.peer.answers import Refusal
from veeamsec.peer.clock import Clock

ADMINISTRATOR = "Backup Administrator"
SECURITY = "Security Administrator"
BACKUP_OPERATOR = "Backup Operator"
RESTORE_OPERATOR = "Restore Operator"
VIEWER = "Backup Viewer"
TAPE_OPERATOR = "Tape Operator"
INCIDENT = "Incident API Operator"
BUILT_IN = (ADMINISTRATOR, SECURITY, BACKUP_OPERATOR, RESTORE_OPERATOR, VIEWER, TAPE_OPERATOR, INCIDENT)

ALL = frozenset(BUILT_IN)
ADMINISTRATORS = frozenset({ADMINISTRATOR})
GUARDS = frozenset({ADMINISTRATOR, SECURITY})
OPERATORS = frozenset({ADMINISTRATOR, BACKUP_OPERATOR})
KEEPERS = frozenset({ADMINISTRATOR, BACKUP_OPERATOR, SECURITY})
RESTORERS = frozenset({ADMINISTRATOR, BACKUP_OPERATOR, RESTORE_OPERATOR})
VIEWERS = RESTORERS | {VIEWER}
READERS = VIEWERS | {SECURITY}

_ROLES = UUID("5d0a39a5-3f51-4c1b-9c44-6a60e9a4b6c1")
REFRESH_DAYS = 14


@dataclass
class Account:
    """A user of the server; its password is a test's value and is never shown."""

    name: str
    role: str
    password: str = field(default_factory=lambda: secrets.token_urlsafe(18), repr=False)
    service: bool = False
    mfa: bool = False
    id: str = field(default_factory=lambda: str(uuid4()))


@dataclass
class Token:
    """What a sign-in gave; each half is found by its own secret."""

    account: Account
    access: str = field(repr=False)
    refresh: str = field(repr=False)
    until: datetime
    refresh_until: datetime


@dataclass
class Tokens:
    """The tokens in force. `lifetime` is what `expires_in` says."""

    clock: Clock
    lifetime: int = 900
    given: list[Token] = field(default_factory=list)

    def issue(self, account: Account) -> dict[str, Any]:
        """A new pair, as the API tells it."""
        now = self.clock.now()
        until = now + timedelta(seconds=self.lifetime)
        token = Token(
            account,
            secrets.token_urlsafe(48),
            secrets.token_urlsafe(48),
            until,
            now + timedelta(days=REFRESH_DAYS),
        )
        self.given.append(token)
        return {
            "access_token": token.access,
            "token_type": "bearer",
            "refresh_token": token.refresh,
            "expires_in": self.lifetime,
            ".issued": self.clock.told(now),
            ".expires": self.clock.told(until),
        }

    def renew(self, refresh: str) -> dict[str, Any]:
        """A new pair for a refresh token, which is used up. Raises Refusal (401)."""
        token = next((one for one in self.given if secrets.compare_digest(one.refresh, refresh)), None)
        if token is None:
            raise Refusal(401, "InvalidToken", "The refresh token is not valid.")
        self.given.remove(token)
        if token.refresh_until <= self.clock.now():
            raise Refusal(401, "ExpiredToken", "The refresh token has expired.")
        return self.issue(token.account)

    def holder(self, access: str) -> Account:
        """Whose access token this is. Raises Refusal (401)."""
        token = next((one for one in self.given if secrets.compare_digest(one.access, access)), None)
        if token is None:
            raise Refusal(401, "InvalidToken", "The access token is not valid.")
        if token.until <= self.clock.now():
            raise Refusal(401, "ExpiredToken", "The access token has expired.")
        return token.account

    def end(self, access: str) -> None:
        """Sign out: both halves are void."""
        self.given = [one for one in self.given if one.access != access]

    def expire(self) -> None:
        """Let every access token run out now; refresh tokens stay."""
        for token in self.given:
            token.until = self.clock.now()

    def forget(self) -> None:
        """Make everything that was given invalid, as a restart of the service does."""
        self.given.clear()


def role_model(role: str, prefix: str) -> dict[str, Any]:
    """A built-in role as the API tells it."""
    return {
        "id": str(uuid5(_ROLES, role)),
        "name": prefix + role,
        "description": f"Built-in role {role}",
        "isBuiltIn": True,
    }


def user_model(account: Account, prefix: str) -> dict[str, Any]:
    """An account as the API tells it."""
    return {
        "id": account.id,
        "name": account.name,
        "type": "InternalUser",
        "roles": [role_model(account.role, prefix)],
        "isServiceAccount": account.service,
        "mfaEnabled": account.mfa,
    }
