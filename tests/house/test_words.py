"""Names that say nothing, and words that promise what is not there."""

import re

import pytest

from tests.house.sources import APPS, ROOT, files, written_python

EMPTY_NAMES = {
    "utils",
    "util",
    "common",
    "helpers",
    "helper",
    "misc",
    "core",
    "manager",
    "managers",
    "base_utils",
}
# Put together so that this file does not break its own rule.
UNFINISHED = re.compile(r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b")
REGISTRIES = re.compile(r"--(extra-)?index-url|files\.pythonhosted|/simple/?\b")


def test_no_module_has_an_empty_name():
    parts = {path: {*path.relative_to(ROOT).with_suffix("").parts} for path in written_python()}
    assert [str(path) for path, names in parts.items() if names & EMPTY_NAMES] == []


def test_nothing_is_left_unfinished():
    ours = files(".py", ".md", ".html", ".js", ".css", ".toml")
    assert [str(path) for path in ours if UNFINISHED.search(path.read_text(errors="replace"))] == []


def test_no_registry_stands_in_a_requirement():
    assert [path.name for path in ROOT.glob("requirements*") if REGISTRIES.search(path.read_text())] == []


@pytest.mark.parametrize(
    "word", ["django.dispatch", "django.db.models.signals", "GenericForeignKey", "send_task("]
)
def test_no_app_uses(word: str):
    ours = [path for path in written_python() if path.relative_to(ROOT).parts[0] in APPS]
    assert [str(path) for path in ours if word in path.read_text()] == []


def test_nothing_in_the_product_switches_triggers_off():
    allowed = {ROOT / "tests/conftest.py", ROOT / "tests/servers.py", ROOT / "tests/house/test_words.py"}
    guilty = [path for path in files(".py") if "session_replication_role" in path.read_text()]
    assert [str(path) for path in guilty if path not in allowed and "tests" not in path.parts] == []
