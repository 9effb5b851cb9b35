"""Second factors at rest and in use: the key of their secrets, and that a TOTP code is good once."""

import base64
import os
import tempfile
import time
from functools import lru_cache
from pathlib import Path

from allauth.mfa.models import Authenticator
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from accounts import rules, selectors
from accounts.errors import StepUpRequired
from accounts.models import User
from accounts.totp import matching_step

KEY_FILE = "factors.key"
KEY_LENGTH = 32
NONCE_LENGTH = 12
PREFIX = "1:"
ASSOCIATED = b"veeamsec/1|allauth.mfa.authenticator|secret"


def make_factor_key(folder: Path) -> Path:
    """Make the key of factor secrets unless it is there (0600); return its path."""
    path = folder / KEY_FILE
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    handle, part = tempfile.mkstemp(dir=folder)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(os.urandom(KEY_LENGTH))
            file.flush()
            os.fsync(file.fileno())
        # A link never replaces: of two first starts at once, one key stays.
        os.link(part, path)
    except FileExistsError:
        pass
    finally:
        Path(part).unlink()
    return path


def encrypt(text: str) -> str:
    """Return a factor's secret as it may rest in the database (AES-256-GCM)."""
    nonce = os.urandom(NONCE_LENGTH)
    sealed = AESGCM(_key(settings.WEB_KEYS)).encrypt(nonce, text.encode(), ASSOCIATED)
    return PREFIX + base64.b64encode(nonce + sealed).decode()


def decrypt(stored: str) -> str:
    """Return the secret again; ValueError when it was not stored by us or was altered."""
    if not stored.startswith(PREFIX):
        raise ValueError("a factor's secret is stored in no known form")
    raw = base64.b64decode(stored.removeprefix(PREFIX), validate=True)
    try:
        return (
            AESGCM(_key(settings.WEB_KEYS))
            .decrypt(raw[:NONCE_LENGTH], raw[NONCE_LENGTH:], ASSOCIATED)
            .decode()
        )
    except InvalidTag as error:
        raise ValueError("a factor's secret was altered, or its key is another") from error


def use_totp(user: User, code: str) -> None:
    """Accept a code of the user's app once, for sign-in and decisions together; StepUpRequired otherwise.

    One conditional UPDATE uses the step up: of two tries at once one wins, and no older code comes back.
    """
    factor = Authenticator.objects.filter(user_id=user.pk, type=Authenticator.Type.TOTP).first()
    if factor is None:
        raise StepUpRequired("This account has no authenticator app.")
    step = matching_step(decrypt(factor.data["secret"]), code, time.time())
    if step is None:
        raise StepUpRequired("That code is not right. Type the one your app shows now.")
    spend_step(user, step)
    factor.record_usage()


def spend_step(user: User, step: int) -> None:
    """Use up a step and all before it, or raise StepUpRequired when it was used already."""
    if not User.objects.filter(pk=user.pk, totp_last_step__lt=step).update(totp_last_step=step):
        raise StepUpRequired("This code was used already: wait for the next code.")


def may_remove(factor: Authenticator) -> bool:
    """Say whether a factor may go: not the last one of an account that must have one."""
    if factor.type == Authenticator.Type.RECOVERY_CODES:
        return True
    others = Authenticator.objects.filter(user_id=factor.user_id, type__in=selectors.FACTORS).exclude(
        pk=factor.pk
    )
    user = User.objects.get(pk=factor.user_id)
    needed = rules.must_enrol(user.facts(), has_factor=False, founding=selectors.is_founding(user))
    return others.exists() or not needed


@lru_cache(maxsize=4)
def _key(folder: Path) -> bytes:
    path = make_factor_key(folder)
    if path.stat().st_mode & 0o077:
        raise ImproperlyConfigured(f"{path}: others can read it; chmod 600")
    key = path.read_bytes()
    if len(key) != KEY_LENGTH:
        raise ImproperlyConfigured(f"{path}: {len(key)} bytes, not {KEY_LENGTH}")
    return key
