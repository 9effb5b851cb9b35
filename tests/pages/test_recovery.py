"""The desk of the Enterprise Manager, and a lost password walked through in pages."""

from pathlib import Path

import pytest
from django.urls import reverse

from approvals.models import ApprovalRequest
from encryption.models import JobSession, RestorePoint
from encryption.services import backups
from recovery.models import Keyset, RecoveryCase
from recovery.services import cases
from tests.pages.conftest import as_user, text_of
from tests.recovery.conftest import (  # noqa: F401
    ask,
    decided,
    encrypted,
    enterprise,
    job,
    keyset,
    make_job,
    obeyed,
    people,
    roster,
    transactional,
)

pytestmark = pytest.mark.django_db


def test_without_a_keyset_the_desk_says_that_protection_is_off(people, enterprise):  # noqa: F811
    assert "protection is off" in text_of(as_user(people.dpo).get(reverse("recovery")))


def test_who_is_no_enterprise_administrator_generates_nothing(people, enterprise):  # noqa: F811
    assert as_user(people.operator).get(reverse("recovery_generate")).status_code == 403


def test_a_keyset_is_generated_and_asked_for_in_pages(people, enterprise):  # noqa: F811
    browser = as_user(enterprise)
    browser.post(reverse("recovery_generate"), {"description": "Winter", "suite": "x-wing"})
    obeyed()
    made = Keyset.objects.get()
    asked = browser.post(reverse("ask_activate_keyset"), {"keyset": made.pk, "weeks": 4, "reason": "Plan."})
    assert asked.status_code == 302
    request = ApprovalRequest.objects.get(kind="activate_keyset")
    text = text_of(as_user(people.dpo).get(reverse("request", args=[request.pk])))
    assert "Activate the keyset Winter" in text
    assert "for 4 weeks" in text


def test_the_eight_steps_in_pages(people, enterprise, encrypted, decided):  # noqa: F811
    operator, manager = as_user(people.operator), as_user(enterprise)
    operator.post(reverse("recovery_new"), {"jobs": [encrypted.pk], "reason": "Lost.", "number": "INC-7"})
    case = RecoveryCase.objects.get(side="backup")
    cases.make_request(case.pk)
    page = text_of(operator.get(reverse("recovery_case", args=[case.pk])))
    assert "-----BEGIN VEEAMSEC RECOVERY REQUEST-----" in page
    case.refresh_from_db()
    carried = cases.text_of(case)
    manager.post(reverse("recovery_receive"), {"text": carried, "number": "C-1"})
    received = RecoveryCase.objects.get(side="enterprise")
    decided("recover_key", case=received.pk)
    page = text_of(manager.get(reverse("recovery_case", args=[received.pk])))
    response = page[page.index("-----BEGIN VEEAMSEC RECOVERY RESPONSE") : page.index("</pre>")]
    operator.post(reverse("recovery_response", args=[case.pk]), {"text": response})
    cases.open_response(case.pk)
    page = text_of(operator.get(reverse("recovery_case", args=[case.pk])))
    assert "Step 4: restore" in page
    assert f"?case={case.case}" in page
    point = RestorePoint.objects.filter(job=encrypted).first()
    to = f"{encrypted.repository.location}/../../restores/found"
    to = str(Path(to).resolve())
    operator.post(reverse("restore", args=[point.pk]), {"to": to, "case": case.case})
    session = JobSession.objects.filter(kind="restore").latest("created_at")
    backups.run_restore(session.pk)
    assert (Path(to) / "a.txt").read_text() == "alpha"


def test_a_refusal_stands_in_the_form(people, enterprise, encrypted):  # noqa: F811
    answer = as_user(enterprise).post(reverse("recovery_receive"), {"text": "hello", "number": "C-1"})
    assert answer.status_code == 400
    assert "holds no recovery request" in text_of(answer)


def test_who_does_not_run_the_enterprise_sees_no_response(people, enterprise, encrypted):  # noqa: F811
    assert as_user(people.dpo).get(reverse("recovery_own")).status_code == 200
    assert as_user(people.operator).get(reverse("recovery_receive")).status_code == 403
