"""Jobs of the peer: whole models, states, runs."""

import json
import time

from tests.peer.client import Session
from veeamsec.peer import encryption
from veeamsec.peer.seeds.ground import READING, VIEWING
from veeamsec.peer.seeds.small import COPIES, KMS

FINANCE = "Finance VMs"


def path_of(peer, name=FINANCE):
    return f"jobs/{peer.control.job_id(name)}"


def block(model):
    return model["storage"]["advancedSettings"]["storageData"]["encryption"]


def types_of(session, points):
    return [session.get(f"restorePoints/{one}").json()["type"] for one in points]


def test_put_gives_back_every_field_as_it_was_sent(peer, session):
    model = session.get(path_of(peer)).json() | {"fieldOfTomorrow": {"a": None, "b": [1, 2.50]}}
    text = json.dumps(model).replace("2.5]", "2.50]")
    put = session.http.put(f"/api/v1/{path_of(peer)}", content=text)
    assert (put.status_code, session.get(path_of(peer)).text) == (200, text)


def test_list_gives_models_as_they_were_sent(peer, session):
    text = peer.control.job_text(FINANCE).replace("{", "{ ", 1)
    peer.control.set_job_text(FINANCE, text)
    assert text in session.get("jobs").text


def test_put_of_half_a_model_is_refused(peer, session):
    model = session.get(path_of(peer)).json()
    del model["schedule"]
    assert session.put(path_of(peer), model).status_code == 400


def test_put_with_an_unknown_password_is_refused(peer, session):
    model = session.get(path_of(peer)).json()
    block(model)["encryptionPasswordId"] = model["id"]
    assert session.put(path_of(peer), model).status_code == 400


def test_put_with_an_unknown_kms_server_is_refused(peer, session):
    model = session.get(path_of(peer)).json()
    block(model).update(encryptionType="ByKms", kmsServerId=model["id"])
    assert session.put(path_of(peer), model).status_code == 400


def test_put_of_an_operator_is_refused(peer, as_account):
    reader = as_account(READING)
    assert reader.put(path_of(peer), reader.get(path_of(peer)).json()).status_code == 403


def test_viewer_reads_jobs(as_account):
    assert len(as_account(VIEWING).get("jobs").json()["data"]) == 23


def test_pages_hold_every_job_once(session):
    pages = [session.get("jobs", skip=skip, limit=10, orderColumn="Name") for skip in (0, 10, 20)]
    names = [one["name"] for page in pages for one in page.json()["data"]]
    assert (len(names), names) == (23, sorted(names, key=str.casefold))


def test_run_makes_a_point_of_every_machine(peer, session):
    assert types_of(session, peer.control.run_job(FINANCE)) == ["Increment", "Increment"]


def test_another_password_makes_an_increment(peer, session):
    peer.control.somebody_switches_on(FINANCE, COPIES)
    assert types_of(session, peer.control.run_job(FINANCE)) == ["Increment", "Increment"]


def test_a_kms_server_makes_an_increment(peer, session):
    peer.control.somebody_switches_to_kms(FINANCE, KMS)
    assert types_of(session, peer.control.run_job(FINANCE)) == ["Increment", "Increment"]


def test_switched_off_makes_a_full_once(peer, session):
    peer.control.somebody_switches_off(FINANCE)
    first, second = peer.control.run_job(FINANCE), peer.control.run_job(FINANCE)
    assert types_of(session, first + second) == ["Full", "Full", "Increment", "Increment"]


def test_switched_on_makes_a_full(peer, session):
    peer.control.somebody_switches_on("Test VMs", COPIES)
    assert types_of(session, peer.control.run_job("Test VMs")) == ["Full", "Full"]


def test_a_full_takes_space(peer, session):
    def free():
        states = session.get("backupInfrastructure/repositories/states").json()["data"]
        return {one["name"]: one["freeGB"] for one in states}["Default Backup Repository"]

    before = free()
    peer.control.run_job("Test VMs", full=True)
    assert before - free() == 40


def test_point_is_later_than_the_change_before_it(peer, session):
    peer.control.somebody_changes_password("Standard Password")
    changed = session.get(f"encryptionPasswords/{peer.control.password_id('Standard Password')}").json()
    point = session.get(f"restorePoints/{peer.control.run_job(FINANCE)[0]}").json()
    peer.control.somebody_changes_password("Standard Password")
    again = session.get(f"encryptionPasswords/{changed['id']}").json()
    assert changed["modificationTime"] < point["creationTime"] < again["modificationTime"]


def test_started_job_ends_by_itself(peer, session):
    started = session.post(f"{path_of(peer)}/start", {"performActiveFull": True})
    until = time.monotonic() + 5
    while (found := session.get(f"sessions/{started.json()['id']}").json())["state"] != "Stopped":
        assert time.monotonic() < until
        time.sleep(0.02)
    newest = session.get("restorePoints", limit=1).json()["data"][0]
    assert (started.status_code, found["result"]["result"], newest["type"]) == (201, "Success", "Full")


def test_disabled_job_does_not_start(peer, session):
    assert session.post(f"{path_of(peer)}/disable").status_code == 204
    assert session.post(f"{path_of(peer)}/start", {"performActiveFull": False}).status_code == 400


def test_running_job_tells_its_state_and_can_be_stopped(peer, session):
    peer.control.at.options.run_seconds = 60
    session.post(f"{path_of(peer)}/start", {"performActiveFull": False})
    state = session.get("jobs/states", idFilter=peer.control.job_id(FINANCE)).json()["data"][0]
    stopped = session.post(f"{path_of(peer)}/stop", {"gracefulStop": True}).json()
    assert (state["status"], stopped["result"]["isCanceled"]) == ("Running", True)


def test_failed_run_makes_no_point(peer, session):
    before = session.get("restorePoints", limit=1).json()["pagination"]["total"]
    peer.control.fail_run(FINANCE)
    assert session.get("restorePoints", limit=1).json()["pagination"]["total"] == before


def test_vendor_form_is_taken_back(peer, session):
    peer.control.at.options.vendor_form = True
    model = session.get(path_of(peer, "Test VMs")).json()
    assert (block(model)["encryptionPasswordId"], model["schedule"]["daily"]["localTime"]) == (None, "22:00")
    assert session.put(path_of(peer, "Test VMs"), model).json() == model


def test_old_revision_has_no_encryption_of_archives(peer):
    place = next(iter(peer.control.at.scale_outs.values()))
    archive = peer.control.at.repositories
    place["archiveTier"] = {
        "isEnabled": True,
        "extentId": next(iter(archive)),
        "encryption": encryption.off(),
    }
    seen = {}
    for revision in ("1.3-rev1", "1.3-rev2"):
        with Session(peer, revision=revision) as one:
            model = one.get("backupInfrastructure/scaleOutRepositories").json()["data"][0]
            seen[revision] = "encryption" in model["archiveTier"]
    assert seen == {"1.3-rev1": False, "1.3-rev2": True}
