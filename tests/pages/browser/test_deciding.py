"""What people do with a browser: sign in, decide without scripts, decide with a passkey."""

import pytest
from django.urls import reverse

from approvals.models import State, Vote
from encryption.models import JobSession
from tests.approvals.conftest import fresh_code
from tests.pages.browser.conftest import sign_in

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def passkey_page(people, open_page):
    """A page of the DPO, who is signed in and has registered a passkey of a virtual authenticator."""
    page = open_page(people.dpo)
    devtools = page.context.new_cdp_session(page)
    devtools.send("WebAuthn.enable")
    kind = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True}
    options = kind | {"isUserVerified": True, "automaticPresenceSimulation": True}
    devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
    page.goto(reverse("mfa_add_webauthn"))
    page.fill("[name=code]", fresh_code(people.dpo))
    page.click("main button.primary")
    page.fill("[name=name]", "Blue key")
    page.click("#mfa_webauthn_add")
    page.wait_for_url(lambda url: "webauthn/add" not in url)
    return page


def test_somebody_signs_in_with_password_and_code(people, open_page):
    page = open_page()
    sign_in(page, people.dpo)
    assert "Dora" in page.inner_text("h1")


def test_reading_and_deciding_work_without_scripts(people, pending, open_page):
    page = open_page(java_script_enabled=False)
    sign_in(page, people.dpo)
    page.click(f"text=R-{pending.number} >> xpath=../a")
    page.fill("#comment", "Fits the plan.")
    page.click("button[value=approve]")
    page.fill("#totp", fresh_code(people.dpo))
    page.click("text=Approve with this code")
    pending.refresh_from_db()
    assert (pending.state, Vote.objects.get().comment) == (State.APPROVED, "Fits the plan.")


def test_somebody_rejects_without_scripts(people, pending, open_page):
    page = open_page(people.dpo, java_script_enabled=False)
    page.goto(reverse("request", args=[pending.pk]))
    page.fill("#comment", "Nobody holds it.")
    page.click("button[value=reject]")
    page.fill("#totp", fresh_code(people.dpo))
    page.click("text=Reject with this code")
    pending.refresh_from_db()
    assert pending.state == State.REJECTED


def test_a_passkey_signs_the_decision(people, pending, passkey_page, complaints):
    """P8: the step-up is bound to this decision; the proof is stored with the vote."""
    page = passkey_page
    page.goto(reverse("request", args=[pending.pk]))
    page.click("text=Approve with passkey")
    page.click("text=Approve with passkey")
    page.wait_for_url(lambda url: not url.endswith("/decide/"))
    assert Vote.objects.get().proof["factor"] == "passkey"
    assert complaints == []


def test_a_row_of_custody_is_added_without_scripts(people, job, open_page):
    page = open_page(people.operator, java_script_enabled=False)
    page.goto(reverse("ask_activate"))
    page.fill("#id_custody-0-place", "bank safe")
    page.click("text=One more copy")
    assert page.input_value("#id_custody-0-place") == "bank safe"
    assert page.locator("[name=custody-3-place]").count() == 1


def test_slash_goes_to_the_search(people, open_page):
    page = open_page(people.dpo)
    page.goto(reverse("overview"))
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.name") == "q"


def test_times_are_in_the_readers_zone(people, encrypted, open_page):
    page = open_page(people.dpo, timezone_id="Asia/Tokyo")
    page.goto(reverse("job", args=[encrypted.pk]))
    assert "GMT+9" in page.inner_text("#restore-points tbody time >> nth=0")


def test_progress_moves_by_itself(people, encrypted, open_page, complaints):
    session = JobSession.objects.first()
    JobSession.objects.filter(pk=session.pk).update(state="running", ended_at=None)
    page = open_page(people.dpo)
    page.goto(reverse("session", args=[session.pk]))
    JobSession.objects.filter(pk=session.pk).update(state="succeeded", ended_at=session.ended_at)
    page.wait_for_selector("text=Succeeded")
    assert complaints == []
