"""Custody in one walk: a copy is stated, failed, proved and drilled, each in the browser of who does it."""

import time
from typing import Any

import pytest
from django.urls import reverse

from approvals.models import ApprovalRequest
from audit.models import Alarm, Entry
from encryption.models import PasswordVersion
from encryption.services import vault
from recovery.models import CustodyProof, CustodyRecord, Release
from recovery.services import custody, releases
from tests.approvals.conftest import CUSTODY, SECRET, approve, roster, work  # noqa: F401
from tests.approvals.executing import change
from tests.pages.browser.test_accessibility import violations

pytestmark = pytest.mark.django_db(transaction=True)
WRONG = "another-Password-9"


def state(page: Any, job: Any, *, generate: bool = False) -> ApprovalRequest:
    """Ask for an activation in the form, and name Norbert as who keeps the one copy."""
    page.goto(reverse("ask_activate"))
    page.check(f"[name=jobs][value='{job.pk}']")
    page.fill("[name=hint]", "Hall 2026")
    if generate:
        page.check("[name=generate]")
        page.select_option("[name=custodian]", label="Norbert")
    else:
        page.fill("[name=new_password]", SECRET)
        page.fill("[name=again]", SECRET)
    page.fill("[name=reason]", "The authority asks for it.")
    copy = {"medium": "paper", "place": "bank safe", "custodian": "Norbert"}
    for name, text in copy.items():
        page.fill(f"[name=custody-0-{name}]", text)
    page.check("[name=custody-0-offline]")
    answers = page.locator("[name^=answer_]")
    for number in range(answers.count()):
        answers.nth(number).fill("As written in the plan.")
    page.click("main button.primary")
    page.wait_for_url(lambda url: "/requests/" in url)
    assert "bank safe" in page.inner_text("main")
    return ApprovalRequest.objects.get()


def prove(page: Any, typed: str) -> CustodyProof:
    """Type it on the custodian's page, and let the worker compare."""
    page.goto(reverse("custody"))
    page.click("a.button:has-text('Prove')")
    page.fill("[name=password]", typed)
    page.click("main button.primary")
    assert page.locator(".state:has-text('Being compared')").count() == 1
    proof = CustodyProof.objects.get(found="waiting")
    custody.judge(proof.pk)
    page.goto(reverse("custody"))
    proof.refresh_from_db()
    return proof


def signs(page: Any, job: Any) -> str:
    """What stands beside the job's name."""
    page.goto(reverse("job", args=[job.pk]))
    return str(page.inner_text(".page-head .title"))


def lights(page: Any, job: Any) -> str:
    """What the password's page says of its copies."""
    page.goto(reverse("password", args=[job.password_id]))
    return str(page.inner_text("ul.lights"))


def test_custody_is_stated_proved_failed_and_drilled(people, roster, job, open_page, complaints):  # noqa: F811
    asker, reader, custodian = (open_page(user) for user in (people.operator, people.dpo, people.nobody))
    request = state(asker, job)
    custodian.goto(reverse("custody"))
    assert custodian.locator("text=You keep no copy").count() == 1
    assert work(approve(people.dpo, request)).state == "executed"
    job.refresh_from_db()
    record = CustodyRecord.objects.get()
    assert record.person_id == people.nobody.person_id

    # Failed: a light that is off, an alarm, no sign.
    assert prove(custodian, WRONG).found == "wrong"
    assert custodian.locator(".state.refuse:has-text('Not the right one')").count() == 1
    assert "1, 1 of them wrong, too many" in lights(reader, job)
    reader.goto(reverse("alarms"))
    assert reader.locator("text=What Norbert typed is not the password “Hall 2026”.").count() == 1
    assert "Secured" not in signs(reader, job)

    # Proved: the sign stands beside the badge, the light is on, the alarm has ended.
    assert not prove(custodian, SECRET).drill
    assert custodian.locator(".state.quiet:has-text('Proved')").count() == 1
    assert "too many" not in lights(reader, job)
    assert "Secured by 1" in signs(reader, job)
    assert not Alarm.objects.filter(kind="custody.wrong", resolved_at=None).exists()

    # Drilled, once wrongly: the sign goes, and comes back with the next right one.
    failed = prove(custodian, WRONG)
    assert (failed.drill, failed.found) == (True, "wrong")
    assert "Secured" not in signs(reader, job)
    drilled = prove(custodian, SECRET)
    assert (drilled.drill, drilled.found) == (True, "equal")
    assert "Secured by 1" in signs(reader, job)
    told = list(Entry.objects.filter(event__startswith="custody.").order_by("sequence"))
    events = [(entry.event, entry.facts.get("drill")) for entry in told]
    assert events == [
        ("custody.stated", None),
        ("custody.failed", False),
        ("custody.proved", False),
        ("custody.failed", True),
        ("custody.proved", True),
    ]

    # Another value: nobody has proved that one.
    again = change(people, job.password_id, custody=[CUSTODY | {"custodian": "Norbert"}])
    assert work(approve(people.dpo, again)).state == "executed"
    assert "Secured" not in signs(reader, job)
    custodian.goto(reverse("custody"))
    assert custodian.locator("text=Not proved yet").count() == 1
    assert PasswordVersion.objects.count() == 2
    assert complaints == []


def test_a_generated_password_is_asked_for_handed_over_and_proved(
    people,
    roster,  # noqa: F811
    job,
    open_page,
    complaints,
):
    asker, reader, custodian = (open_page(user) for user in (people.operator, people.dpo, people.nobody))
    request = state(asker, job, generate=True)
    assert "made by the worker; nobody types it" in asker.inner_text("main")
    reader.goto(reverse("request", args=[request.pk]))
    assert "until then nobody knows it" in reader.inner_text("main")
    assert violations(reader) == []
    assert work(approve(people.dpo, request)).state == "executed"
    assert "Waits for its custodian" in signs(reader, job)
    custodian.goto(reverse("custody"))
    assert violations(custodian) == []
    custodian.click("text=Go to it")
    custodian.click("text=Show it once")
    release = Release.objects.get()
    for _ in range(100):
        release.refresh_from_db()
        if release.public_key is not None:
            break
        time.sleep(0.1)
    releases.seal(release.pk)
    custodian.wait_for_selector("[data-shown]:not([hidden])")
    shown = custodian.inner_text("[data-value]")
    assert violations(custodian) == []
    address = custodian.url
    assert vault.password_of(release.version).reveal() == shown.encode()
    assert "Handed over, not proved" in signs(reader, job)
    custodian.click("text=prove your copy")
    assert prove(custodian, shown).found == "equal"
    assert "Secured by 1" in signs(reader, job)
    assert complaints == []
    # A second look is refused; the asker never had a first.
    assert custodian.goto(address).status == 404
    assert asker.goto(address).status == 404


def test_a_custodian_without_a_role_sees_their_copies_and_nothing_else(people, open_page):
    page = open_page(people.nobody)
    assert page.goto(reverse("custody")).status == 200
    assert page.goto(reverse("passwords")).status == 403
