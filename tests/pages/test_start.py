"""The first start behind a one-time link."""

import pytest
from django.db import transaction
from django.test import Client
from django.urls import reverse

from accounts.models import EnrolmentLink
from accounts.services import users
from audit import services as audit
from tests.accounts import factories
from tests.pages.conftest import text_of

pytestmark = pytest.mark.django_db
PASSWORD = "Kranich-7-Zitrone-Harfe"
WRONG = "not the same as above"


@pytest.fixture
def newcomer(vsec_home):
    """An account without a password, and its link."""
    user = factories.make_user("nora")
    user.set_unusable_password()
    user.save()
    with transaction.atomic():
        url = users.make_link_within(user, EnrolmentLink.For.USER, by=audit.CONSOLE)
    return user, url.rstrip("/").rpartition("/")[2]


@pytest.fixture
def anonymous() -> Client:
    return Client(HTTP_HOST="localhost:8000")


def test_looking_does_not_use_a_link_up(newcomer, anonymous):
    _, token = newcomer
    anonymous.get(reverse("first_start", args=[token]))
    assert "Welcome, Nora" in text_of(anonymous.get(reverse("first_start", args=[token])))


def test_a_password_is_set_once(newcomer, anonymous):
    user, token = newcomer
    form = {"username": "nora", "password": PASSWORD, "again": PASSWORD}
    anonymous.post(reverse("first_start", args=[token]), form)
    user.refresh_from_db()
    assert user.check_password(PASSWORD)
    assert anonymous.post(reverse("first_start", args=[token]), form).status_code == 404


def test_two_different_passwords_are_refused(newcomer, anonymous):
    _, token = newcomer
    form = {"username": "nora", "password": PASSWORD, "again": PASSWORD + "x"}
    assert WRONG in text_of(anonymous.post(reverse("first_start", args=[token]), form))


def test_a_weak_password_is_refused(newcomer, anonymous):
    _, token = newcomer
    form = {"username": "nora", "password": "nora", "again": "nora"}
    assert anonymous.post(reverse("first_start", args=[token]), form).status_code == 400


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_wrong_link_tells_nothing(db, anonymous, method):
    answer = getattr(anonymous, method)(reverse("first_start", args=["nonsense"]))
    assert answer.status_code == 404


def test_the_sign_in_page_names_the_command_before_anybody_is_set_up(db, anonymous):
    assert "manage.py bootstrap" in text_of(anonymous.get(reverse("account_login")))
