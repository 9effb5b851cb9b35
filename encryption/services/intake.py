"""How a secret comes in: judged and sealed as it arrives, opened by the worker alone (P9)."""

from collections.abc import Iterable
from uuid import UUID

from django.conf import settings
from django.views.decorators.debug import sensitive_variables

from encryption import rules
from encryption.crypto import providers, seal, secret
from encryption.crypto.secret import Secret


@sensitive_variables("text", "taken")
def check_new(text: str, *, hints: Iterable[str] = ()) -> Secret:
    """Return a new encryption password as it will be used; `hints` are names to keep out of it.

    Raises PasswordRefused, which says what is wrong with it.
    """
    taken = secret.check_password(text)
    judge(taken, hints=hints)
    return taken


@sensitive_variables("taken", "former")
def judge(taken: Secret, *, hints: Iterable[str] = (), former: Secret | None = None) -> int:
    """Return the strength (0..4) of a new password. Raises PasswordRefused when it may not be one."""
    found = secret.strength(taken, tuple(hints))
    rules.check_new_password(
        length=len(taken.reveal().decode()),
        score=found.score,
        reasons=found.reasons,
        same_as_old=former is not None and taken == former,
    )
    return found.score


@sensitive_variables("value", "taken")
def seal_for(owner: UUID, value: Secret | str) -> bytes:
    """Return a secret sealed to the worker's intake key for one request or object; nobody else opens it."""
    taken = secret.check_password(value) if isinstance(value, str) else value
    public = providers.load_intake_public(settings.PUBLIC_KEYS)
    return seal.seal_intake(public, taken.reveal(), seal.intake_info(owner))


def open_for(owner: UUID, sealed: bytes) -> Secret:
    """Return what was sealed for this owner, in the worker. Raises SealBroken, KeyMaterialError."""
    private = providers.load_intake_private(settings.WORKER_KEYS)
    return Secret(seal.open_intake(private, sealed, seal.intake_info(owner)))
