"""Forwarders by their use cases and in the console: who may, what is refused, where the key goes."""

import pytest
from django.test import Client

from accounts.errors import NotEligible
from accounts.models import Role
from audit import queue
from audit.errors import NotReceived
from audit.models import Entry, Forwarder, Outbox
from encryption.crypto.secret import Secret
from encryption.errors import ForwarderRefused, Unknown
from encryption.services import forwarding
from tests.accounts import factories
from tests.audit.outbox import LEASE
from tests.encryption.conftest import make_user

pytestmark = pytest.mark.django_db
KEY = b"a key of the webhook, long enough for a MAC"
BACKEND = "allauth.account.auth_backends.AuthenticationBackend"


@pytest.fixture
def admin(vsec_home):
    user = make_user("ada", Role.ADMINISTRATOR)
    user.is_staff = True
    user.save()
    factories.add_totp(user)
    return user


def webhook(by, **changes) -> Forwarder:
    fields = {"name": "SIEM", "way": "webhook", "form": "json", "host": "siem.example", "port": 443}
    key = changes.pop("secret", Secret(KEY))
    return forwarding.make(by=by, secret=key, **(fields | {"path": "/in"} | changes))


def syslog(by, **changes) -> Forwarder:
    fields = {"name": "syslog", "way": "tls", "form": "syslog", "host": "siem.example", "port": 6514}
    return forwarding.make(by=by, **(fields | changes))


def test_made_with_its_entry_and_its_bell(admin):
    made = webhook(admin)
    assert Entry.objects.get(event="forwarder.made").facts["host"] == "siem.example"
    assert Outbox.objects.get(name=queue.Task.FORWARD).ref == made.pk


def test_made_one_sends_from_now_on(admin):
    syslog(admin)
    made = syslog(admin, name="second")
    assert made.position == 0


def test_made_one_sends_the_whole_log_where_asked(admin):
    syslog(admin)
    assert syslog(admin, name="second", from_start=True).position == -1


@pytest.mark.parametrize("role", [Role.OPERATOR, Role.ENTERPRISE, Role.AUDITOR, Role.SERVICE])
def test_nobody_else_makes_one(admin, role):
    with pytest.raises(NotEligible):
        syslog(make_user("otto", role))
    assert Entry.objects.filter(event="attempt.refused").count() == 1


def test_no_role_of_a_superuser_makes_one(admin):
    user = make_user("root")
    user.is_superuser = True
    with pytest.raises(NotEligible):
        syslog(user)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"host": "https://siem.example"},
        {"host": "siem.example\r\nX: y"},
        {"port": 0},
        {"port": 70_000},
        {"form": "json"},
        {"authority": "no certificate"},
        {"authority": "-----BEGIN CERTIFICATE-----\nbroken\n-----END CERTIFICATE-----"},
        {"way": "tcp", "certificate": "-----BEGIN CERTIFICATE-----"},
        {"certificate": "-----BEGIN CERTIFICATE-----"},
        {"secret": Secret(KEY)},
        {"position": 7},
        {"sealed_secret": b"x"},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_a_wrong_one_is_refused(admin, changes):
    with pytest.raises(ForwarderRefused):
        syslog(admin, **changes)
    assert not Forwarder.objects.exists()


@pytest.mark.parametrize(
    "changes", [{"secret": None}, {"secret": Secret(b"short")}, {"path": "/a b"}], ids=str
)
def test_a_wrong_webhook_is_refused(admin, changes):
    with pytest.raises(ForwarderRefused):
        webhook(admin, **changes)


def test_a_name_is_one_forwarder_s(admin):
    syslog(admin)
    with pytest.raises(ForwarderRefused):
        syslog(admin)


def test_the_key_is_opened_by_the_worker_alone(admin):
    made = webhook(admin)
    assert KEY not in bytes(made.offered_secret)
    assert forwarding.secret_of(made) == KEY
    made.refresh_from_db()
    assert made.offered_secret is None
    assert KEY not in bytes(made.sealed_secret)
    assert forwarding.secret_of(made) == KEY


@pytest.mark.parametrize("offered", [True, False], ids=["as it arrived", "as it is kept"])
@pytest.mark.parametrize("change", [{"host": "thief.example"}, {"port": 8443}, {"path": "/other"}], ids=str)
def test_a_row_that_leads_elsewhere_opens_no_key(admin, change, offered):
    made = webhook(admin)
    if not offered:
        forwarding.secret_of(made)
    Forwarder.objects.update(**change)
    with pytest.raises(NotReceived, match="another place"):
        forwarding.secret_of(Forwarder.objects.get())


def test_a_key_of_another_row_does_not_open(admin):
    first, second = webhook(admin), webhook(admin, name="second")
    forwarding.secret_of(first)
    first.refresh_from_db()
    Forwarder.objects.filter(pk=second.pk).update(offered_secret=None, sealed_secret=first.sealed_secret)
    with pytest.raises(NotReceived):
        forwarding.secret_of(Forwarder.objects.get(pk=second.pk))


