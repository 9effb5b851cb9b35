"""P9: a generated password is looked for everywhere, and found on the page that it is handed to alone."""

import base64
import logging

import pytest
from django.urls import reverse

from approvals import selectors
from approvals.services import notify
from encryption.services import vault
from recovery.errors import Replayed
from recovery.models import Release
from recovery.services import releases
from tests.approvals.conftest import approve, sign_roster, work
from tests.approvals.test_canary import everything_filed, everything_queued, everything_stored
from tests.pages.conftest import as_user
from tests.recovery.page import Page
from tests.recovery.test_generating import made

pytestmark = pytest.mark.django_db(transaction=True)


def forms(value: bytes) -> list[bytes]:
    """How the value could stand somewhere."""
    return [value, value.hex().encode(), base64.b64encode(value), value.decode().encode("utf-16-le")]


def test_p9_a_generated_password_is_on_the_hand_over_page_alone(
    people, ask, settings, vsec_home, caplog, mailoutbox
):
    """P9"""
    caplog.set_level(logging.DEBUG)
    sign_roster(people)
    request = ask(**made(people))
    notify.notify(request.pk)
    request = work(approve(people.dpo, request))
    assert request.state == "executed", request.outcome
    notify.notify(request.pk)
    release, page = Release.objects.get(), Page()
    browser, base = as_user(people.nobody), f"/custody/releases/{Release.objects.get().pk}"
    at_first = browser.get(f"{base}/").content
    sent = {"public_key": base64.b64encode(page.point).decode()}
    assert browser.post(f"{base}/key/", sent).status_code == 202
    releases.seal(release.pk)
    between = everything_stored() + everything_queued(settings)
    taken = browser.post(f"{base}/take/")
    assert taken.headers["Cache-Control"].startswith("max-age=0, no-cache, no-store")
    shown = page.open(taken.json(), release).encode()
    assert shown == vault.password_of(release.version).reveal()
    password = release.version.password_id
    addresses = [reverse("custody"), reverse("password", args=[password])]
    addresses += [reverse("request", args=[request.pk]), reverse("log"), f"/api/v1/requests/{request.pk}/"]
    places = {
        "the database": everything_stored(),
        "what waited for the page": between,
        "broker and cache": everything_queued(settings),
        "files": everything_filed(vsec_home.path),
        "the log": caplog.text.encode(),
        "mails": b"".join(mail.message().as_bytes() for mail in mailoutbox),
        "evidence": str(selectors.evidence(request)).encode(),
        "pages": b"".join(as_user(people.dpo).get(address).content for address in addresses),
        "the page before it is opened": at_first,
        "what travels to the page": taken.content,
    }
    assert mailoutbox
    assert {place for place, data in places.items() for form in forms(shown) if form in data} == set()
    # A second look is refused, in the browser and below it.
    assert browser.get(f"{base}/").status_code == 404
    assert browser.post(f"{base}/take/").status_code == 409
    with pytest.raises(Replayed):
        releases.take(release.pk, by=people.nobody)
