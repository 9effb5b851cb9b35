"""What was counted for a request, and which re-key it became, is the worker's to write."""

import psycopg
import pytest

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("column", ["rekey_id", "execution", "digest", "statement", "policy", "number"])
def test_p7_the_web_ties_no_request_to_anothers_work(as_role, column):
    """P5, P7: an approved request that is tied to a foreign re-key would hold its jobs for ever."""
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        as_role("web").execute(f"UPDATE approvals_approvalrequest SET {column} = NULL")


@pytest.mark.parametrize(
    "column", ["state", "outcome", "execute_by", "decided_at", "ended_at", "sealed_secret"]
)
def test_the_web_writes_what_a_decision_writes(as_role, column):
    as_role("web").execute(f"UPDATE approvals_approvalrequest SET {column} = NULL")
