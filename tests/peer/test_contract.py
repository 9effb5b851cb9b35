"""What the peer answers, held against the vendor's specification by openapi-core: a sample of every path."""

import json
from typing import Any

import pytest

from tests.peer.client import Session
from tests.peer.contract import check, judge
from veeamsec.peer import serve
from veeamsec.peer.seeds.small import COPIES, KMS, STANDARD, UNUSED

READINGS = (
    "serverTime",
    "serverInfo",
    "encryptionPasswords",
    "jobs",
    "jobs/states",
    "sessions",
    "backups",
    "backupObjects",
    "restorePoints",
    "kmsServers",
    "configBackup",
    "security/users",
    "security/roles",
    "security/settings",
    "generalOptions/eventForwarding",
    "securityAnalyzer/bestPractices",
    "authorization/events",
    "backupInfrastructure/repositories",
    "backupInfrastructure/repositories/states",
    "backupInfrastructure/scaleOutRepositories",
)
INSIDE = (
    "encryptionPasswords/{}",
    "jobs/{}",
    "sessions/{}",
    "backups/{}",
    "backupObjects/{}",
    "restorePoints/{}",
    "kmsServers/{}",
    "security/users/{}",
    "security/roles/{}",
    "authorization/events/{}",
    "backupInfrastructure/repositories/{}",
    "backupInfrastructure/scaleOutRepositories/{}",
)
BELOW = (
    "sessions/{}/logs",
    "backups/{}/objects",
    "backups/{}/backupFiles",
    "backupObjects/{}/restorePoints",
    "security/users/{}/roles",
    "security/roles/{}/permissions",
)
CERTIFICATE = {"certificate": "QUJD", "formatType": "Pem"}


@pytest.fixture(autouse=True)
def _specification():
    judge()


@pytest.fixture
def lived(peer):
    """A server where something of every kind happened."""
    peer.control.run_job("Finance VMs")
    peer.control.four_eyes_request("Backup deletion")
    peer.control.send_events_to("127.0.0.1", 9)
    peer.control.mute(31700)
    return peer


@pytest.mark.parametrize("path", READINGS)
def test_reading_is_as_specified(lived, session, path):
    assert check(session.get(path)).status_code == 200


@pytest.mark.parametrize("path", INSIDE + BELOW)
def test_every_object_is_as_specified(lived, session, path):
    # Each job is of another type.
    most = 30 if path == "jobs/{}" else 6
    entries = session.get(path.partition("/{}")[0], limit=most).json()["data"]
    assert {check(session.get(path.format(one["id"]))).status_code for one in entries} == {200}


def test_a_file_is_as_specified(session):
    backup = session.get("backups").json()["data"][0]["id"]
    file = session.get(f"backups/{backup}/backupFiles").json()["data"][0]["id"]
    check(session.get(f"backups/{backup}/backupFiles/{file}"))


def test_token_is_as_specified(peer, stranger):
    form = {"grant_type": "Password", "username": peer.account.name, "password": peer.account.password}
    tokens = check(stranger.post("/api/oauth2/token", data=form)).json()
    form = {"grant_type": "Refresh_token", "refresh_token": tokens["refresh_token"]}
    assert check(stranger.post("/api/oauth2/token", data=form)).status_code == 200


def test_logout_is_as_specified(session):
    check(session.http.post("/api/oauth2/logout"))


def test_life_of_a_password_is_as_specified(session):
    made = check(session.post("encryptionPasswords", {"hint": "New", "password": "one"})).json()
    path = f"encryptionPasswords/{made['id']}"
    check(session.put(path, made | {"hint": "Newer"}))
    check(session.post(f"{path}/changepassword", {"hint": "Newer", "password": "two"}))
    check(session.post(f"{path}/verify", {"password": "two"}))
    check(session.delete(path))


def test_life_of_a_job_is_as_specified(peer, session):
    path = f"jobs/{peer.control.job_id('Finance VMs')}"
    check(session.put(path, session.get(path).json() | {"description": "changed"}))
    check(session.post(f"{path}/disable"))
    check(session.post(f"{path}/enable"))
    check(session.post(f"{path}/start", {"performActiveFull": False}))
    check(session.post(f"{path}/stop", {"gracefulStop": True}))
    check(session.post(f"{path}/retry", {"startChainedJobs": False}))


@pytest.mark.parametrize("block", ["password", "kms", "off"])
def test_every_job_is_as_specified_in_every_encryption(peer, session, block):
    control = peer.control
    for name in control.jobs():
        if name in ("Finance Replica", "Content Scan"):
            continue
        if block == "password":
            control.somebody_switches_on(name, UNUSED)
        elif block == "kms":
            control.somebody_switches_to_kms(name, KMS)
        else:
            control.somebody_switches_off(name)
        path = f"jobs/{control.job_id(name)}"
        check(session.put(path, session.get(path).json()))


