"""Chats by their use cases: the address is a secret, it alone says where, and the row tells no more."""

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Role
from audit.errors import NotReceived
from audit.models import Entry, Forwarder
from encryption.crypto.secret import Secret
from encryption.errors import ForwarderRefused
from encryption.services import forwarding
from tests.accounts import factories
from tests.encryption.conftest import make_user
from tests.encryption.services.test_forwarding import console

pytestmark = pytest.mark.django_db
TOKEN = "3ccdd113474722377935511fc85d3dd4"
ADDRESS = f"mmosts://chat.example.com/{TOKEN}"


@pytest.fixture
def admin(vsec_home):
    user = make_user("ada", Role.ADMINISTRATOR)
    user.is_staff = True
    user.save()
    factories.add_totp(user)
    return user


def chat(by, address: str | None = ADDRESS, **changes) -> Forwarder:
    fields = {"name": "Chat", "way": "apprise", "form": "text", "only_alarms": True} | changes
    return forwarding.make(by=by, secret=None if address is None else Secret(address.encode()), **fields)


def test_the_address_alone_says_where(admin):
    made = chat(admin, host="typed.example", port=80, path="/typed")
    assert (made.host, made.port, made.path) == ("chat.example.com", 443, "mmosts")


def test_the_address_is_sealed_and_the_worker_opens_it(admin):
    made = chat(admin)
    assert TOKEN.encode() not in bytes(made.offered_secret)
    assert forwarding.secret_of(made) == ADDRESS.encode()


def test_neither_log_nor_pages_nor_api_tell_it(admin):
    made, client = chat(admin), console(admin)
    chat_page = client.get(f"/admin/audit/forwarder/{made.pk}/change/").content
    listed = client.get("/admin/audit/forwarder/").content + client.get("/api/v1/audit/forwarders/").content
    logged = b"".join(bytes(row.canonical) for row in Entry.objects.all())
    assert b"chat.example.com" in listed
    assert TOKEN.encode() not in chat_page + listed + logged


@pytest.mark.parametrize(
    ("address", "changes"),
    [
        (None, {}),
        ("file:///etc/passwd", {}),
        (f"{ADDRESS}?verify=no", {}),
        (ADDRESS, {"only_alarms": False}),
        (ADDRESS, {"form": "json"}),
        (ADDRESS, {"way": "tls", "host": "a.example", "port": 6514}),
        (ADDRESS, {"certificate": "-----BEGIN CERTIFICATE-----"}),
    ],
)
def test_a_wrong_one_is_refused_without_its_address(admin, address, changes):
    with pytest.raises(ForwarderRefused) as refused:
        chat(admin, address, **changes)
    assert TOKEN not in str(refused.value)
    assert not Forwarder.objects.exists()


def test_another_address_is_another_place(admin):
    made = chat(admin)
    forwarding.change(made.pk, by=admin, secret=Secret(f"slack://T1JJ3T3L2/A1BRTD4JD/{TOKEN}".encode()))
    made.refresh_from_db()
    assert (made.host, made.path) == ("hooks.slack.com", "slack")


def test_without_a_new_address_it_stays_where_it_was(admin):
    made = chat(admin)
    forwarding.change(made.pk, by=admin, name="Renamed", host="evil.example", port=1, path="slack")
    made.refresh_from_db()
    assert (made.host, made.port, forwarding.secret_of(made)) == ("chat.example.com", 443, ADDRESS.encode())


def test_a_webhook_that_becomes_a_chat_wants_the_address(admin):
    made = forwarding.make(
        by=admin, secret=Secret(b"k" * 32), name="W", way="webhook", form="json", host="a.example", port=443
    )
    with pytest.raises(ForwarderRefused, match="key is missing"):
        forwarding.change(made.pk, by=admin, way="apprise", form="text", only_alarms=True)


def test_a_row_that_leads_elsewhere_opens_no_address(admin):
    chat(admin)
    Forwarder.objects.update(host="thief.example")
    with pytest.raises(NotReceived, match="another place"):
        forwarding.secret_of(Forwarder.objects.get())


@pytest.mark.parametrize("changes", [{"only_alarms": False}, {"way": "tls"}, {"form": "syslog"}], ids=str)
def test_the_database_refuses_too(admin, changes):
    made = chat(admin)
    with pytest.raises(IntegrityError), transaction.atomic():
        Forwarder.objects.filter(pk=made.pk).update(**changes)


def test_console_makes_one_without_host_and_port(admin):
    typed = {"name": "Chat", "way": "apprise", "form": "text", "only_alarms": "on", "secret": ADDRESS}
    console(admin).post("/admin/audit/forwarder/add/", typed)
    assert Forwarder.objects.get().host == "chat.example.com"


def test_console_says_which_service_stands_where(admin):
    chat(admin)
    assert "mmosts at chat.example.com:443" in console(admin).get("/admin/audit/forwarder/").content.decode()


@pytest.mark.parametrize("way", ["tls", "webhook"])
def test_console_wants_the_place_of_every_other(admin, way):
    form = "json" if way == "webhook" else "syslog"
    typed = {"name": "S", "way": way, "form": form, "secret": "k" * 32 if way == "webhook" else ""}
    answer = console(admin).post("/admin/audit/forwarder/add/", typed)
    assert answer.status_code == 200
    assert not Forwarder.objects.exists()
