"""P10: an office that only advises approves nothing, and no page, report or check counts its consent."""

import pytest
from django.urls import reverse
from django.utils import timezone

from approvals import selectors
from approvals.models import Vote
from compliance.reports import formats, governance
from compliance.services.gathering import passwords
from compliance.services.gathering import people as gathered
from tests.approvals.conftest import approve, new_policy, work
from tests.pages.conftest import as_user, text_of
from veeamsec.pages import signs

pytestmark = pytest.mark.django_db


@pytest.fixture
def advised(people, roster, ask):
    """An activation that the CISO advised, and that an administrator alone approved."""
    new_policy(advising_titles=["ciso"])
    request = ask()
    approve(people.ciso, request)
    return work(approve(people.administrator, request))


def test_advice_is_no_consent_of_security(advised):
    assert advised.state == "executed"
    assert not Vote.objects.all().of_security().exists()
    assert not any(vote.is_of_security for vote in advised.votes.all())


def test_no_sign_is_green_for_it(advised, people):
    sign = signs.of_request(advised, advised.state, advised.votes.all(), mine=False, waiting=False)
    assert sign.tone != signs.SEAL
    page = text_of(as_user(people.auditor).get(reverse("request", args=[advised.pk])))
    assert "advised to approve" in page
    assert "Approved by security" not in page


def test_no_report_counts_it(advised, people):
    facts = formats.as_json(governance.build(people.auditor, {}, timezone.now()))["facts"]
    assert (facts["approved_by_security"], facts["approved_by_administrators"]) == (0, 1)


def test_no_check_counts_it(advised):
    assert [row.approved for row in passwords.versions().values()] == [False]
    [asked] = gathered.requests(timezone.now())
    assert not asked.security


def test_a_consent_that_counts_is_counted(people, roster, ask):
    done = work(approve(people.dpo, ask()))
    assert [vote.is_of_security for vote in done.votes.all()] == [True]
    assert list(Vote.objects.all().of_security()) == list(done.votes.all())
    assert selectors.request_detail(done.pk, people.dpo).state == "executed"
