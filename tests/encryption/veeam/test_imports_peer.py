"""The whole way: a server on this machine is connected, imported, changed behind our back, and read again."""

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from audit.models import Alarm, Entry
from encryption import badge
from encryption.crypto.secret import Secret
from encryption.models import (
    Drift,
    Job,
    RestorePoint,
    VeeamDifference,
    VeeamJob,
    VeeamLook,
    VeeamPassword,
    VeeamServer,
)
from encryption.services.veeam import imports, looking, observing, practices, servers, surroundings
from tests.peer.fixtures import peer  # noqa: F401
from veeamsec.peer import Peer, serve
from veeamsec.peer.seeds.small import COPIES, STANDARD, UNUSED

pytestmark = pytest.mark.django_db
Read = Callable[[], VeeamServer]


@pytest.fixture
def connected(peer: Peer, admin, vsec_home) -> VeeamServer:  # noqa: F811
    return connect_to(peer, admin)


@pytest.fixture
def read(connected: VeeamServer) -> Read:
    def now() -> VeeamServer:
        imports.run_import(connected.pk)
        connected.refresh_from_db()
        assert connected.error == ""
        return connected

    return now


@pytest.fixture
def reader(peer: Peer, admin, vsec_home) -> Iterator[VeeamServer]:  # noqa: F811
    """Connected as somebody who may only read backups."""
    account = next(one for one in peer.accounts.values() if one.role == "Backup Operator")
    return connect_to(peer, admin, account)


def test_every_job_of_every_type_is_read(peer, read):  # noqa: F811
    server = read()
    assert set(Job.objects.values_list("name", flat=True)) == set(peer.control.jobs())
    assert server.build == "13.1.0.411"
    assert server.tls_version.startswith("TLSv1.")


def test_every_restore_point_is_read_and_bound(peer, read):  # noqa: F811
    read()
    with_password = VeeamJob.objects.filter(blocks__0__enabled=True)
    points = RestorePoint.objects.filter(job__veeam__in=with_password)
    assert points.exists()
    assert not points.filter(password_version=None).exists()
    assert not RestorePoint.objects.filter(job__name="Test VMs").exclude(password_version=None).exists()


def test_a_password_that_is_younger_than_its_points_has_two_versions(peer, read):  # noqa: F811
    peer.control.somebody_changes_password(STANDARD)
    peer.control.run_job("Finance VMs")
    read()
    versions = VeeamPassword.objects.get(password__hint=STANDARD).password.versions.order_by("number")
    assert [bool(one.restore_points.exists()) for one in versions] == [True, True]


def test_nothing_changes_when_nothing_changed(peer, read):  # noqa: F811
    read()
    before = Entry.objects.count(), RestorePoint.objects.count(), Drift.objects.count()
    read()
    assert (Entry.objects.count(), RestorePoint.objects.count(), Drift.objects.count()) == before
    assert not VeeamDifference.objects.exists()


def test_what_somebody_changes_is_found(peer, read):  # noqa: F811
    read()
    peer.control.somebody_changes_password(STANDARD)
    peer.control.somebody_switches_off("HR VMs")
    peer.control.somebody_switches_on("Test VMs", UNUSED)
    read()
    found = set(
        Drift.objects.filter(closed_at=None).exclude(what__in=Drift.GAPS).values_list("what", flat=True)
    )
    assert found == {"veeam.password_changed", "veeam.encryption_off", "veeam.encryption_changed"}
    assert Alarm.objects.filter(kind="drift", state="raised").count() == 3
    assert badge.badge(Job.objects.get(name="HR VMs")).state == badge.State.DRIFT


def test_what_is_undone_is_over(peer, read):  # noqa: F811
    read()
    peer.control.somebody_switches_off("HR VMs")
    read()
    peer.control.somebody_switches_on("HR VMs", STANDARD)
    read()
    assert not Drift.objects.filter(job__name="HR VMs", closed_at=None).exists()


def test_a_new_point_is_bound_to_the_new_password(peer, read):  # noqa: F811
    read()
    peer.control.move_clock(timedelta(hours=1))
    peer.control.somebody_changes_password(STANDARD)
    peer.control.move_clock(timedelta(hours=1))
    peer.control.run_job("HR VMs")
    read()
    newest = RestorePoint.objects.filter(job__name="HR VMs").order_by("-created_at").first()
    assert newest.password_version.number == 2
    assert newest.password_version.in_force_from == peer.control.modified_at(STANDARD)


def test_gaps_are_what_is_not_encrypted(peer, read):  # noqa: F811
    read()
    plain = {drift.job.name for drift in Drift.objects.filter(what="veeam.job_plain")}
    copies = {drift.job.name for drift in Drift.objects.filter(what="veeam.copy_plain")}
    assert {"Test VMs", "Cloud Director", "Linux Servers", "Buckets"} <= plain
    assert copies == {"HR Copy"}
    assert not {"Finance Replica", "Content Scan"} & plain


