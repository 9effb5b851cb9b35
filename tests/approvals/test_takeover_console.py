"""P14: the takeover list goes on: a superuser in the console grants no row of permissions."""

import pytest
from django.contrib import admin

from audit.models import Entry
from encryption.models import JobUserObjectPermission, RepositoryUserObjectPermission
from tests.approvals.http import Browser

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("whose", ["job", "repository"])
@pytest.mark.parametrize("to", ["root", "norbert", "adam"])
def test_p14_a_superuser_grants_no_row_in_the_console(people, job, whose, to):
    """P14: the page of permissions asks for the office, not for the flag; the attempt is in the log."""
    row = job if whose == "job" else job.repository
    browser = Browser(people.superuser).client
    browser.handler.enforce_csrf_checks = False
    page = f"/admin/encryption/{whose}/{row.pk}/permissions/"
    for verb in ("view", "decide", "run"):
        browser.post(page, {"do": "grant", "user": to, "verb": verb})
    assert not JobUserObjectPermission.objects.exists()
    assert not RepositoryUserObjectPermission.objects.exists()
    refused = Entry.objects.filter(event="attempt.refused", actor=people.superuser.pk)
    assert {entry.facts["code"] for entry in refused} == {"not_eligible"}


def test_p14_permission_rows_have_no_table_in_the_console():
    """P14"""
    models = (JobUserObjectPermission, RepositoryUserObjectPermission)
    assert [model for model in models if admin.site.is_registered(model)] == []
