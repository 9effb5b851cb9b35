"""One proof before execution: typed by a custodian who did not ask, compared by the worker."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Person, Role
from approvals.errors import Invalid, NotEligible, NotFound
from approvals.models import EarlyProof, State
from approvals.services import deadlines, execution, policies, proving, requests
from audit.errors import Later
from audit.models import Alarm, Entry
from recovery.models import CustodyProof, CustodyRecord
from recovery.services import custody
from recovery.services.custody import TooMany
from tests.accounts.factories import handed_a_link
from tests.alarms import assert_ended
from tests.approvals.conftest import CUSTODY, SECRET, approve, new_policy, work
from tests.encryption.conftest import make_user
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db
WRONG = "another-Password-9"


@pytest.fixture
def request_(people, roster, ask):
    """An activation under a policy that demands a proof; Carl keeps the copy."""
    new_policy(custody_proof=True)
    return ask(custody=[CUSTODY | {"custodian": "Carl"}])


def prove(request, by, typed=SECRET) -> EarlyProof:
    proof = proving.offer(request.pk, typed, by=by)
    proving.judge(proof.pk)
    proof.refresh_from_db()
    return proof


def test_nothing_begins_before_a_custodian_proved(request_, people):
    approve(people.dpo, request_)
    with pytest.raises(Later):
        execution.execute(request_.pk)
    request_.refresh_from_db()
    assert (request_.state, request_.rekey) == (State.APPROVED, None)


def test_with_the_proof_it_is_executed_and_the_copy_is_proved(request_, people):
    approve(people.dpo, request_)
    assert prove(request_, people.ciso).found == "equal"
    assert work(request_).state == "executed"
    assert CustodyProof.objects.get().person_id == people.ciso.person_id


def test_the_proof_may_come_before_the_decision(request_, people):
    assert prove(request_, people.ciso).found == "equal"
    approve(people.dpo, request_)
    assert work(request_).state == "executed"


def test_a_wrong_one_is_alarmed_and_begins_nothing(request_, people):
    approve(people.dpo, request_)
    assert prove(request_, people.ciso, WRONG).found == "wrong"
    assert Alarm.objects.filter(kind="custody.wrong", resolved_at=None).exists()
    with pytest.raises(Later):
        execution.execute(request_.pk)


def test_the_alarm_of_a_wrong_one_ends_with_its_request(request_, people):
    prove(request_, people.ciso, WRONG)
    requests.withdraw(request_.pk, by=people.operator, digest=request_.digest)
    assert_ended("custody.wrong")


def test_guesses_that_wait_for_the_worker_count_as_wrong(request_, people):
    for _ in range(5):
        proving.offer(request_.pk, WRONG, by=people.ciso)
    with pytest.raises(TooMany):
        proving.offer(request_.pk, WRONG, by=people.ciso)


def test_p1_a_namesake_made_since_proves_nothing(request_, people):
    """Who asked could make themselves a second custodian of the same name."""
    namesake = make_user("namesake", Role.OPERATOR)
    later = timezone.now() + timedelta(minutes=1)
    Person.objects.filter(pk=namesake.person_id).update(name="Carl", created_at=later)
    approve(people.dpo, request_)
    with pytest.raises(NotEligible):
        prove(request_, namesake)
    assert prove(request_, people.ciso).found == "equal"


def test_p1_an_account_that_the_asker_made_proves_nothing(people, roster, ask):
    new_policy(custody_proof=True)
    handed_a_link(people.nobody, by=people.operator)
    with pytest.raises(Invalid, match="custodian"):
        ask(custody=[CUSTODY | {"custodian": people.nobody.person.name}])


def test_a_name_of_two_persons_is_no_custodian(people, roster, ask):
    new_policy(custody_proof=True)
    Person.objects.filter(pk=make_user("namesake", Role.OPERATOR).person_id).update(name="Carl")
    with pytest.raises(Invalid, match="one person alone"):
        ask(custody=[CUSTODY | {"custodian": "Carl"}])


def test_wrong_ones_are_slowed(request_, people):
    for _ in range(5):
        prove(request_, people.ciso, WRONG)
    with pytest.raises(TooMany):
        proving.offer(request_.pk, SECRET, by=people.ciso)


def test_it_lapses_without_one(request_, people, monkeypatch):
    approve(people.dpo, request_)
    request_.refresh_from_db()
    after = request_.execute_by + timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: after)
    deadlines.expire_due()
    request_.refresh_from_db()
    assert (request_.state, request_.sealed_secret) == (State.LAPSED, None)


def test_a_proof_after_the_end_says_that_it_was_late(request_, people):
    proof = proving.offer(request_.pk, SECRET, by=people.ciso)
    requests.withdraw(request_.pk, by=people.operator, digest=request_.digest)
    proving.judge(proof.pk)
    proof.refresh_from_db()
    assert (proof.found, proof.sealed) == ("late", None)


def test_who_asked_proves_nothing(people, roster, ask):
    new_policy(custody_proof=True)
    rows = [CUSTODY | {"custodian": name} for name in ("Olga", "Carl")]
    request = ask(custody=rows)
    with pytest.raises(NotEligible):
        proving.offer(request.pk, SECRET, by=people.operator)


def test_a_request_that_nobody_could_prove_is_not_asked(people, roster, ask):
    new_policy(custody_proof=True)
    for name in ("Olga", "Somebody Else"):
        with pytest.raises(Invalid, match="custodian"):
            ask(custody=[CUSTODY | {"custodian": name}])


def test_others_are_told_no(request_, people):
    with pytest.raises(NotEligible):
        proving.offer(request_.pk, SECRET, by=people.dpo)
    with pytest.raises(NotFound):
        proving.offer(request_.pk, SECRET, by=people.nobody)


def test_a_password_that_exists_counts_by_its_register(people, roster, make_job, job, ask):
    first = ask(custody=[CUSTODY | {"custodian": "Carl"}])
    approve(people.dpo, first)
    work(first)
    new_policy(custody_proof=True)
    job.refresh_from_db()
    given = {"encryption_password": job.password_id, "new_password": None, "hint": ""}
    request = ask(make_job("More"), **given)
    approve(people.dpo, request)
    with pytest.raises(Later):
        execution.execute(request.pk)
    proof = custody.prove(CustodyRecord.objects.get().pk, SECRET, by=people.ciso)
    custody.judge(proof.pk)
    assert work(request).state == "executed"


def test_a_proof_is_never_written_as_judged(request_, people):
    forged = EarlyProof(request=request_, by=people.ciso, person=people.ciso.person, found="equal")
    forged.judged_at = timezone.now()
    with pytest.raises(IntegrityError, match="offered unjudged"), transaction.atomic():
        forged.save(force_insert=True)


def test_a_judged_proof_stays(request_, people):
    proof = prove(request_, people.ciso, WRONG)
    with pytest.raises(IntegrityError), transaction.atomic():
        EarlyProof.objects.filter(pk=proof.pk).update(found="equal")


def test_a_policy_that_begins_to_demand_it_ends_what_is_open(people, roster, pending):
    new_policy(custody_proof=True)
    assert policies.is_outdated(pending.kind, pending.policy, policies.in_force(None))
    assert deadlines.end_outdated() == 1


def test_a_policy_without_it_is_written_as_before(people):
    assert "custody_proof" not in policies.snapshot(policies.in_force(None))


def test_p9_what_was_typed_is_nowhere(request_, people):
    """P9"""
    proof = prove(request_, people.ciso, "canary-Typed-0452")
    assert proof.sealed is None
    assert not any(b"canary-Typed-0452" in bytes(entry.canonical) for entry in Entry.objects.all())


def test_the_custodian_proves_on_their_page(people, roster, ask):
    new_policy(custody_proof=True)
    request = ask(custody=[CUSTODY | {"custodian": people.nobody.person.name}])
    browser = as_user(people.nobody)
    assert "Waits for your proof" in text_of(browser.get(reverse("custody")))
    url = reverse("custody_prove_asked", args=[request.pk])
    assert browser.post(url, {"password": SECRET}).status_code == 302
    proving.judge(EarlyProof.objects.get().pk)
    assert browser.get(url).status_code == 404
    assert as_user(people.auditor).get(url).status_code == 404


def test_the_requests_page_says_what_is_waited_for(request_, people):
    page = reverse("request", args=[request_.pk])
    assert "Waits for a custodian" in text_of(as_user(people.dpo).get(page))
    prove(request_, people.ciso)
    assert "A custodian proved the password." in text_of(as_user(people.dpo).get(page))


def test_the_api_says_it_and_takes_the_proof(request_, people):
    browser, url = as_user(people.ciso), f"/api/v1/requests/{request_.pk}/"
    assert browser.get(url).json()["custody_proof"] == {"proved": False, "custodians": ["Carl"]}
    sent = browser.post(
        f"{url}prove/",
        {"password": SECRET},
        content_type="application/json",
    )
    assert sent.status_code == 202
    assert SECRET not in sent.content.decode()
    proving.judge(EarlyProof.objects.get().pk)
    assert browser.get(url).json()["custody_proof"]["proved"]


def test_the_rule_is_asked_for_as_any_other(people, roster):
    request = requests.ask(
        "change_policy", by=people.ciso, reason="Proof first.", scope=None, policy={"custody_proof": True}
    )
    approve(people.dpo, request)
    assert work(request).state == "executed"
    assert policies.in_force(None).custody_proof
