"""OpenID Connect: identities open what was connected, groups propose, nobody becomes Security by them."""

import pytest
from allauth.account.internal.flows.reauthentication import ReauthenticationRequired
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.internal.flows import connect
from allauth.socialaccount.models import SocialAccount, SocialLogin
from django.conf import settings as product
from django.contrib.auth.models import AnonymousUser
from django.core.exceptions import PermissionDenied
from django.test import RequestFactory

from accounts import rules
from accounts.models import Role, RoleGrant, SecurityMember, User
from audit.models import Entry
from tests.accounts.factories import make_security, make_user
from veeamsec import oidc

GROUPS = {
    "backup": "operator",
    "audit": "auditor",
    "dpo": "security",
    "admins": "administrator",
    "em": "enterprise",
}


@pytest.fixture
def request_(settings):
    settings.VEEAMSEC_OIDC_GROUPS = GROUPS
    request = RequestFactory().get("/account/oidc/house/login/callback/")
    request.user = AnonymousUser()
    request.session = {}
    return request


def arrival(user: User, groups: object = None, *, connected: bool = True) -> SocialLogin:
    account = SocialAccount(
        user=user, provider="house", uid="u-1", extra_data={"userinfo": {"groups": groups}}
    )
    if connected:
        account.save()
    return SocialLogin(user=user, account=account)


@pytest.mark.parametrize(
    ("groups", "roles"),
    [
        (["backup", "audit"], {"operator", "auditor"}),
        (["dpo"], set()),
        (["admins", "em"], set()),
        (["unknown"], set()),
        ("backup", set()),
        (None, set()),
        ([{"a": 1}, 7], set()),
    ],
)
def test_groups_propose_roles_of_the_console_alone(groups, roles):
    """P4: Security and the offices come by decided requests, whatever a provider says."""
    assert rules.proposed_roles(groups, GROUPS) == roles


@pytest.mark.django_db
def test_proposal_is_written_and_grants_nothing(request_):
    user = make_user("nora")
    get_adapter().pre_social_login(request_, arrival(user, ["backup", "dpo", "admins"]))
    assert Entry.objects.get(event="roles.proposed").facts == {"roles": "operator"}
    assert (RoleGrant.objects.count(), SecurityMember.objects.count()) == (0, 0)


@pytest.mark.django_db
def test_what_one_has_is_not_proposed_again(request_):
    get_adapter().pre_social_login(request_, arrival(make_user(role=Role.OPERATOR), ["backup"]))
    assert not Entry.objects.filter(event="roles.proposed").exists()


@pytest.mark.django_db
def test_identity_of_nobody_is_refused(request_):
    with pytest.raises(PermissionDenied):
        get_adapter().pre_social_login(request_, arrival(User(username="x"), ["backup"], connected=False))
    assert not User.objects.exists()


@pytest.mark.django_db
def test_the_same_address_is_not_the_same_person(request_):
    """P14: who controls a mailbox at the provider gets no account here."""
    stranger = User(username="x", email=make_security()[0].email)
    with pytest.raises(PermissionDenied):
        get_adapter().pre_social_login(request_, arrival(stranger, connected=False))
    assert product.SOCIALACCOUNT_EMAIL_AUTHENTICATION is False


@pytest.mark.django_db
def test_service_account_gets_no_session(request_):
    with pytest.raises(PermissionDenied):
        get_adapter().pre_social_login(request_, arrival(make_user(role=Role.SERVICE)))


@pytest.mark.django_db
def test_connecting_asks_for_the_factor_again(request_):
    """P14: a session left open connects no identity of somebody else."""
    request_.user = make_user("nora")
    get_adapter().pre_social_login(request_, arrival(request_.user, connected=False))
    with pytest.raises(ReauthenticationRequired):
        connect.do_connect(request_, arrival(request_.user, connected=False))


def test_nobody_signs_up(request_):
    adapter = get_adapter()
    assert not adapter.is_open_for_signup(request_, None)
    assert not adapter.is_auto_signup_allowed(request_, None)


def test_it_is_off_by_default(client):
    assert (product.SOCIALACCOUNT_PROVIDERS, product.VEEAMSEC_OIDC_GROUPS) == ({}, {})
    assert client.get("/account/oidc/house/login/").status_code == 404


def test_an_issuer_switches_it_on(monkeypatch, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("s3cret\n")
    monkeypatch.setattr(oidc, "ISSUER", "https://id.example.com/realms/house")
    monkeypatch.setenv("VEEAMSEC_OIDC_SECRET_FILE", str(secret))
    [app] = oidc.providers()["openid_connect"]["APPS"]
    assert (app["secret"], app["settings"]["oauth_pkce_enabled"]) == ("s3cret", True)
    assert oidc.form_targets() == ["https://id.example.com"]
