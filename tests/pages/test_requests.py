"""Requests on pages: asked by form, read, decided in two steps, withdrawn, printed."""

import re
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import ApprovalRequest, Policy, State
from approvals.services import decisions
from tests.approvals.conftest import SECRET, approve, fresh_code, new_policy, reject
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db


def typed(*, copies: int = 1, **fields: Any) -> dict[str, Any]:
    """What a person types into the form."""
    questions = Policy.objects.order_by("-number").first().procedure_questions
    custody = {"custody-TOTAL_FORMS": "3", "custody-INITIAL_FORMS": "0"}
    for row in range(copies):
        custody |= {
            f"custody-{row}-medium": "paper",
            f"custody-{row}-place": "bank safe",
            f"custody-{row}-custodian": "Dora",
            f"custody-{row}-offsite": "on",
        }
    answers = {f"answer_{number}": "As planned." for number in range(len(questions))}
    return custody | answers | {"reason": "The authority asks for it."} | fields


def activation(job: Any, **fields: Any) -> dict[str, Any]:
    return typed(
        jobs=[str(job.pk)], hint="Hall 2026", new_password=SECRET, again=SECRET, start="next_run", **fields
    )


def only_request() -> ApprovalRequest:
    return ApprovalRequest.objects.get()


def factor_page(client: Client, request: ApprovalRequest, verdict: str = "approve", comment: str = "") -> Any:
    wish = {"verdict": verdict, "digest": request.digest, "comment": comment}
    return client.post(reverse("request_decide", args=[request.pk]), wish)


def hidden(page: Any) -> dict[str, str]:
    """The hidden fields of the last form of a page."""
    form = text_of(page).split("<form")[-1]
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', form))


def test_an_activation_is_asked_by_form(people, job):
    response = as_user(people.operator).post(reverse("ask_activate"), activation(job))
    assert response["Location"] == reverse("request", args=[only_request().pk])


def test_the_password_stands_in_no_page(people, job):
    """P9"""
    client = as_user(people.operator)
    refused = client.post(reverse("ask_activate"), activation(job, reason=""))
    asked = client.post(reverse("ask_activate"), activation(job), follow=True)
    assert SECRET not in text_of(refused) + text_of(asked)


def test_two_different_passwords_are_refused(people, job):
    response = as_user(people.operator).post(reverse("ask_activate"), activation(job) | {"again": "other"})
    assert "not the same" in text_of(response)


def test_a_weak_password_is_refused_in_the_form(people, job):
    weak = activation(job) | {"new_password": "password1234", "again": "password1234"}
    response = as_user(people.operator).post(reverse("ask_activate"), weak)
    assert (response.status_code, ApprovalRequest.objects.count()) == (400, 0)


def test_half_a_copy_is_refused(people, job):
    half = activation(job) | {"custody-1-medium": "paper"}
    response = as_user(people.operator).post(reverse("ask_activate"), half)
    assert "This is missing." in text_of(response)


def test_no_copy_is_refused(people, job):
    response = as_user(people.operator).post(reverse("ask_activate"), activation(job, copies=0))
    assert "State who will hold the password" in text_of(response)


def test_a_change_is_asked_by_form(people, encrypted):
    form = typed(
        encryption_password=str(encrypted.password_id), new_password=SECRET, again=SECRET, scope="keys"
    )
    as_user(people.operator).post(reverse("ask_change"), form)
    assert only_request().kind == "change_password"


def test_a_deactivation_is_asked_by_form(people, encrypted):
    form = typed(jobs=[str(encrypted.pk)], then="keep")
    as_user(people.operator).post(reverse("ask_deactivate"), form)
    assert only_request().kind == "deactivate_encryption"


def test_who_may_not_ask_is_refused(people, job):
    assert as_user(people.auditor).get(reverse("ask_activate")).status_code == 403


def test_the_page_offers_the_decision_to_security(people, pending):
    page = as_user(people.dpo).get(reverse("request", args=[pending.pk]))
    assert "Approve with code" in text_of(page)


def test_p1_the_asker_reads_why_there_are_no_buttons(people, pending):
    """P1"""
    text = text_of(as_user(people.operator).get(reverse("request", args=[pending.pk])))
    assert "another person decides" in text
    assert 'name="verdict"' not in text


def test_p1_a_second_account_of_the_asker_is_refused(people, pending):
    """P1"""
    assert factor_page(as_user(people.second_account), pending).status_code == 403


