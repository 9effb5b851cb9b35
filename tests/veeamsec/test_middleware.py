"""What every request passes."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


def test_a_page_under_another_name_goes_to_the_origin():
    response = Client(HTTP_HOST="127.0.0.1:8000").get("/requests/?state=open")
    assert (response.status_code, response["Location"]) == (302, "http://localhost:8000/requests/?state=open")


def test_the_api_answers_under_another_name():
    assert Client(HTTP_HOST="127.0.0.1:8000").get("/api/v1/schema/").status_code == 401


def test_a_foreign_host_is_refused(client):
    assert Client(HTTP_HOST="evil.example").get("/account/login/").status_code == 400


def test_a_page_leads_to_sign_in_and_back(client):
    assert client.get("/requests/")["Location"] == "/account/login/?next=/requests/"


def test_a_fragment_leads_the_whole_page_to_sign_in(client):
    response = client.get("/requests/", headers={"HX-Request": "true"})
    assert response["HX-Redirect"] == "/account/login/"


def test_the_api_says_401_as_a_problem(client):
    response = client.get("/api/v1/schema/")
    assert (response.status_code, response["Content-Type"]) == (401, "application/problem+json")


def test_no_page_is_kept_by_a_cache(client):
    assert "no-store" in client.get("/account/login/")["Cache-Control"]


def test_scripts_come_from_here_alone(client):
    policy = client.get("/account/login/")["Content-Security-Policy"]
    assert "script-src 'self';" in policy + ";"
    assert "unsafe" not in policy


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("X-Frame-Options", "DENY"),
        ("X-Content-Type-Options", "nosniff"),
        ("Referrer-Policy", "same-origin"),
        ("Cross-Origin-Opener-Policy", "same-origin"),
    ],
)
def test_browsers_are_told(client, header, value):
    assert client.get("/account/login/")[header] == value


def test_every_answer_has_a_reference_of_its_own(client):
    first, second = client.get("/healthz"), client.get("/healthz")
    assert first["X-Request-ID"] != second["X-Request-ID"]


def test_the_console_has_no_door_of_its_own(client):
    """Its own login page would let somebody in without the second factor."""
    response = client.get("/admin/login/?next=/admin/")
    assert response["Location"].startswith("/account/login/")


@pytest.mark.parametrize("path", ["/account/signup/", "/account/password/reset/", "/account/email/"])
def test_what_is_not_needed_is_not_there(client, path):
    assert client.get(path).status_code == 404
