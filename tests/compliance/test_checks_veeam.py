"""Checks over a Veeam server that is connected and read: sound, with each gap, and read by halves."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from encryption.models import VeeamPassword
from encryption.services.veeam import enforcement
from tests.approvals.conftest import approve, work
from tests.compliance.there import House, analyzed, connect, texts
from veeamsec.peer import Peer, serve
from veeamsec.peer.seeds.ground import EMERGENCY, READING
from veeamsec.peer.seeds.sound import STANDARD

pytestmark = pytest.mark.django_db
RECEIVER = {"address": "10.0.0.9", "tls": 6514, "tcp": 0, "udp": 0}
CHANGED = "Laterne-Quitte-31-Segel-Moos"


@pytest.fixture
def peer() -> Iterator[Peer]:
    """A server where all is as advised."""
    with serve("sound") as found:
        yield found


@pytest.fixture
def house(people: Any, roster: None, peer: Peer, settings: Any) -> House:
    """That server, enforced, sending its events here, and read."""
    settings.VEEAMSEC_SYSLOG = RECEIVER
    peer.control.send_events_to(RECEIVER["address"], RECEIVER["tls"], "Tls")
    found = connect(people, peer)
    enforcement.set_mode(
        found.server.pk, mode="enforced", by=people.administrator, emergency_account=EMERGENCY
    )
    found.read()
    return found


@pytest.mark.finds(
    "passed",
    "changes.reconciled",
    "data.copies",
    "data.immutable",
    "jobs.encrypted",
    "passwords.approved",
    "passwords.strength",
    "requests.by_security",
    "servers.analyzed",
    "servers.configuration_backup",
    "servers.enforced",
    "servers.forwarding",
    "servers.product_checks",
    "servers.tiers",
)
@pytest.mark.finds("not_implemented", "passwords.old_needed", "points.approved")
@pytest.mark.finds("unable_to_detect", "data.restores")
def test_a_sound_server_passes(house):
    house.change_password(STANDARD, CHANGED)
    house.peer.control.run_all()
    house.read()
    found = house.analyzed()
    # A replica is no backup: neither plain, nor without a copy.
    assert (found["data.copies"].total, found["jobs.encrypted"].total) == (5, 5)


@pytest.mark.finds(
    "not_implemented",
    "changes.reconciled",
    "data.copies",
    "data.immutable",
    "drift.explained",
    "jobs.encrypted",
    "passwords.approved",
    "passwords.leavers",
    "servers.analyzed",
    "servers.configuration_backup",
    "servers.enforced",
    "servers.forwarding",
    "servers.product_checks",
    "servers.tiers",
)
@pytest.mark.finds("unable_to_detect", "passwords.strength")
def test_each_gap_is_named(house):
    control = house.peer.control
    control.somebody_joins("TECH\\newcomer")
    control.configuration_backup(encrypted=False)
    control.finds("MFA", "Suppressed")
    control.run_analyzer("Failed")
    control.tier("Scale-out Repository", "capacityTier", encrypted=False, copies=False)
    control.mute(31700)
    control.alterable("Second Hardened Repository")
    control.somebody_edits("File Shares", plain_target)
    control.somebody_switches_off("Finance Copy")
    control.somebody_changes_password(STANDARD)
    house.read()
    found = house.analyzed()
    assert texts(found["servers.enforced"]) == ["Main: 1 others may change passwords or jobs there."]
    assert texts(found["servers.configuration_backup"]) == [
        "Main: its configuration backup is not encrypted."
    ]
    assert "suppressed in Veeam, by one person" in texts(found["servers.product_checks"])[0]
    assert texts(found["servers.analyzed"]) == ["Main: Veeam's analyzer failed."]
    assert texts(found["servers.tiers"]) == ["Main: Scale-out Repository (capacity) is not encrypted."]
    assert texts(found["servers.forwarding"]) == ["Main: 1 kinds of events are muted."]
    assert texts(found["data.immutable"]) == ["HR VMs: its place can be altered."]
    assert texts(found["data.copies"]) == ["HR VMs: no copy of it elsewhere is known."]
    plain = ["Finance Copy: writes in clear.", "File Shares: writes in clear to 1 further places."]
    assert texts(found["jobs.encrypted"]) == plain
    assert {line["about"] for line in found["drift.explained"].evidence} == {"job", "password"}


def plain_target(model: dict[str, Any]) -> None:
    model["secondaryTargets"] = [
        {
            "name": "In clear",
            "type": "FileBackupCopy",
            "primaryJobId": model["id"],
            "backupRepositoryId": model["backupRepository"]["backupRepositoryId"],
            "useCustomEncryption": False,
            "encryption": {"isEnabled": False},
        }
    ]


def test_keys_of_a_kms_server_that_security_approved_pass(people, roster):
    """Nobody holds their value here, and it is not lost."""
    with serve("small") as peer:
        house = connect(people, peer)
        house.read()
        before = house.analyzed()
        kms = VeeamPassword.objects.get(is_kms=True).password
        asked = house.ask("activate_encryption", jobs=["Test VMs"], encryption_password=kms.pk)
        work(approve(people.dpo, asked))
        house.read()
        after = house.analyzed()
    assert f"{kms.hint}: Security did not approve the version in force." in texts(
        before["passwords.approved"]
    )
    assert not [text for text in texts(after["passwords.approved"]) if text.startswith(kms.hint)]
    assert any(text.startswith("Vault VMs:") for text in texts(before["points.approved"]))
    assert not any(text.startswith("Vault VMs:") for text in texts(after["points.approved"]))


@pytest.mark.finds("not_implemented", "passwords.leavers", "passwords.strength")
@pytest.mark.parametrize(
    ("value", "why"), [("Short-1", "shorter than 12 characters."), ("aaaaaaaaaaaaaaaa", "easy to guess.")]
)
def test_a_weak_value_that_was_adopted_is_named(house, value, why):
    house.peer.control.somebody_changes_password(STANDARD, value=value)
    house.read()
    house.adopt(STANDARD)
    found = house.analyzed()
    assert texts(found["passwords.strength"]) == [f"{STANDARD}: {why}"]
    (told,) = texts(found["passwords.leavers"])
    assert told == f"{STANDARD}: no request set it, so who knows it cannot be told."


def test_a_copy_that_rests_or_lies_in_the_same_place_is_none(house):
    house.peer.control.somebody_edits("Finance Copy", lambda model: model.update(isDisabled=True))
    house.peer.control.moves("File Shares Copy", "Hardened Repository")
    house.read()
    short = {text.partition(":")[0] for text in texts(house.analyzed()["data.copies"])}
    assert short == {"Finance VMs", "Finance Copy", "File Shares", "File Shares Copy"}


def test_what_is_gone_at_the_server_writes_nothing(house):
    house.peer.control.somebody_deletes_job("Finance Copy")
    house.read()
    found = house.analyzed()
    assert (found["jobs.encrypted"].found, found["jobs.encrypted"].total) == ("passed", 4)
    assert texts(found["data.copies"]) == ["Finance VMs: no copy of it elsewhere is known."]


def test_an_analyzer_that_last_ran_long_ago_is_named(house):
    control = house.peer.control
    control.move_clock(-timedelta(days=9))
    control.run_analyzer()
    control.move_clock(timedelta(days=9))
    house.read()
    assert texts(house.analyzed()["servers.analyzed"]) == [
        "Main: Veeam's analyzer did not run within a week."
    ]


@pytest.mark.finds(
    "unable_to_detect",
    "changes.reconciled",
    "servers.analyzed",
    "servers.configuration_backup",
    "servers.enforced",
    "servers.forwarding",
    "servers.product_checks",
    "servers.tiers",
)
def test_without_a_server_nothing_is_detected(people):
    assert analyzed(people)["servers.enforced"].summary == "No Veeam server is connected."


def test_what_an_account_may_not_read_is_not_detected(people, roster, peer):
    reader = connect(people, peer, peer.control.account(READING))
    reader.read()
    found = reader.analyzed()
    codes = ("analyzed", "configuration_backup", "forwarding", "product_checks")
    assert {found[f"servers.{code}"].found for code in codes} == {"unable_to_detect"}
    assert texts(found["servers.enforced"]) == ["Main: is only watched."]


def test_a_tier_that_does_not_say_is_no_tier_that_is_encrypted(people, roster):
    """Before 1.3-rev2 the archive tier did not say: beside one that is encrypted, it falls short."""
    with serve("story", build="13.0.0.4967") as older:
        house = connect(people, older)
        house.read()
    assert texts(house.analyzed()["servers.tiers"]) == [
        "Main: Scale-out Repository (archive) does not say whether it is encrypted."
    ]
