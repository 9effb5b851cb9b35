"""P8, P13: the console shows requests and policies, and changes none, whoever asks."""

import pytest
from django.test import Client
from django.urls import reverse

from approvals.models import Policy, State
from tests.approvals.conftest import approve

pytestmark = pytest.mark.django_db


@pytest.fixture
def root(people) -> Client:
    """A superuser's browser: the most that the console can meet."""
    browser = Client(headers={"host": "localhost:8000"})
    browser.force_login(people.superuser)
    return browser


def address(name: str, *args: object) -> str:
    return reverse(f"admin:approvals_{name}", args=args)


def test_the_list_and_the_page_are_shown(root, pending, people):
    approve(people.dpo, pending)
    assert str(pending) in root.get(address("approvalrequest_changelist")).content.decode()
    page = root.get(address("approvalrequest_change", pending.pk))
    assert page.status_code == 200
    assert b"nonce" not in page.content


@pytest.mark.parametrize("model", ["approvalrequest", "policy"])
def test_p8_nothing_is_added(root, model):
    """P8"""
    assert root.get(address(f"{model}_add")).status_code == 403


def test_p8_no_state_is_set(root, pending):
    """P8"""
    answer = root.post(address("approvalrequest_change", pending.pk), {"state": "approved"})
    pending.refresh_from_db()
    assert answer.status_code == 403
    assert pending.state == State.PENDING


def test_p13_nothing_is_deleted(root, pending):
    """P13"""
    answer = root.post(address("approvalrequest_delete", pending.pk), {"post": "yes"})
    assert answer.status_code == 403
    pending.refresh_from_db()


def test_p13_no_action_deletes(root, pending):
    """P13"""
    root.post(
        address("approvalrequest_changelist"),
        {"action": "delete_selected", "_selected_action": str(pending.pk), "post": "yes"},
    )
    pending.refresh_from_db()
    assert b"delete_selected" not in root.get(address("approvalrequest_changelist")).content


def test_a_policy_is_not_edited(root):
    policy = Policy.objects.get()
    answer = root.post(address("policy_change", policy.pk), {"quorum": "1", "mfa_required": ""})
    policy.refresh_from_db()
    assert answer.status_code == 403
    assert policy.mfa_required
