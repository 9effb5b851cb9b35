"""Signing in by a real provider: who is connected comes in, with their factor; who is not does not."""

import http.client
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from allauth.socialaccount.models import SocialAccount
from cryptography.hazmat.primitives.asymmetric import rsa
from django.core.exceptions import ImproperlyConfigured
from django.test import Client
from django.urls import reverse

from accounts.models import Notice, Role, RoleGrant, SecurityMember, User
from audit.models import Entry
from tests.accounts import oidc_provider, oidc_urls
from tests.accounts.conftest import totp_code
from tests.accounts.factories import PASSWORD, add_totp, make_security, make_user
from tests.accounts.oidc_provider import CLIENT, SECRET, Provider
from tests.accounts.steps import code_step, password_step, signed_in
from veeamsec import oidc

pytestmark = [pytest.mark.django_db, pytest.mark.urls(oidc_urls.__name__)]


@pytest.fixture
def provider(settings) -> Iterator[Provider]:
    """A provider that this installation names."""
    with oidc_provider.running() as found:
        app = {
            "provider_id": "house",
            "name": "Haus-Login",
            "client_id": CLIENT,
            "secret": SECRET,
            "settings": {"server_url": found.issuer, "oauth_pkce_enabled": True},
        }
        settings.SOCIALACCOUNT_PROVIDERS = {"openid_connect": {"APPS": [app]}}
        settings.VEEAMSEC_OIDC_GROUPS = {"backup": "operator", "dpo": "security", "boss": "administrator"}
        yield found


def connected(user: User, uid: str = "u-1") -> User:
    SocialAccount.objects.create(user=user, provider="house", uid=uid, extra_data={})
    return user


def go_and_come_back(browser: Client, *, process: str = ""):
    """Go to the provider as a browser would, and follow it back; return the answer of the way back."""
    url = reverse("openid_connect_login", args=["house"])
    there = browser.post(f"{url}?process={process}" if process else url)
    assert there.status_code == 302, there.content
    parts = urlsplit(there.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    connection.request("GET", f"{parts.path}?{parts.query}")
    back = urlsplit(connection.getresponse().getheader("Location"))
    connection.close()
    return browser.get(f"{back.path}?{back.query}")


def test_who_is_connected_signs_in(browser, provider):
    connected(make_user("otto", role=Role.OPERATOR))
    answer = go_and_come_back(browser)
    assert (answer.status_code, signed_in(browser)) == (302, True)
    assert Entry.objects.get(event="sign_in.succeeded").facts == {"factor": "identity"}


def test_the_factor_is_asked_for_all_the_same(browser, provider):
    user = connected(make_user("anna", role=Role.ADMINISTRATOR))
    add_totp(user)
    answer = go_and_come_back(browser)
    assert (answer.url, signed_in(browser)) == (reverse("mfa_authenticate"), False)
    code_step(browser, totp_code())
    assert signed_in(browser)


def test_who_must_have_a_factor_sets_it_up_first(browser, provider):
    """P8: no provider's word stands for the factor with which one decides."""
    connected(make_security()[0])
    go_and_come_back(browser)
    assert browser.get(reverse("requests")).url == reverse("mfa_index")


def test_who_is_unknown_is_refused_and_counted(browser, provider):
    """P12: and gets no account."""
    users = User.objects.count()
    provider.claims = {"sub": "u-9", "email": make_user("otto").email, "email_verified": True}
    answer = go_and_come_back(browser)
    assert (answer.status_code, signed_in(browser)) == (401, False)
    assert b"opens no account here" in answer.content
    assert (User.objects.count(), SocialAccount.objects.count()) == (users + 1, 0)
    assert Entry.objects.filter(event="anonymous.refused").count() == 1


@pytest.mark.parametrize("kind", ["service", "inactive"])
def test_who_has_no_sessions_gets_none(browser, provider, kind):
    role = Role.SERVICE if kind == "service" else Role.OPERATOR
    connected(make_user("x", role=role, is_active=kind != "inactive"))
    go_and_come_back(browser)
    assert not signed_in(browser)


def test_p4_groups_propose_and_grant_nothing(browser, provider):
    """P4: whatever the provider says, Security and offices come by decided requests."""
    connected(make_user("nora"))
    provider.claims = {"sub": "u-1", "groups": ["backup", "dpo", "boss"]}
    go_and_come_back(browser)
    assert Entry.objects.get(event="roles.proposed").facts == {"roles": "operator"}
    assert (RoleGrant.objects.count(), SecurityMember.objects.count()) == (0, 0)


@pytest.mark.parametrize(
    "claims",
    [{"aud": "another-client"}, {"iss": "https://elsewhere.example.com"}, {"exp": 1}, {"sub": "u-2"}],
)
def test_a_token_that_says_otherwise_opens_nothing(browser, provider, claims):
    connected(make_user("otto", role=Role.OPERATOR))
    connected(make_user("olga", role=Role.OPERATOR), "u-2")
    provider.token_claims = claims
    answer = go_and_come_back(browser)
    assert (answer.status_code, signed_in(browser)) == (401, False)


def test_a_token_that_somebody_else_signed_opens_nothing(browser, provider):
    connected(make_user("otto", role=Role.OPERATOR))
    provider.signing_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    answer = go_and_come_back(browser)
    assert (answer.status_code, signed_in(browser)) == (401, False)


def test_a_way_back_that_nobody_began_opens_nothing(browser, provider):
    connected(make_user("otto", role=Role.OPERATOR))
    answer = browser.get(f"{reverse('openid_connect_callback', args=['house'])}?code=x&state=y")
    assert (answer.status_code, signed_in(browser)) == (401, False)


def test_an_identity_is_connected_with_the_factor_and_told(browser, provider):
    """P14: its person signs in first, and proves the factor again."""
    user = make_user("otto", role=Role.OPERATOR)
    add_totp(user)
    password_step(browser, user)
    code_step(browser, totp_code())
    assert go_and_come_back(browser, process="connect").url == reverse("account_reauthenticate")
    assert not SocialAccount.objects.exists()
    browser.post(reverse("mfa_reauthenticate"), {"code": totp_code(steps=1)})
    assert SocialAccount.objects.get().user == user
    assert Entry.objects.filter(event="mfa.changed", facts__factor="identity").exists()
    assert Notice.objects.filter(user=user, detail="Single sign-on offered").exists()
    page = browser.get(reverse("socialaccount_connections")).content.decode()
    assert "Give up" in page


def test_an_identity_is_given_up(browser, provider):
    user = connected(make_user("otto", role=Role.OPERATOR))
    password_step(browser, user)
    page = reverse("socialaccount_connections")
    asked = browser.post(page, {"account": SocialAccount.objects.get().pk})
    browser.post(asked.url, {"password": PASSWORD})
    assert not SocialAccount.objects.exists()
    assert Notice.objects.filter(user=user, detail="Single sign-on removed").exists()


def test_the_sign_in_page_has_the_button_where_a_provider_is_named(browser, provider):
    assert b"Sign in by Haus-Login" in browser.get(reverse("account_login")).content


def test_without_a_provider_there_is_no_button(browser):
    assert b"Sign in by" not in browser.get(reverse("account_login")).content


@pytest.mark.parametrize("issuer", ["http://id.example.com", "id.example.com", "file:///etc/passwd"])
def test_an_issuer_without_tls_is_refused(monkeypatch, issuer):
    monkeypatch.setattr(oidc, "ISSUER", issuer)
    with pytest.raises(ImproperlyConfigured):
        oidc.providers()
