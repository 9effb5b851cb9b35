"""Signing in: password, app, passkey, recovery code; the console by the same door."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.errors import StepUpRequired
from accounts.models import Role, User
from accounts.services import stepup
from accounts.services.stepup import Binding, StepUp
from accounts.totp import matching_step
from audit.models import Entry
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.accounts.soft_passkey import SoftPasskey

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return Client(headers={"host": "localhost:8000"})


@pytest.fixture
def anna() -> User:
    return make_user("anna", role=Role.ADMINISTRATOR, is_staff=True)


def password_step(browser: Client, user: User, password: str = PASSWORD) -> Any:
    """The first step of a sign-in."""
    return browser.post(reverse("account_login"), {"login": user.username, "password": password})


def code_step(browser: Client, code: str) -> Any:
    """The second step."""
    return browser.post(reverse("mfa_authenticate"), {"code": code})


def signed_in(browser: Client) -> bool:
    """Whether the browser has a session of somebody."""
    return "_auth_user_id" in browser.session


def test_a_password_alone_signs_in_who_has_no_factor(browser: Client) -> None:
    password_step(browser, make_user(role=Role.OPERATOR))
    assert signed_in(browser)


def test_a_wrong_password_does_not(browser: Client, anna: User) -> None:
    password_step(browser, anna, "wrong")
    assert not signed_in(browser)


def test_a_failed_sign_in_is_in_the_log(browser: Client, anna: User) -> None:
    password_step(browser, anna, "wrong")
    assert Entry.objects.filter(event="sign_in.failed", subject_id=str(anna.pk)).exists()


def test_a_guess_at_an_unknown_name_is_counted(browser: Client) -> None:
    """P12: anonymous refusals are one entry a minute and address."""
    for name in ("x", "y"):
        browser.post(reverse("account_login"), {"login": name, "password": "x"})
    assert Entry.objects.filter(event="anonymous.refused").count() == 1


def test_a_password_alone_does_not_sign_in_who_has_a_factor(browser: Client, anna: User) -> None:
    add_totp(anna)
    response = password_step(browser, anna)
    assert (signed_in(browser), response.url) == (False, reverse("mfa_authenticate"))


def test_a_code_signs_in(browser: Client, anna: User) -> None:
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, totp_code())
    assert signed_in(browser)


def test_the_entry_of_a_sign_in_names_the_factor(browser: Client, anna: User) -> None:
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, totp_code())
    assert Entry.objects.get(event="sign_in.succeeded").facts["factor"] == "totp"


def test_a_wrong_code_does_not_sign_in(browser: Client, anna: User) -> None:
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, "000000")
    assert not signed_in(browser)


def test_a_code_of_a_sign_in_does_not_decide(
    browser: Client, anna: User, binding: Callable[..., Binding]
) -> None:
    """P8: a code is good once, for sign-in and decisions together."""
    add_totp(anna)
    code = totp_code()
    password_step(browser, anna)
    code_step(browser, code)
    nonce = stepup.begin(anna, binding(anna))["nonce"]
    with pytest.raises(StepUpRequired, match="wait for the next code"):
        stepup.consume(StepUp(nonce, totp=code), by=anna, binding=binding(anna), mfa_required=True)


def test_a_code_of_a_decision_does_not_sign_in(
    browser: Client, anna: User, binding: Callable[..., Binding]
) -> None:
    """P8: nor the other way round."""
    add_totp(anna)
    code = totp_code()
    nonce = stepup.begin(anna, binding(anna))["nonce"]
    stepup.consume(StepUp(nonce, totp=code), by=anna, binding=binding(anna), mfa_required=True)
    password_step(browser, anna)
    code_step(browser, code)
    assert not signed_in(browser)


def test_a_passkey_is_a_second_factor(browser: Client, anna: User) -> None:
    passkey = SoftPasskey()
    passkey.add_to(anna)
    password_step(browser, anna)
    page = browser.get(reverse("mfa_authenticate"))
    options = page.context["js_data"]["request_options"]["publicKey"]
    answer = passkey.sign(options["challenge"])
    browser.post(reverse("mfa_authenticate"), {"credential": json.dumps(answer)})
    assert signed_in(browser)


def test_a_passkey_signs_in_without_a_password(browser: Client, anna: User) -> None:
    passkey = SoftPasskey()
    passkey.add_to(anna)
    begun = browser.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
    challenge = begun["request_options"]["publicKey"]["challenge"]
    answer = passkey.sign(challenge, user=anna)
    browser.post(reverse("mfa_login_webauthn"), {"credential": json.dumps(answer)})
    assert signed_in(browser)


@pytest.mark.parametrize("how", [{"origin": "https://evil.example"}, {"rp_id": "evil.example"}, {"flags": 1}])
def test_a_passkey_of_another_site_does_not(browser: Client, anna: User, how: dict[str, Any]) -> None:
    passkey = SoftPasskey()
    passkey.add_to(anna)
    begun = browser.get(reverse("mfa_login_webauthn"), headers={"accept": "application/json"}).json()
    answer = passkey.sign(begun["request_options"]["publicKey"]["challenge"], user=anna, **how)
    browser.post(reverse("mfa_login_webauthn"), {"credential": json.dumps(answer)})
    assert not signed_in(browser)


def test_a_recovery_code_signs_in_once(browser: Client, anna: User) -> None:
    add_totp(anna)
    code = RecoveryCodes.activate(anna).generate_codes()[0]
    outcomes = []
    for _ in range(2):
        password_step(browser, anna)
        code_step(browser, code)
        outcomes.append(signed_in(browser))
        browser.logout()
    assert outcomes == [True, False]


def test_a_recovery_code_decides_nothing(anna: User, binding: Callable[..., Binding]) -> None:
    """P8: passkey, code of the app, or password; nothing else."""
    add_totp(anna)
    code = RecoveryCodes.activate(anna).generate_codes()[0]
    nonce = stepup.begin(anna, binding(anna))["nonce"]
    with pytest.raises(StepUpRequired):
        stepup.consume(StepUp(nonce, totp=code), by=anna, binding=binding(anna), mfa_required=True)


def test_a_service_account_does_not_sign_in(browser: Client) -> None:
    """P8: tokens only, whatever password it may have."""
    password_step(browser, make_user(role=Role.SERVICE))
    assert not signed_in(browser)


def test_an_inactive_account_does_not_sign_in(browser: Client) -> None:
    password_step(browser, make_user(role=Role.OPERATOR, is_active=False))
    assert not signed_in(browser)


def test_five_wrong_passwords_lock_the_right_one(browser: Client) -> None:
    otto = make_user(role=Role.OPERATOR)
    for _ in range(5):
        password_step(browser, otto, "wrong")
    password_step(browser, otto)
    assert not signed_in(browser)


def test_the_session_changes_with_the_sign_in(browser: Client) -> None:
    browser.get(reverse("account_login"))
    before = browser.session.session_key
    password_step(browser, make_user(role=Role.OPERATOR))
    assert browser.session.session_key != before


def test_nobody_signs_up(browser: Client) -> None:
    assert browser.get("/account/signup/").status_code == 404


@pytest.mark.parametrize("path", ["/account/password/reset/", "/account/email/", "/account/2fa/trust/"])
def test_no_other_way_in_is_routed(browser: Client, path: str) -> None:
    assert browser.get(path).status_code == 404


def test_the_consoles_own_sign_in_takes_no_password(browser: Client, anna: User) -> None:
    """P8: the console's login page would skip the second factor."""
    add_totp(anna)
    response = browser.post("/admin/login/", {"username": anna.username, "password": PASSWORD})
    assert (signed_in(browser), response.status_code) == (False, 302)


