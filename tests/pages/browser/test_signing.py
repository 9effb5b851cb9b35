"""Two founders enrol, one brings a second passkey, signs a decision, and the worker's word on it is shown."""

from typing import Any

import pytest
from django.urls import reverse

from accounts.models import CredentialEnrolment, User
from accounts.services import passkeys, security_role
from accounts.services.security_role import Named
from approvals.models import ApprovalRequest, State
from approvals.services import execution, requests
from tests.accounts.factories import PASSWORD
from tests.pages.browser.test_accessibility import violations

pytestmark = pytest.mark.django_db(transaction=True)
DPO = Named("Dora Marchetti", "dora@example.org")
CISO = Named("Carl Winter", "carl@example.org")
ADMINISTRATOR = Named("Adam Bauer", "adam@example.org")


OPTIONS = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Keyring:
    """The virtual authenticators of one browser: one is plugged in, the others lie in a drawer."""

    def __init__(self, page: Any) -> None:
        self.devtools = page.context.new_cdp_session(page)
        self.devtools.send("WebAuthn.enable")
        self.drawer: dict[int, list[Any]] = {}
        self.number = 0
        self.plugged = self._plug()

    def hold(self, number: int) -> None:
        """Put away what is plugged in, and plug in another one."""
        which = {"authenticatorId": self.plugged}
        self.drawer[self.number] = self.devtools.send("WebAuthn.getCredentials", which)["credentials"]
        self.devtools.send("WebAuthn.removeVirtualAuthenticator", which)
        self.number = number
        self.plugged = self._plug()

    def _plug(self) -> str:
        made = self.devtools.send("WebAuthn.addVirtualAuthenticator", {"options": OPTIONS})
        for credential in self.drawer.get(self.number, []):
            stored = {"authenticatorId": made["authenticatorId"], "credential": credential}
            self.devtools.send("WebAuthn.addCredential", stored)
        return str(made["authenticatorId"])


def start(open_page: Any, link: Any) -> tuple[Any, Keyring]:
    """Open a first link, set a password, sign in with it, and register a passkey."""
    page = open_page()
    keyring = Keyring(page)
    page.goto(link.url)
    username = page.input_value("[name=username]")
    page.fill("[name=password]", PASSWORD)
    page.fill("[name=again]", PASSWORD)
    page.click("main button.primary")
    page.fill("[name=login]", username)
    page.fill("[name=password]", PASSWORD)
    page.click("main button.primary")
    page.wait_for_url(lambda url: "2fa" in url)
    add_passkey(page, "Laptop")
    return page, keyring


def add_passkey(page: Any, name: str) -> None:
    """Register a passkey; who signed in just now needs no further proof for it."""
    page.goto(reverse("mfa_add_webauthn"))
    page.fill("[name=name]", name)
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "webauthn/add" not in url)


def asked() -> ApprovalRequest:
    """Other rules, asked for by the administrator."""
    adam = User.objects.get(person__name=ADMINISTRATOR.name)
    return requests.ask("change_policy", by=adam, reason="A week is too long.", policy={"decide_days": 5})


def bring_second(page: Any, keyring: Keyring) -> None:
    """Register a further passkey, and have the first one sign it in."""
    keyring.hold(1)
    add_passkey(page, "Blue key")
    keyring.hold(0)
    page.goto(reverse("account"))
    page.click("text=Put it on the roster")
    assert violations(page) == []
    page.click("text=Sign with a passkey of the roster")
    page.wait_for_selector("text=waiting for the worker")


def approve(page: Any, request: ApprovalRequest) -> None:
    """Approve with the passkey in hand."""
    page.goto(reverse("request", args=[request.pk]))
    page.click("text=Approve with passkey")
    page.click("text=Approve with passkey")
    page.wait_for_url(lambda url: not url.endswith("/decide/"))


def test_a_passkey_of_the_roster_signs_and_the_worker_verifies(vsec_home, open_page, complaints):
    """P8: a signed decision holds by what the worker itself has verified."""
    first, second, _ = security_role.bootstrap(dpo=DPO, ciso=CISO, administrator=ADMINISTRATOR)
    start(open_page, second)
    page, keyring = start(open_page, first)
    security_role.sign_roster()
    bring_second(page, keyring)
    passkeys.enrol_credential(CredentialEnrolment.objects.get().pk)
    page.reload()
    assert page.locator("text=on the roster: your decisions are signed").count() == 2

    keyring.hold(1)
    request = asked()
    approve(page, request)
    assert "the worker verifies it before it acts" in page.inner_text("main")
    execution.execute(request.pk)
    request.refresh_from_db()
    page.reload()
    shown = page.inner_text("main")
    assert "signed with a passkey; the worker verified the signature" in shown
    assert "by roster 2" in shown
    assert (request.state, complaints) == (State.EXECUTED, [])
