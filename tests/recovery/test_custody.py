"""Custody: stated, proved, failed, drilled; and what the five lights say of it."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.errors import NotEligible
from accounts.models import Person, Role
from audit.models import Alarm, Entry
from encryption import selectors as encryption
from recovery import rules, selectors
from recovery.models import CustodyProof, CustodyRecord
from recovery.services import custody
from tests.accounts.factories import handed_a_link
from tests.alarms import assert_ended
from tests.approvals.conftest import SECRET, approve, work
from tests.encryption.conftest import make_user
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db
COPY = {"medium": "paper", "place": "safe", "offsite": True, "offline": True, "custodian": "Carl"}


@pytest.fixture
def record(people, roster, ask, job) -> CustodyRecord:
    """The one copy of an executed activation, kept by Carl, who asked for nothing."""
    request = ask(custody=[COPY])
    approve(people.dpo, request)
    assert work(request).state == "executed"
    return CustodyRecord.objects.get()


def proved(record: CustodyRecord, by, typed: str = SECRET) -> CustodyProof:
    """Type it, and let the worker compare."""
    proof = custody.prove(record.pk, typed, by=by)
    custody.judge(proof.pk)
    proof.refresh_from_db()
    return proof


def custody_now(record: CustodyRecord) -> selectors.Custody:
    """What the pages show."""
    return selectors.custody_of([record.version], timezone.now())[record.version_id]


def test_what_a_request_states_becomes_the_register(record, people):
    assert (record.custodian, record.person_id) == ("Carl", people.ciso.person_id)
    assert custody_now(record).secured == 0


def test_the_right_password_secures(record, people):
    assert proved(record, people.ciso).found == "equal"
    assert custody_now(record).secured == 1


def test_a_wrong_one_is_logged_and_alarmed_and_secures_nothing(record, people):
    assert proved(record, people.ciso, "another-Password-9").found == "wrong"
    assert custody_now(record).secured == 0
    assert Alarm.objects.filter(kind="custody.wrong", resolved_at=None).exists()


@pytest.mark.alarm("custody.wrong")
def test_the_next_right_one_is_a_drill_and_ends_the_alarm(record, people):
    proved(record, people.ciso)
    proved(record, people.ciso, "another-Password-9")
    assert proved(record, people.ciso).drill
    assert not Alarm.objects.filter(kind="custody.wrong", resolved_at=None).exists()


def test_the_alarm_ends_when_the_value_is_erased(record, people):
    proved(record, people.ciso, "another-Password-9")
    assert custody.watch() == 0
    type(record.version).objects.filter(pk=record.version_id).update(
        sealed_password=None, sealed_root=None, erased_at=timezone.now()
    )
    assert custody.watch() == 1
    assert_ended("custody.wrong")


def test_nobody_else_proves_it(record, people):
    with pytest.raises(NotEligible):
        custody.prove(record.pk, SECRET, by=people.dpo)


def test_p8_a_service_account_of_the_custodian_proves_nothing(record, people):
    """What a program holds says nothing of the person's copy."""
    robot = make_user("prover", Role.SERVICE)
    robot.person, robot.is_human = people.nobody.person, False
    CustodyRecord.objects.filter(pk=record.pk).update(person=people.nobody.person)
    with pytest.raises(NotEligible):
        custody.prove(record.pk, SECRET, by=robot)


def test_the_sixth_wrong_one_in_an_hour_must_wait(record, people):
    for _ in range(rules.MOST_WRONG):
        proved(record, people.ciso, "another-Password-9")
    with pytest.raises(custody.TooMany):
        custody.prove(record.pk, SECRET, by=people.ciso)


def test_p9_what_was_typed_is_erased(record, people):
    """P9: nothing of it stays, right or wrong."""
    proof = proved(record, people.ciso, "canary-Typed-0451")
    assert proof.sealed is None
    assert not any(b"canary-Typed-0451" in bytes(entry.canonical) for entry in Entry.objects.all())


def test_who_asked_does_not_secure_their_own(record, people):
    CustodyRecord.objects.filter(pk=record.pk).update(person=people.operator.person)
    record.refresh_from_db()
    proved(record, people.operator)
    assert custody_now(record).secured == 0


