"""The one map from a domain error to HTTP: problem+json (RFC 9457) for the API, a page for a browser."""

import sys
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from rest_framework import exceptions, views
from rest_framework.response import Response

from accounts.models import User
from audit import services as audit
from audit.errors import AuditUnavailable, Refused

PROBLEM_JSON = "application/problem+json"
API_PREFIX = "/api/"
SAFE = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


@dataclass(frozen=True)
class Answer:
    """How one kind of refusal is told."""

    status: HTTPStatus
    title: str
    todo: str = ""


ANSWERS = {
    "own_request": Answer(HTTPStatus.FORBIDDEN, "This is your own request", "Another person decides."),
    "not_eligible": Answer(HTTPStatus.FORBIDDEN, "You may not do this"),
    "interactive_required": Answer(
        HTTPStatus.FORBIDDEN,
        "Only a person at a browser decides",
        "Sign in on the web page and decide there.",
    ),
    "step_up_required": Answer(
        HTTPStatus.UNAUTHORIZED, "Confirm that it is you", "Use your passkey or a new code, then try again."
    ),
    "digest_mismatch": Answer(
        HTTPStatus.CONFLICT, "This is not what you saw", "Open the request again and read it as it is now."
    ),
    "not_pending": Answer(HTTPStatus.CONFLICT, "It is decided already", "Open it to see how it ended."),
    "expired": Answer(HTTPStatus.CONFLICT, "The time for it is over", "Ask again."),
    "already_voted": Answer(HTTPStatus.CONFLICT, "You decided already"),
    "open_request_exists": Answer(
        HTTPStatus.CONFLICT, "There is an open request for this", "Decide or withdraw that one first."
    ),
    "stale": Answer(
        HTTPStatus.CONFLICT, "Things changed meanwhile", "Ask again; the new request shows what is."
    ),
    "security_role_too_small": Answer(
        HTTPStatus.CONFLICT, "The Security Role needs two people", "Fill its seats first."
    ),
    "job_busy": Answer(
        HTTPStatus.CONFLICT, "The job is busy", "Wait until its work has ended, then try again."
    ),
    "key_reused": Answer(
        HTTPStatus.CONFLICT, "This idempotency key was used before", "Look what became of it first."
    ),
    "replayed": Answer(HTTPStatus.CONFLICT, "It was taken before", "Each text is good once: make a new one."),
    "not_for_this": Answer(HTTPStatus.CONFLICT, "It belongs to something else", "Look for the right text."),
    "unknown_server": Answer(
        HTTPStatus.CONFLICT, "This backup server does not count here", "Register it first, under four eyes."
    ),
    "unknown_keyset": Answer(HTTPStatus.CONFLICT, "This keyset is not held here"),
    "does_not_open": Answer(HTTPStatus.CONFLICT, "It does not open", "Look for the right key or passphrase."),
    "invalid": Answer(
        HTTPStatus.BAD_REQUEST, "This cannot be taken as it is", "Correct it and send it again."
    ),
    "not_found": Answer(HTTPStatus.NOT_FOUND, "Not found, or not yours to know"),
    "not_authenticated": Answer(HTTPStatus.UNAUTHORIZED, "Sign in first"),
    "permission_denied": Answer(HTTPStatus.FORBIDDEN, "You may not do this"),
    "method_not_allowed": Answer(HTTPStatus.METHOD_NOT_ALLOWED, "Not with this method"),
    "not_acceptable": Answer(HTTPStatus.NOT_ACCEPTABLE, "Only JSON is spoken here"),
    "unsupported_media_type": Answer(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "Only JSON is spoken here"),
    "pdf_unavailable": Answer(
        HTTPStatus.SERVICE_UNAVAILABLE, "The PDF cannot be drawn here", "Read the report here, or as CSV."
    ),
    "too_large": Answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "This is too large", "Send less at once."),
    "precondition_required": Answer(
        HTTPStatus.PRECONDITION_REQUIRED,
        "Say which state you change",
        "Read it, and send its ETag back as If-Match.",
    ),
    "precondition_failed": Answer(
        HTTPStatus.PRECONDITION_FAILED,
        "It was changed meanwhile",
        "Read it again, then decide whether your change still holds.",
    ),
    "throttled": Answer(HTTPStatus.TOO_MANY_REQUESTS, "Too many tries", "Wait a while, then try again."),
    "unavailable": Answer(
        HTTPStatus.SERVICE_UNAVAILABLE, "Nothing can be recorded, so nothing is done", "Try again in a while."
    ),
    "internal": Answer(
        HTTPStatus.INTERNAL_SERVER_ERROR, "Something broke", "Try again; tell your operator the reference."
    ),
}
NOTHING_CHANGED = "Nothing was changed."


