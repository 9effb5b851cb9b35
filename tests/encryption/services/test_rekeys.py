"""Activation, change and deactivation on real files: what opens what, before and after."""

import uuid
from datetime import timedelta
from functools import lru_cache

import pytest
from django.utils import timezone

from audit import services as audit
from audit.models import Entry, Outbox
from audit.queue import Task
from encryption import selectors
from encryption.crypto import kdf
from encryption.crypto.secret import Secret
from encryption.engines.registry import engine_for
from encryption.errors import JobBusy, PasswordRefused, TargetChanged, WrongPassword
from encryption.models import Job, JobSession, PasswordVersion, RestorePoint
from encryption.services import rekeys, steps
from tests.encryption.conftest import FIRST, SECOND, Bench

pytestmark = pytest.mark.django_db


@lru_cache
def derived(password: str, parameters: kdf.KdfParameters) -> bytes:
    """Derived once for each version that a test looks into."""
    return kdf.derive_root(Secret(password.encode()), parameters)


def opens(bench: Bench, point: RestorePoint, password: str) -> bool:
    try:
        engine_for(bench.repository).verify(
            bench.job.pk, point.pk, roots=lambda head: derived(password, head.kdf)
        )
    except WrongPassword:
        return False
    return True


def test_full_increment_change_restore(activated, tmp_path):
    """P11: after a change every restore point opens with the new password and none with the old one."""
    full = activated.run()
    activated.write("b.txt", "more")
    increment = activated.run()
    activated.rekey("change", SECOND)
    assert [opens(activated, point, SECOND) for point in (full, increment)] == [True, True]
    assert [opens(activated, point, FIRST) for point in (full, increment)] == [False, False]
    restored = activated.restore(increment, tmp_path / "restored")
    assert [(restored / name).read_text() for name in ("a.txt", "b.txt")] == ["hello", "more"]


def test_activation_writes_a_keyring_of_one_line(bench):
    bench.rekey("activate", FIRST)
    assert (bench.folder / "keyring").read_bytes().count(b"\n") == 1
    assert bench.job.observed_fingerprint == bench.head()


def test_first_run_after_activation_is_an_encrypted_full(bench):
    plain = bench.run()
    bench.rekey("activate", FIRST)
    point = bench.run()
    assert (plain.storage_key, point.kind) == (None, "full")
    assert point.password_version == selectors.current_version(bench.job.pk)
    assert not bench.job.full_next


def test_activation_on_plain_points_leaves_them_readable(bench, tmp_path):
    plain = bench.run()
    bench.rekey("activate", FIRST)
    assert (bench.restore(plain, tmp_path / "restored") / "a.txt").read_text() == "hello"


def test_change_leaves_the_chain_going(activated):
    full = activated.run()
    activated.rekey("change", SECOND)
    assert activated.run().base_id == full.pk


def test_change_of_data_begins_a_new_chain(activated):
    activated.run()
    activated.rekey("change", SECOND, scope="data")
    assert activated.run().kind == "full"


def test_deactivation_leads_to_a_plain_full(activated, tmp_path):
    encrypted = activated.run()
    activated.rekey("deactivate")
    plain = activated.run()
    assert (plain.kind, plain.storage_key, activated.job.password) == ("full", None, None)
    assert (activated.restore(encrypted, tmp_path / "restored") / "a.txt").exists()


def test_activation_again_with_the_same_password_keeps_the_key(activated):
    activated.run()
    before = activated.head()
    activated.rekey("deactivate")
    activated.rekey("activate")
    assert (activated.head(), activated.job.password_id) == (before, activated.password)


def test_activation_under_another_password_rekeys_what_is_there(activated):
    old = activated.run()
    activated.rekey("deactivate")
    activated.password = uuid.uuid4()
    activated.rekey("activate", SECOND)
    assert (opens(activated, old, SECOND), opens(activated, old, FIRST)) == (True, False)


def test_versions_have_their_time_in_force(activated):
    activated.rekey("change", SECOND)
    first, second = PasswordVersion.objects.order_by("number")
    assert first.in_force_until is not None
    assert (second.in_force_from is not None, second.in_force_until) == (True, None)


def test_proof_says_both_ways(activated):
    activated.run()
    rekey = activated.rekey("change", SECOND)
    proof = rekey.steps.get().proof
    assert (proof["new_opens"], proof["old_refused"], proof["lines"]) == (True, True, 1)


def test_intent_stands_in_the_log_before_the_outcome(activated):
    activated.rekey("change", SECOND)
    events = list(Entry.objects.order_by("sequence").values_list("event", flat=True))
    assert events.index("rekey.intent") < events.index("rekey.job_done") < events.index("rekey.ended")


def test_last_step_rings_that_the_rekey_ended(activated):
    rekey = activated.rekey("change", SECOND)
    assert rekey.state == "succeeded"
    assert Outbox.objects.filter(name=Task.REKEY_ENDED, ref=rekey.pk).count() == 1


def test_start_now_queues_a_full(bench):
    bench.rekey("activate", FIRST, start="now")
    assert bench.job.sessions.get().state == "queued"


def test_fulls_beyond_a_nights_number_wait(bench, job_maker):
    """No approval starts a load that nobody saw: the second of one a night waits for the next night."""
    second = job_maker("Second")
    wish = rekeys.Wish(
        action="activate",
        request=uuid.uuid4(),
        request_digest="ab" * 32,
        jobs={bench.job.pk: "", second.pk: ""},
        password=bench.password,
        start="now",
    )
    prepared = rekeys.prepare(wish, Secret(FIRST.encode()))
    until = timezone.now() + timedelta(hours=1)
    with audit.act(by=audit.WORKER, subject="request"):
        rekey = rekeys.start_within(prepared, by=audit.WORKER, retry_until=until, fulls_a_night=1)
    for step in rekey.steps.all():
        steps.run_step(step.pk)
    waiting = Job.objects.filter(next_run_at__gt=timezone.now() + timedelta(hours=23))
    assert (JobSession.objects.count(), waiting.count()) == (1, 1)


def test_duplicate_delivery_does_one_rekey(activated):
    """P11: two deliveries of one message change the keyring once."""
    rekey = activated.order("change", SECOND)
    step = rekey.steps.get()
    steps.run_step(step.pk)
    after = (activated.folder / "keyring").stat().st_ino
    steps.run_step(step.pk)
    assert (activated.folder / "keyring").stat().st_ino == after
    assert Entry.objects.filter(event="rekey.job_done").count() == 2


@pytest.mark.parametrize(
    ("password", "word"),
    [("short", "at least 12"), ("aaaaaaaaaaaaaaaa", "easy to guess"), (FIRST, "nothing would change")],
)
def test_password_policy(activated, password, word):
    with pytest.raises(PasswordRefused, match=word):
        activated.order("change", password)


def test_second_rekey_of_a_job_is_refused(activated):
    activated.order("change", SECOND)
    with pytest.raises((JobBusy, TargetChanged)):
        activated.order("change", "another-Walnut-corridor-77")


def test_changed_keyring_is_refused_before_anything_is_stored(activated):
    """P5: what was approved for one key does not run on another."""
    (activated.folder / "keyring").unlink()
    activated.head = lambda: activated.job.observed_fingerprint
    with pytest.raises(TargetChanged):
        activated.order("change", SECOND)
    assert PasswordVersion.objects.count() == 1
