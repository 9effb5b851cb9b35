"""P10: the sign is computed, says since when and how proven, and never more than that."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from encryption import badge
from encryption.attested import Attested
from encryption.badge import Facts, State, Volume
from encryption.crypto import providers
from encryption.models import Job
from encryption.services import drift
from tests.encryption.conftest import FIRST, SECOND

NOW = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
V1, V2 = UUID(int=1), UUID(int=2)
ATTESTED = Attested(UUID(int=9), "aa" * 32, True, "signed", NOW - timedelta(days=1), frozenset({V1}))
FULL = Facts(
    activated=True,
    full_next=False,
    observed="aa" * 32,
    observed_at=NOW - timedelta(hours=1),
    executed_at=NOW - timedelta(days=1),
    attested=ATTESTED,
    volumes={V1: Volume(3, 9)},
)


def test_everything_in_order_is_approved():
    assert badge.judge(FULL, NOW).state == State.APPROVED


@pytest.mark.parametrize(
    ("change", "state"),
    [
        ({"activated": False}, State.PLAIN),
        ({"applying": True}, State.APPLYING),
        ({"drifts": ("x",)}, State.DRIFT),
        ({"observed": "bb" * 32}, State.DRIFT),
        ({"observed_at": NOW - timedelta(hours=25)}, State.UNKNOWN),
        ({"observed_at": NOW + timedelta(hours=1)}, State.UNKNOWN),
        ({"observed_at": None}, State.UNKNOWN),
        ({"attested": None}, State.UNAPPROVED),
        ({"attested": None, "executed_at": NOW}, State.APPLYING),
        ({"attested": "forged"}, State.UNAPPROVED),
        ({"attested": replace(ATTESTED, by_security=False)}, State.ADMINISTRATOR),
        ({"full_next": True}, State.NEXT_RUN),
        ({"volumes": {V1: Volume(3, 9), None: Volume(2, 9)}}, State.APPROVED_FROM),
        ({"volumes": {V1: Volume(3, 9), V2: Volume(1, 9)}}, State.APPROVED_FROM),
    ],
)
def test_anything_else_says_less(change, state):
    """P10: each fact that is missing takes the full sign away."""
    assert badge.judge(replace(FULL, **change), NOW).state == state


def test_older_points_are_counted():
    """P10: approved from a date, with the number of points under other passwords or none."""
    found = badge.judge(replace(FULL, volumes={V1: Volume(3, 9), V2: Volume(1, 9), None: Volume(2, 9)}), NOW)
    assert (found.older, found.label) == (
        3,
        "Approved from 1 November 2026; 3 older points under other passwords or none",
    )


@pytest.mark.django_db
class TestOnFiles:
    """The same from rows, files and signatures."""

    def test_activation_is_approved_from_the_next_run(self, bench):
        bench.attest(bench.rekey("activate", FIRST))
        assert bench.sign().state == State.NEXT_RUN

    def test_after_the_full_it_is_approved(self, bench):
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        assert bench.sign().state == State.APPROVED

    def test_plain_points_keep_it_from_being_full(self, bench):
        bench.run()
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        assert (bench.sign().state, bench.sign().older) == (State.APPROVED_FROM, 1)

    def test_running_rekey_is_not_green(self, activated):
        activated.order("change", SECOND)
        assert activated.sign().state == State.APPLYING

    def test_rekey_without_an_order_that_holds_is_drift(self, activated):
        activated.order("change", SECOND)
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute("UPDATE encryption_rekey SET \"order\" = '{}'")
            cursor.execute("SET session_replication_role = origin")
        assert activated.sign().state == State.DRIFT

    def test_change_needs_its_own_evidence(self, bench):
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        bench.rekey("change", SECOND)
        assert bench.sign().state == State.APPLYING

    def test_administrators_yes_is_no_badge(self, bench):
        bench.attest(bench.rekey("activate", FIRST), by="administrator")
        bench.run()
        assert bench.sign().state == State.ADMINISTRATOR

    def test_level_of_proof_is_told(self, bench):
        bench.attest(bench.rekey("activate", FIRST), level="recorded")
        bench.run()
        assert bench.sign().proof == "recorded"

    def test_statement_about_another_job_proves_nothing(self, bench):
        rekey = bench.rekey("activate", FIRST)
        subject = [{"digest": {"sha256": rekey.steps.get().new_fingerprint}, "name": f"job:{UUID(int=1)}"}]
        bench.attest(rekey, subject=subject)
        assert bench.sign().state == State.UNAPPROVED

    def test_statement_that_is_altered_after_it_was_verified_proves_nothing(self, bench):
        """P10: what a verification found is kept for that very version of the row."""
        bench.attest(bench.rekey("activate", FIRST))
        assert bench.sign().state == State.NEXT_RUN
        with connection.cursor() as cursor:
            cursor.execute("SET session_replication_role = replica")
            cursor.execute(
                "UPDATE encryption_attestation SET envelope = jsonb_set(envelope, '{payload}', '\"e30=\"')"
            )
            cursor.execute("SET session_replication_role = origin")
        assert bench.sign().state == State.UNAPPROVED

    def test_statement_is_not_believed_under_another_key(self, bench, settings, tmp_path):
        """P10: the key that verifies belongs to what is kept."""
        bench.attest(bench.rekey("activate", FIRST))
        assert bench.sign().state == State.NEXT_RUN
        providers.make_worker_keys(tmp_path / "worker", tmp_path / "public")
        settings.PUBLIC_KEYS = tmp_path / "public"
        assert bench.sign().state == State.UNAPPROVED

    def test_statement_is_verified_once(self, bench, monkeypatch):
        bench.attest(bench.rekey("activate", FIRST))
        bench.sign()
        monkeypatch.setattr("audit.dsse.open_envelope", lambda *_: pytest.fail("verified again"))
        assert bench.sign().state == State.NEXT_RUN

    def test_change_behind_our_back_takes_the_badge(self, bench):
        """P10: the sign goes with the next observation."""
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        (bench.folder / "keyring").unlink()
        drift.observe(bench.job.pk)
        assert bench.sign().state == State.DRIFT

    def test_without_observation_it_is_unknown(self, bench):
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        Job.objects.update(observed_at=timezone.now() - timedelta(hours=25))
        assert bench.sign().state == State.UNKNOWN

    def test_many_jobs_cost_no_more_queries_than_one(self, bench, job_maker, django_assert_num_queries):
        bench.attest(bench.rekey("activate", FIRST))
        jobs = [bench.job, *(job_maker(f"Job {number}") for number in range(5))]
        badge.badges(jobs)
        with django_assert_num_queries(5):
            badge.badges(jobs)

    def test_a_long_list_says_the_same(self, bench, job_maker, monkeypatch):
        """P10: also where everybody's rows are read, each job is judged by its own."""
        bench.run()
        bench.attest(bench.rekey("activate", FIRST))
        bench.run()
        jobs = [bench.job, *(job_maker(f"Job {number}") for number in range(2))]
        now = timezone.now()
        few = badge.badges(jobs, now)
        monkeypatch.setattr(badge, "_MANY", 0)
        assert badge.badges(jobs, now) == few
        assert badge.badges(jobs[1:], now) == {job.pk: few[job.pk] for job in jobs[1:]}
