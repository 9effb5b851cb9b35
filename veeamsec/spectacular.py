"""How the API's documentation names its bearer tokens."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Knox's tokens with our prefix, and our own class of them."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "bearer"
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The OpenAPI form of the scheme."""
        return {"type": "http", "scheme": "bearer"}
