"""What every request passes: a reference, the one origin, nobody without a name, no copies, refusals told."""

import secrets
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import logout
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse
from django_htmx.http import HttpResponseClientRedirect

from accounts.selectors import must_enrol
from accounts.services import sessions
from audit.errors import AuditUnavailable, Refused
from veeamsec import errors
from veeamsec.logs import reference
from veeamsec.throttling import seconds_to_wait

GetResponse = Callable[[HttpRequest], HttpResponseBase]
# What somebody who must enrol a factor first may still open: the enrolment itself and the way out.
ENROLMENT_ROUTES = ("mfa_", "account_logout", "account_reauthenticate", "healthz", "readyz")


class Middleware:
    """The shape that all share."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on."""
        return self.get_response(request)


class Reference(Middleware):
    """Gives each request a reference that its log lines and its error page share."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Name the request."""
        name = secrets.token_hex(4)
        token = reference.set(name)
        try:
            request.reference = name  # type: ignore[attr-defined]
            response = self.get_response(request)
        finally:
            reference.reset(token)
        response["X-Request-ID"] = name
        return response


class Proxied(Middleware):
    """Takes the client's address from the proxy, which overwrites whatever a client sent in its place."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Put the address where everybody looks for it."""
        if settings.VEEAMSEC_BEHIND_PROXY:
            request.META["REMOTE_ADDR"] = (
                request.headers.get("X-Forwarded-For", "").rpartition(",")[2].strip()
            )
        return self.get_response(request)


class Origin(Middleware):
    """Sends a page asked for under another name to the one origin, which passkeys are bound to."""

    def __init__(self, get_response: GetResponse) -> None:
        super().__init__(get_response)
        self.netloc = urlsplit(settings.VEEAMSEC_ORIGIN).netloc

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Redirect a browser; programs and probes may come by any allowed name."""
        is_page = request.method in ("GET", "HEAD") and not request.path.startswith(
            (errors.API_PREFIX, "/healthz", "/readyz")
        )
        if is_page and request.get_host() != self.netloc:
            return HttpResponseRedirect(settings.VEEAMSEC_ORIGIN + request.get_full_path())
        return self.get_response(request)


class Throttled(Middleware):
    """Counts the API's calls of one address before anybody is known: a guess at a token counts too."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer with when to come back."""
        if not request.path.startswith(errors.API_PREFIX):
            return self.get_response(request)
        wait = seconds_to_wait("address", request.META.get("REMOTE_ADDR", ""))
        if wait is None:
            return self.get_response(request)
        response = errors.problem(request, "throttled")
        response["Retry-After"] = str(wait)
        return response


class NoStore(Middleware):
    """No cache keeps what only a signed-in person may see."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Mark every answer that does not say otherwise."""
        response = self.get_response(request)
        response.setdefault("Cache-Control", "no-store")
        return response


class SignedIn(LoginRequiredMiddleware):
    """Nobody without a name: a view is open only where it says so itself."""

    def handle_no_permission(  # type: ignore[override]
        self, request: HttpRequest, view_func: Any
    ) -> HttpResponseBase:
        """Login page for a page, 401 for the API, a redirect for a fragment; an attempt is logged."""
        errors.tell_refused(request, "not_authenticated")
        if request.path.startswith(errors.API_PREFIX):
            return errors.problem(request, "not_authenticated")
        response = super().handle_no_permission(request, view_func)
        if request.headers.get("HX-Request"):
            return HttpResponseClientRedirect(reverse(settings.LOGIN_URL))
        return response


class SessionLimits(Middleware):
    """Ends a session that was left alone or has lasted a day."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Sign out before anything is read."""
        by_person = "HX-Request" not in request.headers
        if request.user.is_authenticated and sessions.is_over(request.session, by_person=by_person):
            logout(request)
        return self.get_response(request)


class Activity(Middleware):
    """Keeps what the list of one's own sessions shows of them."""

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Note where a session is used from, not at every page anew."""
        if request.user.is_authenticated and request.session.session_key:
            sessions.note_use(request)
        return self.get_response(request)


class Enrolled(Middleware):
    """Who needs a second factor and has none gets nothing else first."""

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponse], args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        """Lead to the enrolment."""
        name = (request.resolver_match.url_name if request.resolver_match else None) or ""
        if not request.user.is_authenticated or name.startswith(ENROLMENT_ROUTES):
            return None
        # What the page is drawn for: who looks is read once for both.
        request.standing = request.user.facts()  # type: ignore[attr-defined]
        if not must_enrol(request.user, request.standing):  # type: ignore[attr-defined]
            return None
        if request.path.startswith(errors.API_PREFIX):
            return errors.problem(request, "not_eligible", "Enrol a second factor first.")
        return HttpResponseRedirect(reverse("mfa_index"))


class Refusals(Middleware):
    """Turns a refusal that a page's view let through into its page."""

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Answer a domain error; anything else is Django's."""
        if isinstance(error, Refused):
            return errors.answer(request, error.code, str(error))
        if isinstance(error, AuditUnavailable):
            return errors.unavailable(request)
        return None
