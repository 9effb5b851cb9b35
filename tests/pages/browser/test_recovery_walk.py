"""A lost password, and one that is released, in a real browser; the workers do their part between clicks."""

import time
from pathlib import Path

import pytest
from django.urls import reverse

from approvals.services import requests
from encryption.models import JobSession, RestorePoint
from encryption.services import backups
from recovery.models import RecoveryCase, Release
from recovery.services import cases, releases
from tests.approvals.conftest import SECRET, approve, work
from tests.recovery.conftest import (  # noqa: F401
    ask,
    decided,
    encrypted,
    enterprise,
    job,
    keyset,
    make_job,
    people,
    roster,
    transactional,
)

pytestmark = pytest.mark.django_db(transaction=True)


def carried(page) -> str:
    """The text to carry, as a person copies it from the page."""
    return str(page.locator("pre.carried").inner_text())


def test_a_lost_password_from_the_button_to_the_files(
    people,  # noqa: F811
    enterprise,  # noqa: F811
    encrypted,  # noqa: F811
    decided,  # noqa: F811
    open_page,
    complaints,
    vsec_home,
):
    operator, manager = open_page(people.operator), open_page(enterprise)
    operator.goto(reverse("recovery"))
    operator.click("text=I have lost the password")
    operator.check(f"[name=jobs][value='{encrypted.pk}']")
    operator.fill("[name=number]", "INC-7")
    operator.fill("[name=reason]", "Nobody knows it any more.")
    operator.click("main button.primary")
    case = RecoveryCase.objects.get(side="backup")
    cases.make_request(case.pk)
    operator.goto(reverse("recovery_case", args=[case.pk]))
    request = carried(operator)
    manager.goto(reverse("recovery"))
    manager.click("text=Answer a request")
    manager.fill("[name=text]", "> " + request.replace("\n", "\n> "))
    manager.fill("[name=number]", "CASE-1")
    manager.click("main button.primary")
    received = RecoveryCase.objects.get(side="enterprise")
    assert manager.locator("a:has-text('Ask for its answer')").count() == 1
    decided("recover_key", case=received.pk)
    manager.goto(reverse("recovery_case", args=[received.pk]))
    operator.fill("[name=text]", carried(manager))
    operator.click("main button.primary")
    cases.open_response(case.pk)
    operator.goto(reverse("recovery_case", args=[case.pk]))
    operator.click("a.button:has-text('Restore') >> nth=0")
    to = vsec_home.path / "restores" / "found"
    operator.fill("[name=to]", str(to))
    operator.click("main button.primary")
    backups.run_restore(JobSession.objects.get(kind="restore").pk)
    assert (to / "a.txt").read_bytes() == (Path(encrypted.source) / "a.txt").read_bytes()
    assert RestorePoint.objects.filter(job=encrypted).exists()
    assert complaints == []


def test_a_released_password_is_shown_once(people, encrypted, open_page, complaints):  # noqa: F811
    request = requests.ask(
        "release_password",
        by=people.operator,
        reason="The new server needs it.",
        encryption_password=encrypted.password_id,
        user=people.nobody.pk,
    )
    approve(people.dpo, request)
    work(request)
    page = open_page(people.nobody)
    page.goto(reverse("custody"))
    page.click("text=Go to it")
    page.click("text=Show it once")
    page.wait_for_selector("[data-wait]:not([hidden])")
    for _ in range(50):
        if Release.objects.get().public_key is not None:
            break
        time.sleep(0.1)
    releases.seal(Release.objects.get().pk)
    page.wait_for_selector("[data-value]:not([hidden])")
    assert page.locator("[data-value]").inner_text() == SECRET
    assert complaints == []