def test_p10_a_proof_does_not_go_over_to_whom_the_copy_is_given(record, people):
    """P10: who never typed it secures nothing, whoever proved the same copy before."""
    CustodyRecord.objects.filter(pk=record.pk).update(person=people.operator.person)
    proved(record, people.operator)
    custody.assign(record.pk, person=people.nobody.person_id, by=people.administrator)
    shown = custody_now(record)
    assert (shown.secured, shown.copies[0].right, shown.lights[-1].on) == (0, None, False)


def test_p10_an_account_that_the_asker_made_secures_nothing(record, people):
    """P1, P10: who asked may have opened its first link; Security's seats were decided by others."""
    custody.assign(record.pk, person=people.nobody.person_id, by=people.administrator)
    record.refresh_from_db()
    proved(record, people.nobody)
    assert custody_now(record).secured == 1
    handed_a_link(people.nobody, by=people.operator)
    assert custody_now(record).secured == 0
    handed_a_link(people.ciso, by=people.operator)
    custody.assign(record.pk, person=people.ciso.person_id, by=people.administrator)
    record.refresh_from_db()
    proved(record, people.ciso)
    assert custody_now(record).secured == 1


def test_a_copy_that_comes_back_is_proved_by_its_own_proof(record, people):
    proved(record, people.ciso)
    for person in (people.nobody, people.ciso):
        custody.assign(record.pk, person=person.person_id, by=people.administrator)
    assert custody_now(record).secured == 1


def test_guesses_that_wait_for_the_worker_count_as_wrong(record, people):
    for _ in range(rules.MOST_WRONG):
        custody.prove(record.pk, "another-Password-9", by=people.ciso)
    with pytest.raises(custody.TooMany):
        custody.prove(record.pk, "another-Password-9", by=people.ciso)


@pytest.mark.parametrize("late", [False, True], ids=["there before", "made since"])
def test_of_two_of_one_name_a_copy_is_nobody_s_unless_one_came_later(people, roster, ask, job, late):
    request = ask(custody=[COPY]) if late else None
    namesake = make_user("namesake", Role.OPERATOR)
    Person.objects.filter(pk=namesake.person_id).update(name="carl")
    request = request or ask(custody=[COPY])
    if late:
        Person.objects.filter(pk=namesake.person_id).update(created_at=timezone.now() + timedelta(hours=1))
    approve(people.dpo, request)
    assert work(request).state == "executed"
    assert CustodyRecord.objects.get().person_id == (people.ciso.person_id if late else None)


def test_a_person_without_a_role_uses_their_page(record, people):
    custody.assign(record.pk, person=people.nobody.person_id, by=people.dpo)
    browser = as_user(people.nobody)
    assert record.version.hint in text_of(browser.get(reverse("custody")))
    browser.post(reverse("custody_prove", args=[record.pk]), {"password": SECRET})
    custody.judge(CustodyProof.objects.get().pk)
    assert "Proved" in text_of(browser.get(reverse("custody")))


def test_the_password_page_shows_the_lights(record, people, job):
    proved(record, people.ciso)
    job.refresh_from_db()
    text = text_of(as_user(people.dpo).get(reverse("password", args=[job.password_id])))
    assert "Secured by 1" in text
    assert encryption.current_version(job.pk) == record.version


# --- the lights, as rules ---------------------------------------------------------------------------------

NOW = timezone.now()


def copy(medium: str = "paper", *, right: bool | None = True, age: int = 1, **fields: object) -> rules.Copy:
    """A proved copy unless told otherwise."""
    at = None if right is None else NOW - timedelta(days=age)
    defaults = {"offsite": True, "offline": True, "person": uuid4()} | fields
    return rules.Copy(medium=medium, right=right, proved_at=at, **defaults)


def on(*copies: rules.Copy) -> str:
    """Which lights are on."""
    return "".join("1" if light.on else "0" for light in rules.lights(copies, NOW))


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ((), "00000"),
        ((copy(), copy("vault"), copy("disk")), "11111"),
        ((copy(), copy(), copy()), "10111"),
        ((copy(), copy("vault")), "01111"),
        ((copy(offsite=False), copy("vault", offsite=False), copy("disk", offsite=False)), "11011"),
        ((copy(offline=False), copy("vault", offline=False), copy("disk", offline=False)), "11101"),
        ((copy(), copy("vault"), copy("disk", right=None)), "11110"),
        ((copy(), copy("vault"), copy("disk", right=False)), "11110"),
        ((copy(), copy("vault"), copy("disk", age=400)), "11110"),
    ],
)
def test_each_light_has_its_reason(copies, expected):
    assert on(*copies) == expected
