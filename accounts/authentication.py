"""Bearer tokens: hashed at rest, expiring, with scopes; apart from views, for DRF's settings name it."""

from datetime import timedelta
from hmac import compare_digest

from django.utils import timezone
from knox.auth import TokenAuthentication as KnoxAuthentication
from knox.crypto import hash_token
from knox.settings import CONSTANTS
from rest_framework import exceptions

from accounts.models import ApiToken, User
from accounts.selectors import is_suspended

# One write a minute and token is enough to say when it was last used.
USED_EVERY = timedelta(minutes=1)
REFUSED = "This token is not valid."


class TokenAuthentication(KnoxAuthentication):
    """Bearer tokens: hashed at rest, expiring, with scopes; an empty scope opens nothing."""

    scope = "api"

    def authenticate_credentials(self, token: bytes) -> tuple[User, ApiToken]:
        """Return the account and its token; one text for every refusal."""
        try:
            text = token.decode("ascii")
        except UnicodeDecodeError as error:
            raise exceptions.AuthenticationFailed(REFUSED) from error
        digest, now = hash_token(text), timezone.now()
        rows = ApiToken.objects.filter(token_key=text[: CONSTANTS.TOKEN_KEY_LENGTH]).select_related(
            "user__person"
        )
        found = next((row for row in rows if compare_digest(row.digest, digest)), None)
        if found is None or found.expiry is None or found.expiry <= now:
            raise exceptions.AuthenticationFailed(REFUSED)
        if not found.user.is_active or self.scope not in found.scopes or is_suspended(found.user):
            raise exceptions.AuthenticationFailed(REFUSED)
        if found.last_used_at is None or found.last_used_at < now - USED_EVERY:
            ApiToken.objects.filter(pk=found.pk).update(last_used_at=now)
        return found.user, found


class MetricsAuthentication(TokenAuthentication):
    """Tokens for the metrics page alone."""

    scope = "metrics"
