"""What surrounds every page: strict rules for browsers, bounded queries, a first load that is small."""

import gzip
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from encryption.models import JobSession, RestorePoint
from tests.pages.conftest import as_user, text_of

pytestmark = pytest.mark.django_db
PAGES = (
    "overview",
    "requests",
    "jobs",
    "passwords",
    "repositories",
    "people",
    "log",
    "events",
    "alarms",
    "account",
)
# What a page of lists may ask of the database, however long the lists are.
MOST_QUERIES = 60
FIRST_LOAD = 100_000


def test_queries_are_bounded(people, encrypted, pending, make_job):
    for number in range(8):
        make_job(f"Job {number}")
    client = as_user(people.dpo)
    assert {name: count for name in PAGES if (count := queries(client, name)) > MOST_QUERIES} == {}


def test_more_jobs_ask_no_more_of_the_database(people, encrypted, make_job):
    client = as_user(people.dpo)
    # The first request of a session notes where it comes from.
    client.get(reverse("jobs"))
    counted = queries(client, "jobs")
    for number in range(8):
        make_job(f"Job {number}")
    assert queries(client, "jobs") == counted


def queries(client, name):
    with CaptureQueriesContext(connection) as captured:
        client.get(reverse(name))
    return len(captured)


def test_no_style_or_script_stands_in_a_page(people, encrypted, pending):
    client = as_user(people.dpo)
    inline = re.compile(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=")
    assert [name for name in PAGES if inline.search(text_of(client.get(reverse(name))))] == []


def test_the_policy_for_browsers_is_strict(people):
    policy = as_user(people.dpo).get(reverse("overview"))["Content-Security-Policy"]
    assert "unsafe" not in policy
    assert "script-src 'self'" in policy


def test_the_first_load_is_small(people, encrypted, pending):
    page = as_user(people.dpo).get(reverse("job", args=[encrypted.pk])).content
    static = Path(settings.BASE_DIR) / "static"
    font = (static / "fonts/inter-latin-wght-normal.woff2").stat().st_size
    scripts = [static / "css/veeamsec.css", static / "js/app.js", static / "icon.svg"]
    sizes = [len(gzip.compress(part)) for part in (page, *(path.read_bytes() for path in scripts))]
    assert font + sum(sizes) < FIRST_LOAD


def test_a_demo_says_so(people, settings):
    settings.VEEAMSEC_DEMO = True
    assert "This is a demonstration." in text_of(as_user(people.dpo).get(reverse("overview")))


def test_an_open_alarm_of_the_log_is_shouted(people, encrypted):
    from audit.models import Alarm

    Alarm.objects.create(kind="log.altered", severity="critical", subject_type="log", text="Entry 3 differs.")
    assert "The log does not verify" in text_of(as_user(people.dpo).get(reverse("overview")))


def test_a_restore_is_asked_by_form(people, encrypted, vsec_home):
    point = RestorePoint.objects.first()
    client = as_user(people.operator)
    answer = client.post(reverse("restore", args=[point.pk]), {"to": str(vsec_home.path / "restores" / "x")})
    session = JobSession.objects.get(kind="restore")
    assert answer["Location"] == reverse("session", args=[session.pk])


def test_a_restore_into_the_keys_is_refused(people, encrypted, vsec_home):
    point = RestorePoint.objects.first()
    target = {"to": str(vsec_home.path / "keys")}
    answer = as_user(people.operator).post(reverse("restore", args=[point.pk]), target)
    assert answer.status_code == 400


def test_a_run_is_started(people, encrypted):
    as_user(people.operator).post(reverse("job_run", args=[encrypted.pk]))
    assert JobSession.objects.filter(state="queued").count() == 1


def test_who_may_not_run_is_refused(people, encrypted):
    assert as_user(people.auditor).post(reverse("job_run", args=[encrypted.pk])).status_code == 403


def test_fragments_draw(people, encrypted):
    session = JobSession.objects.first()
    client = as_user(people.dpo)
    assert client.get(reverse("job_runs", args=[encrypted.pk])).status_code == 286
    assert client.get(reverse("session_progress", args=[session.pk])).status_code == 286


def test_a_rekey_that_ended_reloads_the_page(people, encrypted):
    from encryption.models import Rekey

    answer = as_user(people.dpo).get(reverse("rekey_progress", args=[Rekey.objects.get().pk]))
    assert answer["HX-Refresh"] == "true"


def test_search_answers(people, encrypted, pending):
    client, words = as_user(people.dpo), ("mail", "olga", "", "nothing like it", "\x00", "9" * 15)
    assert {client.get(reverse("search"), {"q": word}).status_code for word in words} == {200}


def test_search_leads_to_a_request_by_its_number(people, pending):
    answer = as_user(people.dpo).get(reverse("search"), {"q": f"r-{pending.number}"})
    assert answer["Location"] == reverse("request", args=[pending.pk])


def test_search_finds_no_job_of_others(people, encrypted):
    assert "/jobs/" + str(encrypted.pk) not in text_of(
        as_user(people.nobody).get(reverse("search"), {"q": "mail"})
    )
