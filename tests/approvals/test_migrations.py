"""What a new installation starts with."""

import pytest

from approvals.models import Policy

pytestmark = pytest.mark.django_db


def test_a_new_installation_has_one_policy_that_demands_mfa():
    policy = Policy.objects.get()
    assert policy.scope is None
    assert policy.mfa_required
    assert policy.quorum == 1


def test_the_default_procedure_asks_questions():
    policy = Policy.objects.get()
    assert len(policy.procedure_questions) == 4
    assert policy.procedure_text.startswith("Before you ask")
