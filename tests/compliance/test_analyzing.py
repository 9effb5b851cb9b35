"""A run of the analyzer: asked for, done once, kept."""

from collections import Counter

import pytest
from django.db import IntegrityError, connection, transaction
from django.test.utils import CaptureQueriesContext

from audit import services as audit
from audit.models import Entry, Outbox
from bench import crowd
from compliance.checks import CHECKS, Status
from compliance.models import Assessment, Finding
from compliance.services import analyzing
from tests.approvals.conftest import job, make_job, people, transactional  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_run_asks_every_check(people):  # noqa: F811
    done = analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    assert set(done.findings.values_list("code", flat=True)) == set(CHECKS)


def test_of_nothing_nothing_is_detected(people):  # noqa: F811
    done = analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    assert done.findings.get(code="jobs.encrypted").found == Status.UNABLE


def test_a_plain_job_is_named(people, job):  # noqa: F811
    finding = analyzing.analyze(analyzing.ask(by=people.dpo).pk).findings.get(code="jobs.encrypted")
    assert (finding.found, finding.good, finding.total) == (Status.NOT_IMPLEMENTED, 0, 1)
    assert finding.evidence[0]["ref"] == str(job.pk)


def test_two_who_ask_at_once_get_one_run(people):  # noqa: F811
    assert analyzing.ask(by=people.administrator).pk == analyzing.ask(by=people.dpo).pk
    assert Outbox.objects.filter(name="compliance.analyze").count() == 1


def test_a_run_is_done_once(people):  # noqa: F811
    asked = analyzing.ask(by=people.dpo)
    first, again = analyzing.analyze(asked.pk), analyzing.analyze(asked.pk)
    assert (first.done_at, Finding.objects.count()) == (again.done_at, len(CHECKS))
    assert Entry.objects.filter(event="assessment.done").count() == 1


def test_what_was_found_stays_as_it_was(people):  # noqa: F811
    finding = analyzing.analyze(analyzing.ask(by=people.dpo).pk).findings.first()
    with pytest.raises(IntegrityError, match="update of compliance_finding is refused"), transaction.atomic():
        Finding.objects.filter(pk=finding.pk).update(found=Status.PASSED)


def test_a_run_that_is_done_stays_as_it_was(people):  # noqa: F811
    done = analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    with pytest.raises(IntegrityError, match="is refused"), transaction.atomic():
        Assessment.objects.filter(pk=done.pk).update(counts={})


def test_nothing_is_read_once_for_each_job(vsec_home):
    crowd.people()
    crowd.jobs(20, 40)
    asked = analyzing.ask(by=audit.CONSOLE)
    with CaptureQueriesContext(connection) as found:
        analyzing.analyze(asked.pk)
    [(_, times)] = Counter(query["sql"][:110] for query in found.captured_queries).most_common(1)
    assert times <= 3
