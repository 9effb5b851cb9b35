"""Every requirement says why it is there, and the lock holds hashes alone."""

import re

import pytest

from tests.house.sources import ROOT


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.in")), ids=lambda path: path.name)
def test_every_pin_carries_its_reason(path):
    pins = [line for line in path.read_text().splitlines() if line and not line.startswith(("#", "-r", "-c"))]
    assert [line for line in pins if not re.match(r"\S+==\S+ +# \S", line)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.in")), ids=lambda path: path.name)
def test_the_lock_has_every_pin(path):
    pins = re.findall(r"^([\w-]+)(?:\[[\w,-]+\])?==(\S+)", path.read_text(), re.M)
    locked = path.with_suffix(".txt").read_text().lower().replace("_", "-")
    assert [
        name for name, version in pins if f"{name.lower().replace('_', '-')}=={version}" not in locked
    ] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("requirements*.txt")), ids=lambda path: path.name)
def test_every_locked_line_has_a_hash(path):
    blocks = re.split(r"\n(?=\S)", path.read_text())
    assert [block for block in blocks if "==" in block.split("\n")[0] and "--hash=sha256:" not in block] == []