def test_p1_a_superuser_is_refused(people, pending):
    """P1"""
    assert factor_page(as_user(people.superuser), pending).status_code == 403


def test_a_decision_takes_two_pages_and_no_script(people, pending):
    client = as_user(people.dpo)
    page = factor_page(client, pending)
    client.post(reverse("request_decide", args=[pending.pk]), hidden(page) | {"totp": fresh_code(people.dpo)})
    pending.refresh_from_db()
    assert pending.state == State.APPROVED


def test_p8_a_wrong_code_decides_nothing(people, pending):
    """P8"""
    client = as_user(people.dpo)
    page = factor_page(client, pending)
    answer = client.post(reverse("request_decide", args=[pending.pk]), hidden(page) | {"totp": "000000"})
    pending.refresh_from_db()
    assert (answer.status_code, pending.state) == (401, State.PENDING)


def test_p8_a_factor_page_is_good_once(people, pending):
    """P8"""
    client = as_user(people.dpo)
    fields = hidden(factor_page(client, pending))
    client.post(reverse("request_decide", args=[pending.pk]), fields | {"totp": "000000"})
    fields |= {"totp": fresh_code(people.dpo)}
    assert client.post(reverse("request_decide", args=[pending.pk]), fields).status_code == 401


def test_p5_another_digest_is_refused(people, pending):
    """P5"""
    wish = {"verdict": "approve", "digest": "0" * 64, "comment": ""}
    answer = as_user(people.dpo).post(reverse("request_decide", args=[pending.pk]), wish)
    assert answer.status_code == 409


def test_a_rejection_without_a_comment_comes_back(people, pending):
    page = factor_page(as_user(people.dpo), pending, "reject")
    assert page["Location"] == reverse("request", args=[pending.pk])


def test_a_broken_passkey_answer_decides_nothing(people, pending):
    client = as_user(people.dpo)
    fields = hidden(factor_page(client, pending)) | {"passkey": "[[["}
    assert client.post(reverse("request_decide", args=[pending.pk]), fields).status_code == 401


def test_a_password_is_offered_only_where_policy_allows(people, ask):
    new_policy(mfa_required=False)
    page = factor_page(as_user(people.dpo), ask())
    assert "With your own password" in text_of(page)


def test_p3_with_one_seat_nothing_is_approved(people, pending, monkeypatch):
    """P3"""
    monkeypatch.setattr(decisions.people, "seats", lambda: 1)
    assert factor_page(as_user(people.dpo), pending).status_code == 409


def test_the_asker_withdraws(people, pending):
    client = as_user(people.operator)
    client.post(reverse("request_withdraw", args=[pending.pk]), {"digest": pending.digest})
    pending.refresh_from_db()
    assert pending.state == State.WITHDRAWN


@pytest.mark.parametrize("decide", [approve, reject])
@pytest.mark.parametrize("name", ["request", "request_print"])
def test_a_decided_request_is_a_record(people, pending, decide, name):
    decide(people.dpo, pending, "Because.")
    text = text_of(as_user(people.auditor).get(reverse(name, args=[pending.pk])))
    assert "Because." in text
    assert pending.digest in text


@pytest.mark.parametrize("tab", ["waiting", "mine", "open", "decided", "nonsense"])
def test_tab_draws(people, pending, tab):
    assert as_user(people.dpo).get(reverse("requests"), {"tab": tab}).status_code == 200


def test_what_waits_is_counted_in_the_frame(people, pending):
    assert '<span class="count">1' in text_of(as_user(people.dpo).get(reverse("overview")))


def test_a_request_of_others_is_not_found(people, pending):
    assert as_user(people.nobody).get(reverse("request", args=[pending.pk])).status_code == 404


def test_a_row_of_custody_is_added_without_a_script(people, job):
    """What was typed stays, but for the password (P9)."""
    text = text_of(as_user(people.operator).post(reverse("ask_activate"), activation(job) | {"more": "1"}))
    assert [f"custody-{row}-place" in text for row in (3, 4)] == [True, False]
    assert "bank safe" in text
    assert "The authority asks for it." in text
    assert SECRET not in text


def test_a_change_is_shown_before_it_is_asked(people, job):
    text = text_of(as_user(people.operator).post(reverse("ask_activate"), activation(job) | {"look": "1"}))
    assert "nothing is asked yet" in text
    assert "“Hall 2026” · version 1" in text
    assert (SECRET in text, ApprovalRequest.objects.count()) == (False, 0)
