"""Signing in by OpenID Connect, where an installation names its provider; off without a name.

An identity opens an account that its owner has connected before, after a sign-in of their own with their
factor. It makes no account and no role: groups propose, people grant.
"""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from veeamsec.environment import env

PROVIDER = "house"
# Where nobody listens on the way.
HERE = frozenset({"127.0.0.1", "localhost"})
ISSUER = env.str("VEEAMSEC_OIDC_ISSUER", "").rstrip("/")


def providers() -> dict[str, Any]:
    """Return allauth's providers: none, or the one of VEEAMSEC_OIDC_ISSUER.

    The client's secret is read from a file (VEEAMSEC_OIDC_SECRET_FILE): an environment is shown too easily.
    ImproperlyConfigured for an issuer that is reached without TLS, save on this machine itself.
    """
    if not ISSUER:
        return {}
    parts = urlsplit(ISSUER)
    if not parts.hostname or (parts.scheme != "https" and parts.hostname not in HERE):
        raise ImproperlyConfigured("VEEAMSEC_OIDC_ISSUER is an https:// address.")
    secret = env.str("VEEAMSEC_OIDC_SECRET_FILE", "")
    app = {
        "provider_id": PROVIDER,
        "name": env.str("VEEAMSEC_OIDC_NAME", "single sign-on"),
        "client_id": env.str("VEEAMSEC_OIDC_CLIENT", "veeamsec"),
        "secret": Path(secret).read_text().strip() if secret else "",
        "settings": {"server_url": ISSUER, "oauth_pkce_enabled": True},
    }
    return {"openid_connect": {"APPS": [app]}}


def form_targets() -> list[str]:
    """Return where the sign-in form may lead besides here: a browser checks redirects of forms too."""
    parts = urlsplit(ISSUER)
    return [f"{parts.scheme}://{parts.netloc}"] if ISSUER else []


def proposals() -> dict[str, str]:
    """Return which group proposes which role: VEEAMSEC_OIDC_GROUPS, `group=role,group=role`."""
    return dict(env.dict("VEEAMSEC_OIDC_GROUPS", default={}))
