"""The one map from a refusal to HTTP."""

import json

import pytest
from django.http import Http404
from django.test import Client, RequestFactory
from rest_framework import exceptions

from audit.errors import AuditUnavailable, Refused
from audit.events import Event
from audit.models import Entry
from veeamsec import errors

PROMISED = {
    403: ["own_request", "not_eligible", "interactive_required"],
    401: ["step_up_required"],
    409: [
        "digest_mismatch",
        "not_pending",
        "expired",
        "already_voted",
        "open_request_exists",
        "stale",
        "security_role_too_small",
        "job_busy",
    ],
    400: ["invalid"],
    404: ["not_found"],
}


class Own(Refused):
    code = "own_request"


@pytest.fixture
def request_(rf: RequestFactory):
    request = rf.get("/api/v1/requests/")
    request.reference = "abcd1234"
    return request


def answered(error, request):
    return errors.answer_api(error, {"request": request, "view": None})


@pytest.mark.parametrize("status", PROMISED)
def test_a_promised_code_has_its_status(status):
    assert {errors.ANSWERS[code].status for code in PROMISED[status]} == {status}


def test_a_refusal_becomes_a_problem(request_):
    response = answered(Own("You asked for this."), request_)
    assert response.status_code == 403
    assert response.content_type == "application/problem+json"
    assert response.data == {
        "type": "urn:veeamsec:problem:own_request",
        "title": "This is your own request",
        "status": 403,
        "code": "own_request",
        "detail": "You asked for this.",
        "reference": "abcd1234",
    }


def test_an_unknown_refusal_is_still_refused(request_):
    class Odd(Refused):
        code = "odd"

    assert answered(Odd("no"), request_).status_code == 400


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.ValidationError({"name": ["too long"]}), 400, "invalid"),
        (Http404(), 404, "not_found"),
        (exceptions.PermissionDenied(), 403, "permission_denied"),
        (exceptions.NotAuthenticated(), 401, "not_authenticated"),
        (exceptions.MethodNotAllowed("PUT"), 405, "method_not_allowed"),
        (exceptions.Throttled(), 429, "throttled"),
        (exceptions.ParseError(), 400, "invalid"),
        (exceptions.UnsupportedMediaType("text/csv"), 415, "unsupported_media_type"),
    ],
)
def test_an_error_of_the_framework_becomes_a_problem(request_, error, status, code):
    response = answered(error, request_)
    assert (response.status_code, response.data["code"]) == (status, code)


def test_a_form_error_names_its_fields(request_):
    assert answered(exceptions.ValidationError({"name": ["too long"]}), request_).data["errors"] == {
        "name": ["too long"]
    }


def test_a_log_that_cannot_be_written_stops_the_act(request_):
    """P12: what cannot be recorded is not done, and that is said."""
    response = answered(AuditUnavailable("no"), request_)
    assert (response.status_code, response.data["code"]) == (503, "unavailable")


@pytest.mark.django_db
@pytest.mark.parametrize("times", [1, 5])
def test_anonymous_refusals_are_counted(client, times):
    """P12: one entry a minute and address."""
    for _ in range(times):
        client.get("/api/v1/jobs/")
    assert Entry.objects.filter(event=Event.ANONYMOUS_REFUSED).count() == 1


@pytest.mark.django_db
def test_a_forged_form_of_nobody_is_counted():
    """P12: a refusal without a name is in the log."""
    browser = Client(enforce_csrf_checks=True, HTTP_HOST="localhost:8000")
    assert browser.post("/account/login/", {"login": "x"}).status_code == 403
    assert Entry.objects.filter(event=Event.ANONYMOUS_REFUSED).count() == 1


def test_an_unknown_error_is_left_to_be_opaque(request_):
    assert answered(RuntimeError("postgres://secret"), request_) is None


def test_an_opaque_error_tells_its_reference_alone(request_):
    body = json.loads(errors.broken(request_).content)
    assert body == {
        "type": "urn:veeamsec:problem:internal",
        "title": "Something broke",
        "status": 500,
        "code": "internal",
        "reference": "abcd1234",
    }


def test_a_browser_gets_a_page(rf):
    response = errors.answer(rf.get("/requests/"), "stale", "The key changed.")
    assert response.status_code == 409
    assert response["Content-Type"].startswith("text/html")
    assert b"Things changed meanwhile" in response.content
