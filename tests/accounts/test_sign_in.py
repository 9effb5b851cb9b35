"""Signing in: password, app, passkey, recovery code; the console by the same door."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from django.test import Client
from django.urls import reverse

from accounts.errors import StepUpRequired
from accounts.models import Role, User
from accounts.services import stepup
from accounts.services.stepup import Binding, StepUp
from audit.models import Entry
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.accounts.soft_passkey import SoftPasskey
from tests.accounts.steps import code_step, password_step, signed_in

pytestmark = pytest.mark.django_db


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


def test_a_wrong_code_is_in_the_log(browser: Client, anna: User) -> None:
    """P12: somebody who knows the password is at the door."""
    add_totp(anna)
    password_step(browser, anna)
    code_step(browser, "000000")
    assert Entry.objects.get(event="sign_in.failed").facts == {"factor": "code"}


def test_many_wrong_codes_lock_the_right_one(browser: Client, anna: User) -> None:
    """P8: six digits are guessed only a few times."""
    add_totp(anna)
    password_step(browser, anna)
    for _ in range(10):
        code_step(browser, "000000")
    code_step(browser, totp_code())
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
