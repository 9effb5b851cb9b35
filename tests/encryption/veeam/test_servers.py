"""Connecting: by an administrator alone, with a password that only the worker opens, for one place."""

import uuid
from datetime import UTC, datetime

import pytest

from accounts.errors import NotEligible
from accounts.models import Role
from audit.models import Entry, Outbox
from encryption.crypto.secret import Secret
from encryption.engines.veeam import tls
from encryption.errors import JobRefused, SealBroken, ServerRefused, VeeamUnreachable
from encryption.models import Repository, VeeamLook, VeeamServer
from encryption.services.veeam import addresses, imports, looking, servers
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db
HERE = "127.0.0.1"


def test_a_connected_server_is_a_repository_that_waits_for_its_import(connect):
    server = connect()
    assert (server.repository.engine, server.repository.location) == ("veeam", "vbr.example:9419")
    assert Outbox.objects.get(name="encryption.veeam_import").ref == server.pk


def test_the_password_rests_nowhere_in_clear(connect):
    """P9: what arrives is sealed to the worker's key, what stays is sealed under its master key."""
    server = connect(address=HERE)
    assert b"Account-pass-1" not in bytes(server.offered_secret)
    servers.client_for(server)
    server.refresh_from_db()
    assert server.offered_secret is None
    assert b"Account-pass-1" not in bytes(server.sealed_secret)
    assert "Account-pass-1" not in str(list(Entry.objects.values_list("facts", flat=True)))


def test_the_worker_opens_what_it_sealed(connect):
    server = connect(address=HERE)
    servers.client_for(server)
    server.refresh_from_db()
    found = servers._account_password(server, servers.place_of(server))
    assert found.reveal() == b"Account-pass-1"


@pytest.mark.parametrize(
    ("field", "value"),
    [("address", "localhost"), ("port", 9420), ("thumbprint", "cd" * 32), ("account", "other")],
)
@pytest.mark.parametrize("taken", [False, True])
def test_a_row_that_was_altered_opens_no_password(connect, field, value, taken):
    """P9: a forged web cannot have the password sent elsewhere."""
    server = connect(address=HERE)
    if taken:
        servers.client_for(server)
    VeeamServer.objects.update(**{field: value})
    server.refresh_from_db()
    with pytest.raises(SealBroken):
        servers.client_for(server)


def test_a_password_of_another_server_does_not_open(connect):
    first, second = connect("One", address=HERE), connect("Two", address=HERE)
    VeeamServer.objects.filter(pk=first.pk).update(offered_secret=second.offered_secret)
    first.refresh_from_db()
    with pytest.raises(SealBroken):
        servers.client_for(first)


def test_what_cannot_be_opened_is_told_on_the_row(connect):
    server = connect(address=HERE)
    servers.client_for(server)
    VeeamServer.objects.update(account="other")
    imports.run_import(server.pk)
    server.refresh_from_db()
    assert "enter them again" in server.error


@pytest.mark.parametrize("role", [None, Role.OPERATOR, Role.AUDITOR])
def test_only_administrators_connect(vsec_home, role):
    with pytest.raises(NotEligible):
        servers.connect(
            by=make_user("otto", role),
            name="Main",
            address="vbr.example",
            account="svc",
            password=Secret(b"x"),
            thumbprint="ab" * 32,
        )
    assert Entry.objects.filter(event="attempt.refused").exists()
    assert not Repository.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"address": "https://vbr.example"},
        {"address": "vbr.example/path"},
        {"address": "user@vbr"},
        {"port": 0},
        {"thumbprint": ""},
        {"thumbprint": "zz"},
        {"thumbprint": "", "authority": "no certificate"},
        {"account": " "},
    ],
)
def test_what_makes_no_sense_is_refused(connect, wrong):
    with pytest.raises(ServerRefused):
        connect(**wrong)


def test_a_name_is_taken_once(connect):
    connect("Main")
    with pytest.raises(JobRefused):
        connect("Main")


def test_a_thumbprint_is_taken_as_people_copy_it(connect):
    assert connect(thumbprint=":".join(["AB"] * 20)).thumbprint == "ab" * 20


def test_new_credentials_ring_for_an_import(connect, admin):
    server = connect()
    Outbox.objects.update(done_at=datetime.now(UTC))
    servers.change_credentials(server.pk, by=admin, password=Secret(b"Second-2"), account="svc2")
    server.refresh_from_db()
    assert server.account == "svc2"
    assert Outbox.objects.filter(name="encryption.veeam_import", done_at=None).exists()


def test_a_disconnected_server_is_not_read(connect, admin, there):
    server = connect()
    servers.disconnect(server.pk, by=admin)
    imports.run_import(server.pk)
    assert there.asked == []


def test_a_disconnected_server_is_watched_again_with_its_password(connect, admin):
    server = connect()
    servers.disconnect(server.pk, by=admin)
    servers.change_credentials(server.pk, by=admin, password=Secret(b"Second-2"))
    server.refresh_from_db()
    assert server.mode == "watching"


@pytest.mark.parametrize("near", ["127.0.0.1", "localhost", "169.254.169.254", "::1", "0.0.0.0", "[::]"])
def test_the_worker_is_sent_to_no_address_of_its_own(settings, near):
    settings.VEEAMSEC_VEEAM_LOCAL = False
    with pytest.raises(VeeamUnreachable):
        addresses.check(near, 9419)


def test_a_look_is_asked_by_a_page_and_done_by_the_worker(admin, monkeypatch):
    seen = tls.Seen("ab" * 32, "cd" * 20, "CN=vbr", datetime(2030, 1, 1, tzinfo=UTC), "TLSv1.3")
    monkeypatch.setattr(tls, "look", lambda *_args: seen)
    wish = looking.ask(HERE, 9419, by=admin)
    assert Outbox.objects.get(name="encryption.veeam_look").ref == wish.pk
    looking.look(wish.pk)
    found = looking.result(wish.pk, by=admin)
    assert (found.seen["thumbprint"], found.error) == ("ab" * 32, "")


def test_a_look_that_fails_says_why(admin, settings):
    settings.VEEAMSEC_VEEAM_LOCAL = False
    wish = looking.ask("localhost", 9419, by=admin)
    looking.look(wish.pk)
    assert "VEEAMSEC_VEEAM_LOCAL" in VeeamLook.objects.get(pk=wish.pk).error


def test_looks_are_few(admin):
    for _ in range(looking.MOST):
        looking.ask("vbr.example", 9419, by=admin)
    with pytest.raises(ServerRefused):
        looking.ask("vbr.example", 9419, by=admin)


def test_an_operator_does_not_look(db):
    with pytest.raises(NotEligible):
        looking.ask("vbr.example", 9419, by=make_user("otto", Role.OPERATOR))


def test_the_web_does_not_write_what_a_look_saw(as_role):
    web = as_role("web")
    granted = "SELECT has_table_privilege('encryption_veeamlook', 'UPDATE')"
    assert web.execute(granted).fetchone() == (False,)


def test_ids_of_places_differ(connect):
    server = connect()
    place = servers.place_of(server)
    assert servers._owner(server.pk, place) != servers._owner(uuid.uuid4(), place)
