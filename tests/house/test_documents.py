"""Links of our documents lead somewhere, and the commands they name exist."""

import re

import pytest
from django.core.management import get_commands

from tests.house.sources import ROOT, files

DOCUMENTS = [path for path in files(".md") if path.is_relative_to(ROOT)]
# What a newcomer follows to the letter.
ENTRANCES = ["README.md", "CONTRIBUTING.md", "SECURITY.md"]
TARGETS = set(re.findall(r"^([a-z]+):.*##", (ROOT / "Makefile").read_text(), re.M))


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path):
    links = re.findall(r"\]\((?!https?:|mailto:|#)([^)#\s]+)", path.read_text())
    assert [link for link in links if not (path.parent / link).exists()] == []


@pytest.mark.parametrize("name", ENTRANCES)
def test_every_make_target_exists(name):
    assert set(re.findall(r"make ([a-z]+)`", (ROOT / name).read_text())) - TARGETS == set()


@pytest.mark.parametrize("name", ENTRANCES)
def test_every_command_exists(name):
    named = set(re.findall(r"manage\.py ([a-z_]+)", (ROOT / name).read_text()))
    assert named - set(get_commands()) == set()