def problem(request: HttpRequest, code: str, detail: str = "", **more: object) -> JsonResponse:
    """One problem document. `more` adds members, such as `errors` of a form."""
    return JsonResponse(
        _body(request, code, detail, more), status=_answer(code).status, content_type=PROBLEM_JSON
    )


def page(request: HttpRequest, code: str, detail: str = "") -> HttpResponse:
    """The page that says what happened, what did not, and what to do."""
    answer = _answer(code)
    context = {
        "title": answer.title,
        "code": code,
        "what": detail,
        # An unknown error may have struck after a commit: then nothing is promised.
        "what_not": "" if code == "internal" else NOTHING_CHANGED,
        "todo": answer.todo,
        "reference": _reference(request),
    }
    return render(request, "errors/refused.html", context, status=answer.status)


def answer(request: HttpRequest, code: str, detail: str = "") -> HttpResponse:
    """A problem for the API, a page for everybody else."""
    wants_problem = request.path.startswith(API_PREFIX)
    return problem(request, code, detail) if wants_problem else page(request, code, detail)


def answer_api(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's exception handler. None lets an unknown error become an opaque 500."""
    response, more = Response(), dict[str, object]()
    if isinstance(error, Refused):
        views.set_rollback()
        code, detail = error.code, str(error)
    elif isinstance(error, AuditUnavailable):
        views.set_rollback()
        code, detail = "unavailable", ""
    elif (answered := views.exception_handler(error, context)) is not None:
        response = answered
        code, detail, more = _translate(error)
        if code == "not_authenticated":
            _count_anonymous(context["request"], code)
        elif code == "permission_denied":
            tell_refused(context["request"], code)
    else:
        return None
    response.data = _body(context["request"], code, detail, more)
    response.status_code = _answer(code).status
    response.content_type = PROBLEM_JSON
    return response


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler400; its reasons are for attackers alone, so none is told."""
    return answer(request, "invalid")


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler403; what was to change something is an attempt, and is told by the log (P12)."""
    tell_refused(request, "permission_denied")
    return answer(request, "permission_denied", str(exception))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """Django's handler404."""
    return answer(request, "not_found")


def broken(request: HttpRequest) -> HttpResponse:
    """Django's handler500; what struck before or after a view because of the log is said as what it is."""
    if isinstance(sys.exc_info()[1], AuditUnavailable):
        return unavailable(request)
    return answer(request, "internal")


def unavailable(request: HttpRequest) -> HttpResponse:
    """What could not be recorded was not done."""
    return answer(request, "unavailable", "The log cannot be written.")


def csrf_refused(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The view of a failed cross-site check: counted, for it is nobody's own attempt."""
    _count_anonymous(request, "permission_denied")
    return answer(request, "permission_denied", "The page was too old or came from elsewhere. Load it again.")


def locked_out(
    request: HttpRequest, credentials: object = None, *args: object, **kwargs: object
) -> HttpResponse:
    """What axes shows after too many wrong passwords."""
    detail = "Too many wrong passwords came from here for this account. Wait a quarter of an hour."
    return answer(request, "throttled", detail)


def tell_refused(request: HttpRequest, code: str) -> None:
    """Log a refused attempt to change something, by whoever made it; reading is no attempt."""
    if request.method in SAFE:
        return
    if isinstance(request.user, User):
        match = request.resolver_match
        door = f"{request.method} {match.view_name if match else ''}".strip()
        audit.refuse(by=request.user, code=code, action=door)
    else:
        _count_anonymous(request, code)


def _count_anonymous(request: Any, code: str) -> None:
    # Who is refused without a name is counted in the log, one entry a minute and address (P12).
    audit.refuse_anonymous(address=request.META.get("REMOTE_ADDR", ""), code=code, action=request.method)


def _translate(error: Exception) -> tuple[str, str, dict[str, object]]:
    """Code, detail and further members of an error that DRF knows."""
    if isinstance(error, exceptions.ValidationError):
        return "invalid", "", {"errors": error.detail}
    if isinstance(error, Http404 | exceptions.NotFound):
        return "not_found", "", {}
    if isinstance(error, PermissionDenied | exceptions.PermissionDenied):
        return "permission_denied", str(error), {}
    if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
        return "not_authenticated", str(error), {}
    code = getattr(error, "default_code", "invalid")
    return (code if code in ANSWERS else "invalid"), str(error), {}


def _body(request: Any, code: str, detail: str, more: dict[str, object]) -> dict[str, object]:
    answer = _answer(code)
    body: dict[str, object] = {
        "type": f"urn:veeamsec:problem:{code}",
        "title": answer.title,
        "status": int(answer.status),
        "code": code,
        "reference": _reference(request),
    }
    return body | ({"detail": detail} if detail else {}) | more


def _answer(code: str) -> Answer:
    # A refusal whose name is not in the map is still a refusal.
    return ANSWERS.get(code, ANSWERS["invalid"])


def _reference(request: Any) -> str:
    return getattr(request, "reference", "-")
