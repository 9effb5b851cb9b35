"""The operators' console: nothing that the content policy refuses, nothing serious that axe finds."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe

from accounts.models import User
from tests.approvals.conftest import People, job, make_job, people, transactional  # noqa: F401
from tests.pages.conftest import encrypted  # noqa: F401

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_console_is_clean(open_page, people: People, encrypted: Any, complaints, scheme):  # noqa: F811
    User.objects.filter(pk=people.administrator.pk).update(is_staff=True)
    page = open_page(people.administrator, color_scheme=scheme)
    base, found = "/admin/encryption", []
    for path in (
        "/admin/",
        f"{base}/job/",
        f"{base}/job/add/",
        f"{base}/job/{encrypted.pk}/change/",
        f"{base}/job/{encrypted.pk}/permissions/",
        f"{base}/restorepoint/",
        "/admin/audit/entry/",
        "/admin/audit/forwarder/",
        "/admin/audit/forwarder/add/",
        "/admin/approvals/approvalrequest/",
    ):
        page.goto(path)
        found += [(path, said, "") for said in complaints]
        violations = page.run(lambda real: Axe().run(real).response)["violations"]
        serious = [one for one in violations if one["impact"] in ("serious", "critical")]
        found += [(path, one["id"], one["nodes"][0]["html"]) for one in serious]
        # What axe itself writes into the page is refused too, and is not the page's fault.
        complaints.clear()
    assert found == []
