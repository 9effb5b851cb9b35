"""How the API describes itself, beyond what its views say: tokens, headers, problems, examples."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from accounts.api import IdempotentPosts
from encryption.api.editing import Edited
from veeamsec.errors import ANSWERS, PROBLEM_JSON
from veeamsec.examples import EXAMPLES

# What every operation may answer, whoever asks; then what only those with a body, or with an ETag.
EVERYWHERE = (
    "invalid",
    "not_authenticated",
    "permission_denied",
    "not_found",
    "not_acceptable",
    "throttled",
    "internal",
)
WITH_BODY = ("too_large", "unsupported_media_type", "stale", "unavailable")
WITH_ETAG = ("precondition_failed", "precondition_required")
METHODS = frozenset({"get", "post", "put", "patch", "delete"})


class BearerScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Knox's tokens with our prefix, and our own class of them."""

    target_class = "accounts.authentication.TokenAuthentication"
    name = "bearer"
    match_subclasses = True

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        """The OpenAPI form of the scheme."""
        return {"type": "http", "scheme": "bearer"}


class Schema(AutoSchema):
    """Describes the headers that views share."""

    def get_override_parameters(self) -> list[Any]:
        """Name the Idempotency-Key of what creates and the ETag of what is edited."""
        found: list[Any] = []
        if self.method == "POST" and isinstance(self.view, IdempotentPosts):
            found.append(
                OpenApiParameter(
                    "Idempotency-Key",
                    {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
                    OpenApiParameter.HEADER,
                    description="Sent again with the same body within a day, it gets the same answer.",
                )
            )
        if self.method in ("PATCH", "DELETE") and isinstance(self.view, Edited):
            found.append(
                OpenApiParameter(
                    "If-Match",
                    str,
                    OpenApiParameter.HEADER,
                    # Without it the answer is 428, which a client may want to see.
                    description="The ETag that the edit was made from, or `*`.",
                )
            )
        if isinstance(self.view, Edited) and self.method in ("GET", "PATCH"):
            found.append(
                OpenApiParameter(
                    "ETag",
                    str,
                    OpenApiParameter.HEADER,
                    description="Names the state, for If-Match.",
                    response=[200],
                )
            )
        return found


def finish(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add the problems that each operation may answer, and the examples; a hook of drf-spectacular."""
    result["components"]["schemas"]["Problem"] = PROBLEM
    for item in result["paths"].values():
        for method, operation in item.items():
            if method in METHODS:
                _add_problems(method, operation)
                _add_examples(operation)
    return result


def _add_problems(method: str, operation: dict[str, Any]) -> None:
    codes = [*EVERYWHERE]
    if method != "get":
        codes += WITH_BODY
    if any(parameter["name"] == "If-Match" for parameter in operation.get("parameters", ())):
        codes += WITH_ETAG
    for code in codes:
        told = ANSWERS[code]
        operation["responses"].setdefault(str(int(told.status)), _problem(code))


def _problem(code: str) -> dict[str, Any]:
    told = ANSWERS[code]
    example = {
        "type": f"urn:veeamsec:problem:{code}",
        "title": told.title,
        "status": int(told.status),
        "code": code,
        "reference": "5f2c9a01",
    }
    content = {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}}
    answer: dict[str, Any] = {"description": told.title, "content": content}
    if code == "throttled":
        seconds = {"schema": {"type": "integer"}, "description": "Seconds to wait."}
        answer["headers"] = {"Retry-After": seconds}
    return answer


def _add_examples(operation: dict[str, Any]) -> None:
    for name, value in EXAMPLES.get(operation["operationId"], {}).items():
        media = operation["requestBody"]["content"]["application/json"]
        media.setdefault("examples", {})[name] = {"value": value}


PROBLEM = {
    "type": "object",
    "description": "RFC 9457: why something was refused. `code` is stable; texts may change.",
    "required": ["type", "title", "status", "code", "reference"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "code": {"type": "string", "enum": sorted(ANSWERS)},
        "detail": {"type": "string"},
        "reference": {"type": "string", "description": "Find it in the server's log."},
        "errors": {"type": "object", "additionalProperties": True, "description": "By field."},
    },
}
