"""What is said to be spare is: no page says that a seat may be away when that stops something."""

import pytest
from django.urls import reverse

from approvals import selectors
from tests.approvals.conftest import new_policy
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db
# The seats are a DPO, a CISO and another.
CASES = [
    ({}, 1),
    ({"quorum": 2}, 0),
    ({"quorum": 3}, -1),
    ({"advising_titles": ["other"]}, 0),
    ({"pools": [{"title": "dpo", "count": 1}]}, 0),
    ({"pools": [{"title": "dpo", "count": 2}]}, -1),
]


@pytest.mark.parametrize(("rules", "spare"), CASES, ids=str)
def test_spare_is_what_may_be_away_whoever_it_is(people, roster, rules, spare):
    new_policy(**rules)
    found = selectors.headroom()
    assert (found.active, found.spare, found.needed) == (3, spare, 3 - spare)


def test_the_overview_says_no_more_than_the_rules_allow(people, roster):
    new_policy(quorum=2)
    shown = text_of(as_user(people.dpo).get(reverse("overview")))
    assert "none to spare" in shown
    assert "1 more than needed" not in shown
