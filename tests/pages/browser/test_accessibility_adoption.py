"""The pages around an adopted repository: nothing that axe finds, nothing wider than the screen."""

from uuid import UUID

import pytest
from django.urls import reverse

from encryption.crypto import kdf
from encryption.engines.registry import engine_for
from encryption.models import Job, RepositoryAdoption
from encryption.services import adopting
from tests.pages.browser.test_accessibility import faults

pytestmark = pytest.mark.django_db(transaction=True)
FOUND = UUID("b5b1c0de-0000-4000-8000-000000000001")
UNREAD = [{"what": f"{FOUND}/{UUID(int=number)}.vsb", "why": "It was cut."} for number in range(3)]


def pages_of_adoption(people, place) -> dict[str, str]:
    engine_for(place).activate(FOUND, root=b"r" * 32, user_key=FOUND, parameters=kdf.new_parameters())
    rows = {}
    for state in ("done", "failed", "waiting"):
        row = adopting.adopt(place.pk, by=people.operator)
        if state != "waiting":
            adopting.run_adoption(row.pk)
            said = "The repository cannot be read: Input/output error." if state == "failed" else ""
            RepositoryAdoption.objects.filter(pk=row.pk).update(
                state=state, said=said, unread=5, named=UNREAD, signers={str(FOUND): 12}
            )
            rows[state] = reverse("repository_adoption", args=[row.pk])
    password = Job.objects.get(pk=FOUND).password_id
    return rows | {
        "adopt": reverse("repository_adopt", args=[place.pk]),
        "repositories": reverse("repositories"),
        "password": reverse("password", args=[password]),
        "typed": reverse("adopt", args=[password]),
        "job": reverse("job", args=[FOUND]),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_adoption_have_no_fault(people, encrypted, open_page, complaints, scheme):
    page = open_page(people.operator, color_scheme=scheme)
    pages = pages_of_adoption(people, encrypted.repository)
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []
