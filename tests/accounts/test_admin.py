"""P14: the console makes people and edits nobody."""

import re
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from accounts.models import Person, Role, RoleGrant, Roster, SecurityMember, User
from audit.models import Entry
from tests.accounts.factories import PASSWORD, add_totp, make_person, make_security, make_user

pytestmark = pytest.mark.django_db
ADD, LIST = "/admin/accounts/user/add/", "/admin/accounts/user/"


def browser_of(user: User) -> Client:
    """A browser in which somebody is signed in."""
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user, backend="allauth.account.auth_backends.AuthenticationBackend")
    return client


@pytest.fixture
def anna() -> User:
    user = make_user("anna", role=Role.ADMINISTRATOR, is_staff=True)
    add_totp(user)
    return user


@pytest.fixture
def root() -> User:
    user = make_user("root", is_staff=True, is_superuser=True)
    add_totp(user)
    return user


@pytest.fixture
def browser(anna: User) -> Client:
    return browser_of(anna)


def new_account(browser: Client, **fields: Any) -> Any:
    """Add an account by the form."""
    values = {"person": make_person("Otto").pk, "username": "otto", "email": "", "role": "operator"}
    return browser.post(ADD, values | fields, follow=True)


def action(browser: Client, name: str, user: User) -> Any:
    """Run an action of the list."""
    return browser.post(LIST, {"action": name, "_selected_action": [str(user.pk)]}, follow=True)


def test_an_administrator_makes_an_operator(browser: Client) -> None:
    new_account(browser)
    assert User.objects.get(username="otto").has_role(Role.OPERATOR)


def test_the_link_is_shown_once(browser: Client) -> None:
    page = new_account(browser).content.decode()
    assert len(re.findall(r"http://localhost:8000/start/[\w-]{43}/", page)) == 1
    assert "/start/" not in browser.get(LIST).content.decode()


def test_the_new_account_is_in_the_log(browser: Client) -> None:
    new_account(browser)
    assert Entry.objects.filter(event="user.created").exists()


@pytest.mark.parametrize("role", ["administrator", "enterprise", "security", "boss"])
def test_no_other_role_is_given(browser: Client, role: str) -> None:
    """P4: administrators come from a request."""
    new_account(browser, role=role)
    assert not User.objects.filter(username="otto").exists()


def test_fields_that_are_not_asked_are_not_taken(browser: Client) -> None:
    """P14: mass assignment."""
    new_account(browser, is_staff="on", is_superuser="on", password="x", is_human="")
    made = User.objects.get(username="otto")
    assert (made.is_superuser, made.has_usable_password(), made.is_human) == (False, False, True)


def test_a_refused_account_is_told(browser: Client, anna: User) -> None:
    page = new_account(browser, person=anna.person_id)
    assert "has an account already" in page.content.decode()


def test_an_account_is_not_edited(browser: Client) -> None:
    """P14: not its person, password, rights or address."""
    dora, carl = make_security()
    path = reverse("admin:accounts_user_change", args=[dora.pk])
    fields = {"person": carl.person_id, "username": "x", "email": "x@example.com", "is_active": ""}
    browser.post(path, fields | {"password": "x", "is_staff": "on", "is_superuser": "on", "is_human": ""})
    after = User.objects.get(pk=dora.pk)
    assert (after.person_id, after.username, after.email, after.is_active, after.is_superuser) == (
        dora.person_id,
        dora.username,
        dora.email,
        True,
        False,
    )


def test_there_is_no_page_for_anothers_password(browser: Client, anna: User) -> None:
    page = browser.get(f"/admin/accounts/user/{anna.pk}/password/", follow=True).content.decode()
    assert 'type="password"' not in page


def test_an_operator_is_switched_off(browser: Client) -> None:
    otto = make_user(role=Role.OPERATOR)
    action(browser, "switch_off", otto)
    otto.refresh_from_db()
    assert not otto.is_active


@pytest.mark.parametrize("who", ["third", "administrator"])
def test_guarded_accounts_are_not_switched_off(browser: Client, who: str) -> None:
    """P14: a request does that."""
    *_, third = make_security(("a", "b", "third"))
    target = third if who == "third" else make_user(role=Role.ADMINISTRATOR)
    action(browser, "switch_off", target)
    target.refresh_from_db()
    assert target.is_active


def test_an_account_with_a_password_gets_no_link(browser: Client) -> None:
    page = action(browser, "make_link", make_user(role=Role.OPERATOR)).content.decode()
    assert "/start/" not in page


def test_an_account_without_one_gets_a_link(browser: Client) -> None:
    new_account(browser)
    page = action(browser, "make_link", User.objects.get(username="otto")).content.decode()
    assert "/start/" in page


def test_a_person_is_made_with_an_entry(browser: Client) -> None:
    browser.post("/admin/accounts/person/add/", {"name": "Rita", "email": ""})
    assert Person.objects.filter(name="Rita").exists()
    assert Entry.objects.filter(event="person.created").exists()


def test_the_person_of_a_member_is_not_edited(browser: Client) -> None:
    """P14: her address is hers."""
    dora, _ = make_security()
    path = reverse("admin:accounts_person_change", args=[dora.person_id])
    assert browser.post(path, {"name": "X", "email": "x@example.com"}).status_code == 403


@pytest.mark.parametrize("model", [RoleGrant, SecurityMember, Roster])
def test_history_is_not_touched(root: User, model: type[Any]) -> None:
    """P4, P13: not even by a superuser."""
    name = model._meta.model_name
    browser = browser_of(root)
    assert browser.get(f"/admin/accounts/{name}/").status_code == 200
    assert browser.get(f"/admin/accounts/{name}/add/").status_code == 403


@pytest.mark.parametrize("model", [User, Person])
def test_nobody_is_deleted(root: User, model: type[Any]) -> None:
    """P13: history stays."""
    target = make_user() if model is User else make_person()
    path = reverse(f"admin:accounts_{model._meta.model_name}_delete", args=[target.pk])
    assert browser_of(root).post(path, {"post": "yes"}).status_code == 403


def test_a_superuser_makes_no_account(root: User) -> None:
    """P14: superuser is no role."""
    new_account(browser_of(root))
    assert not User.objects.filter(username="otto").exists()


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.AUDITOR])
def test_others_make_no_account(role: Role) -> None:
    response = new_account(browser_of(make_user(role=role, is_staff=True)))
    assert response.status_code == 403


def test_security_does_not_enter_the_console() -> None:
    dora, _ = make_security()
    add_totp(dora)
    assert browser_of(dora).get("/admin/").status_code in (302, 403)


@pytest.mark.parametrize(
    "path",
    [
        "auth/group/",
        "mfa/authenticator/",
        "account/emailaddress/",
        "usersessions/usersession/",
        "knox/authtoken/",
    ],
)
def test_what_would_open_anothers_account_is_not_in_the_console(root: User, path: str) -> None:
    """P14: others' factors, addresses, sessions, groups and tokens."""
    assert browser_of(root).get(f"/admin/{path}").status_code == 404


def test_the_console_shows_only_what_we_put_there() -> None:
    ours = {"accounts", "audit", "encryption", "approvals"}
    assert {model._meta.app_label for model in admin.site._registry} <= ours


def test_the_console_is_closed_without_a_sign_in() -> None:
    response = Client(headers={"host": "localhost:8000"}).post(
        "/admin/login/", {"username": "anna", "password": PASSWORD}
    )
    assert response.url.startswith(reverse("account_login"))