def test_who_must_enrol_gets_nothing_else(browser: Client, anna: User) -> None:
    password_step(browser, anna)
    assert browser.get("/admin/").url == reverse("mfa_index")


def test_enrolling_an_app_is_in_the_log_and_opens_the_way(browser: Client, anna: User) -> None:
    password_step(browser, anna)
    secret = browser.get(reverse("mfa_activate_totp")).context["form"].secret
    browser.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    assert Entry.objects.get(event="mfa.changed").facts == {"factor": "totp", "change": "added"}
    assert browser.get("/admin/").status_code == 200


def test_the_secret_of_an_app_rests_encrypted(browser: Client, anna: User) -> None:
    """P9: no factor in clear in the database."""
    password_step(browser, anna)
    secret = browser.get(reverse("mfa_activate_totp")).context["form"].secret
    browser.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)})
    assert secret not in json.dumps(Authenticator.objects.get(type="totp").data)


def test_the_first_code_of_an_app_is_used_up(browser: Client, anna: User) -> None:
    password_step(browser, anna)
    secret = browser.get(reverse("mfa_activate_totp")).context["form"].secret
    code = totp_code(secret)
    browser.post(reverse("mfa_activate_totp"), {"code": code})
    anna.refresh_from_db()
    assert anna.totp_last_step == matching_step(secret, code, stepup.factors.time.time())


