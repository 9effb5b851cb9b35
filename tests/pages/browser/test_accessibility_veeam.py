"""The pages of Veeam servers: nothing that axe finds or the browser complains of, nothing too wide."""

from typing import Any

import pytest
from django.urls import reverse
from django.utils import timezone

from encryption.models import EncryptionPassword, VeeamAdoption, VeeamLook, VeeamServer
from tests.pages.browser.test_accessibility import faults
from tests.pages.veeam_house import make_story

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def story(people: Any) -> VeeamServer:
    """A server with a bit of everything."""
    return make_story()


def offered(by: Any, state: str) -> str:
    """The page of an offer that ended so."""
    password = EncryptionPassword.objects.filter(veeam__isnull=False).first()
    said = "Veeam says that this is not the password."
    made = VeeamAdoption.objects.create(
        password=password, asked_by=by.pk, person=by.person_id, state=state, said=said, done_at=timezone.now()
    )
    return reverse("adoption", args=[made.pk])


def looked_at(by: Any) -> str:
    """The page on which a certificate is compared."""
    seen = {
        "thumbprint": "ab" * 32,
        "thumbprint_sha1": "cd" * 20,
        "subject": "CN=vbr01.corp.example",
        "not_after": "2036-01-01T00:00:00+00:00",
        "tls_version": "TLSv1.3",
    }
    made = VeeamLook.objects.create(
        address="vbr01.corp.example", port=9419, asked_by=by.pk, seen=seen, done_at=timezone.now()
    )
    return reverse("veeam_look", args=[made.pk])


def pages_of(server: VeeamServer, by: Any) -> dict[str, str]:
    of_server = ("veeam_server", "veeam_report", "veeam_settings", "veeam_reconciliation")
    password = EncryptionPassword.objects.filter(veeam__isnull=False).first()
    return {
        **{name: reverse(name) for name in ("veeam", "veeam_connect", "veeam_events", "opens", "drifts")},
        **{name: reverse(name, args=[server.pk]) for name in of_server},
        "look": looked_at(by),
        "password": reverse("password", args=[password.pk]),
        "adopt": reverse("adopt", args=[password.pk]),
        "adopted": offered(by, "adopted"),
        "wrong": offered(by, "wrong"),
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_of_a_veeam_server_have_no_fault(people, story, open_page, complaints, scheme):
    page = open_page(people.administrator, color_scheme=scheme)
    pages = pages_of(story, people.administrator)
    assert {name: found for name, url in pages.items() if (found := faults(page, url))} == {}
    assert complaints == []
