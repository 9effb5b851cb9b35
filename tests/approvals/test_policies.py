"""P6: which policy a request falls under; no policy is a no."""

from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from approvals import statement
from approvals.errors import Invalid
from approvals.models import Policy
from approvals.services import policies
from encryption.models import Job, Repository
from tests.approvals.conftest import new_policy

pytestmark = pytest.mark.django_db


def own_policy(place: Repository, **fields: object) -> Policy:
    """A policy of one repository."""
    return Policy.objects.create(
        scope=place, number=1, procedure_text="Ask.", procedure_questions=["Why?"], **fields
    )


def test_the_newest_is_in_force(people):
    newest = new_policy(quorum=2)
    assert policies.policy_for([]) == newest


def test_a_repository_has_its_own(job):
    own = own_policy(job.repository, quorum=2)
    assert policies.policy_for([job.pk]) == own


def test_what_was_in_force_then_is_found(people):
    first = Policy.objects.get()
    new_policy(quorum=2, created_at=timezone.now() + timedelta(minutes=1))
    assert policies.policy_for([], before=timezone.now()) == first


def test_jobs_under_different_policies_are_asked_for_apart(job, tmp_path):
    other = Repository.objects.create(name="Cellar", location=str(tmp_path / "cellar"))
    second = Job.objects.create(name="Second", repository=other, source=str(tmp_path))
    own_policy(other)
    with pytest.raises(Invalid, match="different policies"):
        policies.policy_for([job.pk, second.pk])


def test_p6_no_policy_is_a_no(job):
    """P6"""
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM approvals_policy")
        cursor.execute("SET session_replication_role = origin")
    with pytest.raises(Invalid, match="No policy"):
        policies.policy_for([job.pk])


def test_p6_a_policy_for_one_place_alone_covers_no_other(job, tmp_path):
    """P6"""
    other = Repository.objects.create(name="Cellar", location=str(tmp_path / "cellar"))
    with connection.cursor() as cursor:
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("DELETE FROM approvals_policy")
        cursor.execute("SET session_replication_role = origin")
    own_policy(other)
    with pytest.raises(Invalid, match="No policy"):
        policies.policy_for([job.pk])


def test_what_is_frozen_is_what_a_statement_demands():
    assert policies.snapshot(Policy.objects.get()).keys() == statement.POLICY_KEYS
