"""Adoption of the value in force: typed once, waited for, and shown to who typed it."""

import pytest

from encryption.models import VeeamAdoption
from encryption.services import offers
from tests.pages.veeam_house import make_password, make_server

pytestmark = pytest.mark.django_db


@pytest.fixture
def unproven(people, vsec_home):
    """A password of a Veeam server whose value nobody here knows."""
    return make_password(make_server(), "Standard", since=[100])[0].password


def test_page_of_an_unproven_password_leads_to_adoption(people, browse, unproven):
    page = browse(people.administrator).get(f"/passwords/{unproven.pk}/").content.decode()
    assert f"/passwords/{unproven.pk}/adopt/" in page


def test_page_of_a_held_password_does_not(people, browse, vsec_home):
    held = make_password(make_server(), "Held", since=[100], held=1)[0].password
    assert "/adopt/" not in browse(people.administrator).get(f"/passwords/{held.pk}/").content.decode()


def test_typed_value_is_offered_and_waited_for(people, browse, unproven):
    client = browse(people.administrator)
    sent = client.post(f"/passwords/{unproven.pk}/adopt/", {"password": "Kranich-7-Zitrone"})
    offer = VeeamAdoption.objects.get()
    page = client.get(sent["Location"]).content.decode()
    assert (sent["Location"], "http-equiv" in page) == (f"/adoptions/{offer.pk}/", True)
    assert "Kranich" not in page
    assert b"Kranich" not in bytes(offer.sealed)


def test_what_veeam_said_is_shown(people, browse, unproven):
    client = browse(people.administrator)
    client.post(f"/passwords/{unproven.pk}/adopt/", {"password": "wrong"})
    offer = VeeamAdoption.objects.get()
    offers.end(offer, VeeamAdoption.State.WRONG, "Veeam says that this is not the password.")
    page = client.get(f"/adoptions/{offer.pk}/").content.decode()
    assert ("Veeam says that this is not the password." in page, "http-equiv" in page) == (True, False)


def test_offer_of_another_person_is_not_shown(people, browse, unproven):
    browse(people.administrator).post(f"/passwords/{unproven.pk}/adopt/", {"password": "x"})
    offer = VeeamAdoption.objects.get()
    assert browse(people.ciso).get(f"/adoptions/{offer.pk}/").status_code == 404


def test_who_may_not_ask_is_told_so(people, browse, unproven):
    sent = browse(people.auditor).post(f"/passwords/{unproven.pk}/adopt/", {"password": "x"})
    assert (sent.status_code, VeeamAdoption.objects.count()) == (403, 0)