def test_what_stands_beside_is_read(peer, read):  # noqa: F811
    server = read()
    assert server.configuration_backup["encrypted"] is True
    assert server.analyzer["items"]
    assert all(item["text"].count(" ") for item in server.analyzer["items"])
    assert server.enforcement["others"]
    assert server.forwarding["unchecked"] == ""


def test_muted_events_are_named(peer, read):  # noqa: F811
    peer.control.mute(31700)
    peer.control.mute(12345)
    assert [one["id"] for one in read().forwarding["muted"]] == [31700]


def test_events_that_are_sent_to_us_are_known_as_such(peer, read, settings):  # noqa: F811
    settings.VEEAMSEC_SYSLOG = {"address": "10.0.0.9", "tls": 6514, "tcp": 0, "udp": 0}
    peer.control.send_events_to("10.0.0.9", 6514, "Tls")
    assert read().forwarding["ours"] is True
    peer.control.send_events_to("10.0.0.9", 514, "Udp")
    assert read().forwarding["ours"] is False


def test_requests_of_veeams_own_four_eyes_are_read(peer, read):  # noqa: F811
    peer.control.four_eyes_request("Delete backup")
    (request,) = read().four_eyes["events"]
    assert (request["name"], request["state"]) == ("Delete backup", "Pending")


@pytest.mark.parametrize("said", ["LossProtectionEnabled", "Password loss protection should be enabled"])
def test_a_check_is_read_as_its_code_or_its_sentence(said):
    assert practices.sentence(said) == "Password loss protection should be enabled"


def test_an_operator_reads_backups_and_is_told_what_it_may_not(reader):
    imports.run_import(reader.pk)
    reader.refresh_from_db()
    assert reader.error == ""
    assert Job.objects.filter(name="Finance VMs").exists()
    assert reader.enforcement["unchecked"]
    assert "Administrator" in reader.configuration_backup["unchecked"]


@pytest.mark.parametrize("build", ["12.3.1.1139", "13.0.0.4967", "13.0.1.180"])
def test_older_builds_are_read(admin, vsec_home, build):
    with serve(build=build) as older:
        server = connect_to(older, admin)
        imports.run_import(server.pk)
    server.refresh_from_db()
    assert server.error == ""
    assert RestorePoint.objects.exists()


def test_another_certificate_gets_nothing(peer, admin, vsec_home):  # noqa: F811
    server = connect_to(peer, admin, thumbprint="ab" * 32)
    imports.run_import(server.pk)
    server.refresh_from_db()
    assert "another certificate" in server.error
    assert peer.control.seen == []


def test_a_wrong_password_is_told_in_words(peer, admin, vsec_home):  # noqa: F811
    account = peer.account
    server = connect_to(peer, admin, account, password=Secret(b"not-the-one"))
    imports.run_import(server.pk)
    server.refresh_from_db()
    assert server.error
    assert Alarm.objects.get(kind="unobserved").state == "raised"


def test_a_list_that_is_cut_is_not_taken_for_the_whole(peer, read, connected, waits):  # noqa: F811
    read()
    before = RestorePoint.objects.filter(dropped_at=None).count()
    VeeamServer.objects.update(listed_at=None)
    peer.control.fail_next("cut", times=10, path="restorePoints")
    imports.run_import(connected.pk)
    connected.refresh_from_db()
    assert connected.error
    assert RestorePoint.objects.filter(dropped_at=None).count() == before


def test_one_job_is_observed_alone(peer, read):  # noqa: F811
    read()
    peer.control.somebody_switches_off("HR VMs")
    job = Job.objects.get(name="HR VMs")
    assert observing.observe([job.pk]) == ["veeam.encryption_off"]


def test_the_wizard_sees_the_certificate(peer, admin):  # noqa: F811
    wish = looking.ask(peer.address, peer.port, by=admin)
    looking.look(wish.pk)
    found = VeeamLook.objects.get(pk=wish.pk)
    assert (found.seen["thumbprint"], found.error) == (peer.thumbprint, "")


def test_the_analyzer_is_started(peer, read, connected, admin):  # noqa: F811
    read()
    surroundings.ask_analysis(connected.pk, by=admin)
    surroundings.analyze(connected.pk)
    connected.refresh_from_db()
    assert connected.analyzer["started"]
    assert read().analyzer["last_run"]


def test_no_secret_is_written_anywhere(peer, read, caplog, waits):  # noqa: F811
    """P9: neither the account's password nor a token or an encryption password is in a log or a row."""
    caplog.set_level(logging.DEBUG)
    peer.control.fail_next(503, times=2, path="jobs")
    read()
    secrets = [one.password for one in peer.accounts.values()]
    secrets += [peer.control.password_value(hint) for hint in (STANDARD, COPIES)]
    rows = str(list(VeeamServer.objects.values())) + str(list(Entry.objects.values()))
    assert not [one for one in secrets if one in caplog.text + rows]


def connect_to(there: Peer, admin, account=None, **more) -> VeeamServer:
    account = account or there.account
    given = {
        "account": account.name,
        "address": there.address,
        "name": "Main",
        "password": Secret(account.password.encode()),
        "port": there.port,
        "thumbprint": there.thumbprint,
    }
    return servers.connect(by=admin, **(given | more))
