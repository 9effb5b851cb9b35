"""After a breach: what a copy of that day holds, by real activations, runs and changes."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.utils import timezone

from approvals.services import requests
from compliance.errors import Invalid, NotFound
from compliance.reports import breach, formats
from encryption.models import Drift, Job, KeysetGuard, PasswordVersion, RestorePoint
from recovery.models import Keyset, Release
from tests.approvals.conftest import CUSTODY, answers, approve, run, work

pytestmark = pytest.mark.django_db


def report(viewer, job: Job, *, day=None, **wanted: str) -> dict[str, Any]:
    asked = wanted or {"job": str(job.pk)}
    asked["day"] = (day or timezone.now().date()).isoformat()
    return formats.as_json(breach.build(viewer, asked, timezone.now()))


@pytest.fixture
def later(executed) -> Iterator[None]:
    """Ten days after the activation."""
    with time_machine.travel(timezone.now() + timedelta(days=10)):
        yield


@pytest.fixture
def changed(executed, job, people) -> Iterator[Job]:
    """Ten days after the activation; five days after it the password was changed."""
    began = timezone.now()
    job.refresh_from_db()
    with time_machine.travel(began + timedelta(days=5)):
        change = requests.ask(
            "change_password",
            by=people.operator,
            reason="Somebody left.",
            encryption_password=job.password_id,
            new_password="Marder-9-Quitte-Oboe-Dunst",
            hint="Hall, the second",
            scope="keys",
            custody=[CUSTODY],
            answers=answers(),
        )
        assert work(approve(people.ciso, change)).state == "executed"
    with time_machine.travel(began + timedelta(days=10)):
        yield job


def days_ago(count: int):
    return (timezone.now() - timedelta(days=count)).date()


def test_the_version_is_that_of_the_day_and_not_of_today(changed, people):
    assert RestorePoint.objects.get(job=changed).password_version.number == 2
    then, now = (report(people.dpo, changed, day=days_ago(count)) for count in (8, 2))
    assert [row["password"] for row in then["tables"]["passwords"]] == ["Hall 2026, version 1"]
    assert [row["password"] for row in now["tables"]["passwords"]] == ["Hall, the second, version 2"]
    assert [row["scope"] for row in then["tables"]["changed"]] == ["keys"]
    assert now["tables"]["changed"] == []
    on_the_day = report(people.dpo, changed, day=days_ago(5))
    assert len(on_the_day["tables"]["passwords"]) == 2
    assert on_the_day["facts"]["points"] == 1


@pytest.mark.parametrize(("own", "said"), [(True, "was not exported"), (False, "another installation")])
def test_of_another_installations_keyset_nothing_is_claimed(executed, job, people, own, said):
    keyset = Keyset.objects.create(suite="x-wing", public=b"half", enterprise=uuid4(), own=own)
    before = timezone.now() - timedelta(days=1)
    KeysetGuard.objects.create(keyset=keyset.pk, suite="x-wing", public=b"half", since=before)
    [row] = report(people.dpo, job)["tables"]["keysets"]
    assert said in row["note"]


def test_who_knew_who_keeps_and_to_whom_it_was_released(executed, job, people):
    version = PasswordVersion.objects.get()
    released = timezone.now()
    Release.objects.create(
        version=version,
        person=people.third.person,
        request=executed.pk,
        expires_at=released + timedelta(days=7),
        sealed_at=released,
        taken_at=released,
    )
    PasswordVersion.objects.update(known_to=[*version.known_to, str(people.third.person_id)])
    told = report(people.dpo, job)
    knew = {(row["how"], row["who"]) for row in told["tables"]["knew"]}
    assert knew == {("Typed it", "Olga"), ("Keeps a copy", "Dora"), ("It was released to", "Tess")}
    [row] = told["tables"]["passwords"]
    assert (row["request"], row["approved_by"]) == (str(executed), "Dora · Security · DPO")
    assert row["derivation"].startswith("argon2id")


def test_a_job_in_clear_says_that_whoever_has_it_reads_it(people, job):
    run(job)
    told = report(people.dpo, job)
    assert told["words"]["The answer in short"] == [
        "Nothing in this copy was encrypted: whoever has it reads it."
    ]
    assert (told["facts"]["plain"], told["tables"]["passwords"]) == (1, [])


def test_categories_and_references_stand_beside_each_job(executed, job, people):
    Job.objects.filter(pk=job.pk).update(data_category="employees", records_reference="VVT 12")
    row = report(people.dpo, job, repository=str(job.repository_id))["tables"]["data"][0]
    assert (row["data_category"], row["records_reference"], row["points"]) == ("employees", "VVT 12", 1)


def test_a_restore_point_brings_the_chain_that_it_builds_on(executed, job, people):
    session = run(job)
    point = RestorePoint.objects.get(session=session)
    assert point.base_id is not None
    told = report(people.dpo, job, restore_point=str(point.pk))
    assert told["facts"]["points"] == 2


def test_what_was_dropped_before_that_day_is_not_in_it(later, job, people):
    RestorePoint.objects.update(dropped_at=timezone.now() - timedelta(days=4))
    points = [report(people.dpo, job, day=days_ago(count))["facts"]["points"] for count in (20, 6, 2)]
    assert points == [0, 1, 0]


def test_a_change_that_nobody_approved_is_told(executed, job, people):
    Drift.objects.create(job=job, what=Drift.What.KEYRING_CHANGED)
    assert len(report(people.dpo, job)["tables"]["drifts"]) == 1


@pytest.mark.parametrize(
    ("wanted", "error"),
    [
        ({}, Invalid),
        ({"job": "x"}, Invalid),
        ({"job": "00000000-0000-0000-0000-000000000001"}, NotFound),
        ({"restore_point": "00000000-0000-0000-0000-000000000001"}, NotFound),
        ({"job": "00000000-0000-0000-0000-000000000001", "repository": "x"}, Invalid),
        ({"job": "00000000-0000-0000-0000-000000000001", "day": "3000-01-01"}, Invalid),
    ],
)
def test_a_copy_that_is_none_is_refused(people, wanted, error):
    with pytest.raises(error):
        breach.build(people.dpo, {"day": timezone.now().date().isoformat()} | wanted, timezone.now())


def test_a_job_that_is_not_ones_own_is_not_known(executed, job, people):
    with pytest.raises(NotFound):
        report(people.nobody, job)
