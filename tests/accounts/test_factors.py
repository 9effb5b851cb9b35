"""One's own factors and password: enrolled, guarded, recorded."""

import json
from datetime import timedelta

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import Role, User
from accounts.services import stepup
from accounts.totp import matching_step
from audit.models import Entry
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_user
from tests.accounts.soft_passkey import SoftPasskey
from tests.accounts.steps import code_step, password_step, signed_in

pytestmark = pytest.mark.django_db


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