def test_life_of_a_kms_server_is_as_specified(session):
    spec: dict[str, Any] = {"name": "kms02", "description": "", "type": "KMS", "port": 5696}
    both = {"serverCertificate": CERTIFICATE, "clientCertificate": CERTIFICATE}
    made = check(session.post("kmsServers", spec | both)).json()
    check(session.put(f"kmsServers/{made['id']}", made | {"description": "changed"}))
    change = {"certificate": CERTIFICATE, "type": "Client"}
    check(session.post(f"kmsServers/{made['id']}/changeCertificate", change))
    check(session.delete(f"kmsServers/{made['id']}"))


def test_people_are_as_specified(session):
    role = session.get("security/roles").json()["data"][0]
    user = {"name": "TECH\\new", "type": "InternalUser", "roles": [role], "isServiceAccount": False}
    made = check(session.post("security/users", user)).json()
    check(session.put(f"security/users/{made['id']}/roles", {"roles": [role]}))
    check(session.delete(f"security/users/{made['id']}"))


def test_analyzer_is_as_specified(session):
    check(session.post("securityAnalyzer/start"))
    check(session.get("securityAnalyzer/lastRun"))
    finding = session.get("securityAnalyzer/bestPractices").json()["items"][0]
    path = f"securityAnalyzer/bestPractices/{finding['id']}"
    check(session.post(f"{path}/suppress", {"note": "accepted"}))
    check(session.post(f"{path}/reset"))
    check(session.post("securityAnalyzer/bestPractices/resetAll"))


def test_configuration_is_as_specified(peer, session):
    settings = session.get("configBackup").json()
    settings["encryption"]["passwordId"] = peer.control.password_id(COPIES)
    check(session.put("configBackup", settings))
    check(session.post("configBackup/backup"))
    receiver = {"serverName": "127.0.0.1", "port": 9, "transportProtocol": "Udp"}
    check(session.put("generalOptions/eventForwarding", {"syslogServer": receiver}))


def test_backups_are_removed_as_specified(session):
    backup = session.get("backups").json()["data"][0]["id"]
    check(session.delete(f"backups/{backup}"))
    assert check(session.get(f"backups/{backup}")).status_code == 404


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("encryptionPasswords", {"hintFilter": "S*", "orderColumn": "ModificationTime", "orderAsc": "true"}),
        ("jobs", {"typeFilter": "BackupCopy", "nameFilter": "*Copy", "skip": 1, "limit": 1}),
        ("restorePoints", {"createdAfterFilter": "2026-01-01T00:00:00Z", "orderColumn": "CreationTime"}),
        ("sessions", {"stateFilter": "Stopped", "orderColumn": "CreationTime"}),
    ],
)
def test_filtered_list_is_as_specified(lived, session, path, query):
    check(session.get(path, **query))


@pytest.mark.parametrize(
    ("account", "path", "status"),
    [
        (None, "jobs/00000000-0000-0000-0000-000000000001", 404),
        ("TECH\\viewer", "encryptionPasswords", 403),
    ],
)
def test_refusal_is_as_specified(as_account, account, path, status):
    assert check(as_account(account).get(path)).status_code == status


def test_bad_request_is_as_specified(peer, session):
    path = f"jobs/{peer.control.job_id('Finance VMs')}"
    model = session.get(path).json()
    model["storage"]["advancedSettings"]["storageData"]["encryption"]["encryptionPasswordId"] = model["id"]
    assert check(session.put(path, model)).status_code == 400


def test_expired_token_is_as_specified(peer, session):
    peer.control.expire_tokens()
    answer = check(session.get(f"encryptionPasswords/{peer.control.password_id(STANDARD)}"))
    assert (answer.status_code, answer.json()["errorCode"]) == (401, "ExpiredToken")


@pytest.mark.parametrize("field", ["name", "type", "storage", "schedule"])
def test_judge_refuses_a_job_without(peer, session, field):
    from openapi_core.validation.response.exceptions import InvalidData

    model = peer.control.job_model("Finance VMs")
    del model[field]
    peer.control.set_job_text("Finance VMs", json.dumps(model))
    with pytest.raises(InvalidData):
        check(session.get(f"jobs/{peer.control.job_id(model['id'])}"))


@pytest.mark.parametrize("seed", ["story", "large"])
def test_other_installations_are_as_specified(seed):
    sizes = {"jobs": 20, "points": 200} if seed == "large" else {}
    with serve(seed, **sizes) as peer, Session(peer) as session:
        assert {check(session.get(path, limit=80)).status_code for path in READINGS} == {200}


@pytest.mark.parametrize("path", [*READINGS, "securityAnalyzer/lastRun"])
def test_a_sound_server_and_its_gaps_are_as_specified(path):
    with serve("sound") as found, Session(found) as signed:
        check(signed.get(path))
        found.control.configuration_backup(on=False, encrypted=False)
        found.control.finds("MFA", "Suppressed")
        found.control.run_analyzer("Failed")
        found.control.somebody_joins("TECH\\newcomer")
        found.control.tier("Scale-out Repository", "capacityTier", encrypted=False, copies=False)
        found.control.alterable("Second Hardened Repository")
        found.control.moves("File Shares Copy", "Hardened Repository")
        found.control.somebody_deletes_job("Finance Copy")
        assert check(signed.get(path)).status_code == 200
