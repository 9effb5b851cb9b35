"""deploy/compose.yaml: whatever it refers to is there, and no process is another one's user."""

import re
from typing import Any

import pytest
import yaml

from tests.deploy.test_files import DEPLOY, PROCESSES

TEXT = (DEPLOY / "compose.yaml").read_text()
FILE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, dict[str, Any]] = FILE["services"]
# What the operator brings.
BROUGHT = {"./certificates"}


def mounts(service: dict[str, Any]) -> list[str]:
    return [mount.rpartition(":/")[0] for mount in service.get("volumes", ())]


def test_every_process_is_a_service_that_runs_it():
    run = {name: SERVICES[name]["command"][-1] for name in PROCESSES}
    assert run == {name: name for name in PROCESSES}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_has_the_settings_of_production(name):
    told = SERVICES[name]["environment"]
    assert told["VEEAMSEC_PRODUCTION"] == "1"
    assert set(FILE["x-settings"]) <= set(told)


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_may_change_nothing_but_its_folders(name):
    service = SERVICES[name]
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_no_two_kinds_of_process_are_one_user():
    users = {name: SERVICES[name]["user"].partition(":")[0] for name in [*PROCESSES, "broker"]}
    assert users["worker-execute"] == users.pop("worker-data")
    assert len(set(users.values())) == len(users)
    assert "0" not in users.values()


def test_each_key_folder_is_mounted_by_its_own_process_alone():
    keys = {name: {one for one in mounts(SERVICES[name]) if one.endswith("-keys")} for name in PROCESSES}
    assert keys == {
        "web": {"web-keys"},
        "worker-execute": {"worker-keys"},
        "worker-data": {"worker-keys"},
        "worker-enterprise": {"enterprise-keys"},
        "beat": set(),
        "receiver": {"receiver-keys"},
    }


def test_volumes_and_networks_are_declared_and_used():
    volumes = {one for service in SERVICES.values() for one in mounts(service)}
    assert {one for one in volumes if not one.startswith((".", "$"))} == set(FILE["volumes"])
    assert {one for service in SERVICES.values() for one in service.get("networks", ())} == set(
        FILE["networks"]
    )


def test_what_a_service_waits_for_is_one():
    waits = {one for service in SERVICES.values() for one in service.get("depends_on", ())}
    assert waits <= set(SERVICES)


def test_files_that_it_names_are_there():
    builds = [service["build"] for service in SERVICES.values() if "build" in service]
    assert all((DEPLOY / one["context"] / one["dockerfile"]).is_file() for one in builds)
    bound = {one for service in SERVICES.values() for one in mounts(service) if one.startswith("./")}
    assert all((DEPLOY / one).is_file() for one in bound - BROUGHT)
    assert all((DEPLOY.parent / one).is_file() for one in re.findall(r"deploy/[a-z-]+\.sh", TEXT))


def test_a_variable_has_a_default_or_is_demanded_by_name():
    named = set(re.findall(r"(?<!\$)\$\{([A-Z_]+)", TEXT))
    settled = set(re.findall(r"\$\{([A-Z_]+):[-?]", TEXT))
    assert named == settled


def test_the_proxy_fills_every_word_of_its_site():
    filled = set(re.findall(r"s\|@([A-Z_]+)@", SERVICES["proxy"]["command"][-1]))
    assert filled == set(re.findall(r"@([A-Z_]+)@", (DEPLOY / "nginx.conf").read_text()))