def test_enrolling_a_passkey_works(browser: Client, anna: User) -> None:
    password_step(browser, anna)
    options = browser.get(reverse("mfa_add_webauthn")).context["js_data"]["creation_options"]["publicKey"]
    credential = SoftPasskey().register(options["challenge"])
    browser.post(reverse("mfa_add_webauthn"), {"name": "Mine", "credential": json.dumps(credential)})
    assert Authenticator.objects.filter(user=anna, type="webauthn").exists()


def test_the_last_factor_of_an_administrator_stays(browser: Client, anna: User) -> None:
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, totp_code())
    browser.post(reverse("mfa_reauthenticate"), {"code": totp_code(steps=1)})
    browser.post(reverse("mfa_deactivate_totp"))
    assert Authenticator.objects.filter(user=anna, type="totp").exists()


def test_a_password_alone_changes_no_factor(browser: Client, anna: User) -> None:
    """P14: who has a factor proves themselves with it."""
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, totp_code())
    response = browser.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    assert response.url.startswith(reverse("mfa_reauthenticate"))


def test_signing_out_is_in_the_log(browser: Client) -> None:
    password_step(browser, make_user(role=Role.OPERATOR))
    browser.post(reverse("account_logout"))
    assert Entry.objects.filter(event="sign_out").exists()
    assert not signed_in(browser)


def test_ones_own_password_is_changed_in_the_browser(browser: Client) -> None:
    otto = make_user(role=Role.OPERATOR)
    password_step(browser, otto)
    new = "a quite different phrase 9"
    browser.post(reverse("account_change_password"), {"current": PASSWORD, "new": new, "again": new})
    otto.refresh_from_db()
    assert otto.check_password(new)
    assert signed_in(browser)


def test_a_first_factor_long_after_the_sign_in_asks_the_password_again(browser: Client) -> None:
    """P14: a session left open enrols nobody's phone."""
    password_step(browser, make_user(role=Role.OPERATOR))
    with time_machine.travel(timezone.now() + timedelta(minutes=11)):
        assert browser.get(reverse("mfa_activate_totp")).url.startswith(reverse("account_reauthenticate"))


def test_a_second_factor_asks_the_first_again(browser: Client, anna: User) -> None:
    """P14: whoever has a session does not add a factor of theirs."""
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, totp_code())
    assert browser.get(reverse("mfa_add_webauthn")).url.startswith(reverse("mfa_reauthenticate"))


def test_recovery_codes_are_shown_after_the_first_factor(browser: Client, anna: User) -> None:
    password_step(browser, anna)
    secret = browser.get(reverse("mfa_activate_totp")).context["form"].secret
    page = browser.post(reverse("mfa_activate_totp"), {"code": totp_code(secret)}, follow=True)
    assert len(page.context["unused_codes"]) == 10
