"""What a request's statement says of its targets, and what follows from a yes."""

import uuid

import pytest

from encryption import selectors
from encryption.errors import Unknown
from tests.encryption.conftest import SECOND

pytestmark = pytest.mark.django_db


def whats(found: list[dict[str, object]]) -> list[object]:
    return [row["what"] for row in found]


def test_target_facts_of_a_plain_job(bench):
    bench.run()
    facts = selectors.target_facts(bench.job.pk)
    assert (facts["type"], facts["fingerprint"], facts["plain_points"]) == ("job", "", 1)


def test_target_facts_of_an_encrypted_job(activated):
    activated.run()
    facts = selectors.target_facts(activated.job.pk)
    assert facts["fingerprint"] == activated.head()
    assert (facts["restore_points"], facts["plain_points"]) == (1, 0)


def test_target_facts_of_a_password(activated):
    activated.run()
    facts = selectors.target_facts(activated.password)
    assert (facts["type"], facts["name"], facts["restore_points"]) == ("password", "the green folder", 1)


def test_unknown_target_is_refused(db):
    with pytest.raises(Unknown):
        selectors.target_facts(uuid.uuid4())


def test_activation_means_a_full_and_plain_points_stay_plain(bench):
    point = bench.run()
    found = selectors.consequences([bench.job.pk], "activate_encryption")
    assert whats(found) == ["plain", "full"]
    assert found[1]["estimated_bytes"] == point.size


def test_change_of_keys_names_the_old_keyring(activated):
    activated.run()
    found = selectors.consequences([activated.job.pk], "change_password", scope="keys")
    assert whats(found) == ["opens", "old_keyring"]


def test_change_of_data_means_a_full(activated):
    activated.run()
    found = selectors.consequences([activated.job.pk], "change_password", scope="data")
    assert whats(found) == ["opens", "full"]


@pytest.mark.parametrize(("then", "what"), [("keep", "opens"), ("delete", "deleted")])
def test_deactivation(activated, then, what):
    activated.run()
    found = selectors.consequences([activated.job.pk], "deactivate_encryption", then=then)
    assert whats(found) == ["unprotected", what, "full"]


def test_deletion_counts_what_nothing_opens_any_more(activated):
    activated.run()
    (row,) = selectors.consequences([], "delete_password", password=activated.password)
    assert row["points"] == 1


def test_versions_say_what_each_still_opens(activated):
    activated.run()
    activated.rekey("change", SECOND)
    uses = selectors.versions_of(activated.job)
    assert [(use.version.number, use.points, use.in_force) for use in uses] == [(2, 1, True), (1, 0, False)]


def test_jobs_of_a_password_hold_also_a_deactivated_one(activated):
    activated.rekey("deactivate")
    assert selectors.jobs_of_password(activated.password) == [activated.job]