def test_another_place_wants_the_key_anew(admin):
    made = webhook(admin)
    with pytest.raises(ForwarderRefused, match="key is missing"):
        forwarding.change(made.pk, by=admin, host="other.example")
    forwarding.change(made.pk, by=admin, host="other.example", secret=Secret(KEY[::-1]))
    assert forwarding.secret_of(Forwarder.objects.get()) == KEY[::-1]


def test_another_name_keeps_the_key_and_the_position(admin):
    made = webhook(admin)
    Forwarder.objects.update(position=5)
    forwarding.change(made.pk, by=admin, name="Renamed", with_names=True)
    made.refresh_from_db()
    assert (made.name, made.position, forwarding.secret_of(made)) == ("Renamed", 5, KEY)


def test_no_secret_stands_in_the_log(admin):
    made = webhook(admin)
    forwarding.change(made.pk, by=admin, secret=Secret(KEY[::-1]))
    assert not any(
        KEY in bytes(row.canonical) or KEY[::-1] in bytes(row.canonical) for row in Entry.objects.all()
    )


def test_stopped_and_resumed_with_their_entries(admin):
    made = syslog(admin)
    forwarding.stop(made.pk, by=admin)
    assert not Forwarder.objects.get().active
    forwarding.resume(made.pk, by=admin)
    assert Forwarder.objects.get().active
    told = Entry.objects.filter(event__startswith="forwarder.").values_list("event", flat=True)
    assert set(told) == {"forwarder.made", "forwarder.stopped", "forwarder.resumed"}


def test_a_test_is_an_entry_and_a_bell(admin):
    made = syslog(admin)
    forwarding.test(made.pk, by=admin)
    assert Entry.objects.filter(event="forwarder.tested", subject_id=str(made.pk)).count() == 1
    assert Outbox.objects.filter(name=queue.Task.FORWARD).count() == 2


def test_a_stopped_one_is_not_tested(admin):
    made = syslog(admin)
    forwarding.stop(made.pk, by=admin)
    with pytest.raises(ForwarderRefused):
        forwarding.test(made.pk, by=admin)


def test_an_unknown_one_is_said_so(admin):
    with pytest.raises(Unknown):
        forwarding.stop(admin.pk, by=admin)


def test_its_row_of_the_outbox_comes_again(admin, settings):
    """A private place is not allowed here: the worker says so, and tries again later."""
    made = syslog(admin, host="10.0.0.1")
    row = Outbox.objects.get(name=queue.Task.FORWARD)
    queue._run(queue.Task.FORWARD, forwarding.run, str(row.pk), LEASE)
    row.refresh_from_db()
    made.refresh_from_db()
    assert (row.done_at, row.failures, made.failures) == (None, 0, 1)
    assert "VEEAMSEC_FORWARD_TO" in made.last_error


def test_of_two_rows_one_is_enough(admin):
    made = syslog(admin, host="10.0.0.1")
    forwarding.test(made.pk, by=admin)
    row = Outbox.objects.filter(name=queue.Task.FORWARD).first()
    queue._run(queue.Task.FORWARD, forwarding.run, str(row.pk), LEASE)
    row.refresh_from_db()
    assert row.done_at is not None


def test_a_stopped_one_ends_its_row(admin):
    made = syslog(admin)
    forwarding.stop(made.pk, by=admin)
    row = Outbox.objects.get(name=queue.Task.FORWARD)
    queue._run(queue.Task.FORWARD, forwarding.run, str(row.pk), LEASE)
    row.refresh_from_db()
    assert row.done_at is not None
    with pytest.raises(LookupError):
        queue.current()


def console(user) -> Client:
    client = Client(headers={"host": "localhost:8000"})
    client.force_login(user, backend=BACKEND)
    return client


def typed(**changes) -> dict[str, object]:
    fields = {"name": "SIEM", "way": "webhook", "form": "json", "host": "siem.example", "port": 443}
    return fields | {"path": "/in", "secret": KEY.decode()} | changes


def test_console_makes_one(admin):
    console(admin).post("/admin/audit/forwarder/add/", typed())
    assert forwarding.secret_of(Forwarder.objects.get()) == KEY


def test_console_says_why_not(admin):
    answer = console(admin).post("/admin/audit/forwarder/add/", typed(host="a b")).content.decode()
    assert "holds no spaces" in answer


def test_console_never_shows_a_key(admin):
    client = console(admin)
    refused = client.post("/admin/audit/forwarder/add/", typed(host="a b")).content
    client.post("/admin/audit/forwarder/add/", typed())
    page = client.get(f"/admin/audit/forwarder/{Forwarder.objects.get().pk}/change/").content
    assert KEY not in refused + page


def test_console_shows_position_and_error(admin):
    made = webhook(admin)
    Forwarder.objects.update(position=0, last_error="The receiver answered 503.")
    page = console(admin).get("/admin/audit/forwarder/").content.decode()
    assert "The receiver answered 503." in page
    assert str(made.pk) in page


def test_console_sends_a_test(admin):
    made = webhook(admin)
    asked = {"action": "test", "_selected_action": str(made.pk)}
    console(admin).post("/admin/audit/forwarder/", asked)
    assert Entry.objects.filter(event="forwarder.tested").count() == 1
