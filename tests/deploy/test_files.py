"""What deploy/ ships, checked by the programs that will read it, where they are on this machine."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.house.sources import ROOT
from veeamsec.children import commands

DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
PROCESSES = [one.name for one in commands(bind="x", schedule=Path("x"))]
WORDS = {
    "USERS": "root",
    "CODE": str(ROOT),
    "HOME": "/srv",
    "ETC": "/etc",
    "RUN": "/run/veeamsec",
    "RUN_NAME": "veeamsec",
    "PYTHON": "/usr/bin/env",
    "VALKEY": "/usr/bin/env",
    "ROOT_PATHS": "/srv/data",
}


def filled(path: Path) -> str:
    return re.sub(r"@([A-Z_]+)@", lambda found: WORDS[found[1]], path.read_text())


def test_every_process_has_a_unit():
    assert {f"veeamsec-{name}.service" for name in [*PROCESSES, "broker"]} == {path.name for path in UNITS}


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_a_unit_runs_its_own_process_as_its_own_user(unit):
    name = unit.stem.removeprefix("veeamsec-")
    text = unit.read_text()
    kind, _, queue = name.partition("-")
    assert f"User=@USERS@-{'enterprise' if queue == 'enterprise' else kind}\n" in text
    assert name == "broker" or f"-m veeamsec.process {name}\n" in text


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_systemd_finds_a_unit_sound_and_hardened(unit, tmp_path):
    made = tmp_path / unit.name
    hardening = (DEPLOY / "systemd" / "hardening.conf").read_text().split("[Service]\n")[1]
    made.write_text(filled(unit).replace("[Service]\n", f"[Service]\n{hardening}"))
    words = ["systemd-analyze", "security", "--offline=true", "--threshold=30", str(made)]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-600:] + ended.stderr
    assert "Unknown" not in ended.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd-analyze is not on this machine")
def test_systemd_verifies_the_units_together(tmp_path):
    for path in (*UNITS, DEPLOY / "systemd" / "veeamsec.target"):
        (tmp_path / path.name).write_text(filled(path))
    words = ["systemd-analyze", "verify", "--man=no", *map(str, sorted(tmp_path.iterdir()))]
    told = {"SYSTEMD_UNIT_PATH": f"{tmp_path}:", "PATH": "/usr/local/bin:/usr/bin"}
    ended = subprocess.run(words, env=told, capture_output=True, text=True, check=False)
    assert (ended.returncode, ended.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("docker") is None, reason="docker is not on this machine")
def test_the_composition_is_one(tmp_path):
    told = {
        "VEEAMSEC_ORIGIN": "https://x.example",
        "EMAIL_URL": "smtp://x",
        "POSTGRES_PASSWORD": "x",
        "PATH": "/usr/local/bin:/usr/bin",
    }
    words = ["docker", "compose", "-f", str(DEPLOY / "compose.yaml"), "config", "--services"]
    ended = subprocess.run(words, env=told, capture_output=True, text=True, check=False)
    if "is not a docker command" in ended.stderr or "unknown shorthand" in ended.stderr:
        pytest.skip("docker has no compose here")
    assert ended.returncode == 0, ended.stderr
    assert set(PROCESSES) <= set(ended.stdout.split())


@pytest.mark.parametrize("script", sorted(DEPLOY.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_is_sound(script):
    assert subprocess.run(["bash", "-n", str(script)], check=False).returncode == 0


def test_every_option_of_the_installer_is_told():
    text = (DEPLOY / "install.sh").read_text()
    known = set(re.findall(r"\[([a-z-]+)\]=", text)) - {"systemd"}
    assert {name for name in known if f"--{name} " not in text} == set()


def test_the_manual_names_what_production_refuses():
    manual = (ROOT / "docs" / "operations.md").read_text()
    code = (ROOT / "veeamsec" / "production.py").read_text()
    named = set(re.findall(r'yield f?"([A-Z_]+): ', code))
    assert {name for name in named if f"`{name}`" not in manual} == set()
