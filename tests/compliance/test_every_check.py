"""Every check has a test for each of its answers; the mark makes that test prove it, by what services did."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from compliance.checks import CHECKS, Status
from compliance.services import analyzing
from tests.findings import assert_found
from tests.house.sources import ROOT, files

ANSWERS = {Status.PASSED, Status.NOT_IMPLEMENTED, Status.UNABLE}
# What is always there to look at: people, their policy, the installation itself.
NEVER_UNABLE = {
    "installation.keys",
    "installation.settings",
    "installation.tls",
    "installation.users",
    "people.factors",
    "people.tokens",
    "policies.four_eyes",
    "recovery.protection",
    "security.seats",
}
# A case that sets what it wants to see proves nothing of the way there.
BY_HAND = {"bulk_create", "create", "delete", "get_or_create", "save", "update", "update_or_create"}


def modules() -> dict[Path, ast.Module]:
    """The modules with marked tests."""
    tests = [path for path in files(".py") if path.is_relative_to(ROOT / "tests")]
    texts = {path: path.read_text() for path in tests if path.name.startswith("test_")}
    return {path: ast.parse(text) for path, text in texts.items() if "pytest.mark.finds(" in text}


def marks(module: ast.Module) -> set[tuple[str, str]]:
    """Each check and answer that a test of a module is marked with."""
    found = set()
    for node in module.body:
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for mark in node.decorator_list:
                if isinstance(mark, ast.Call) and ast.unparse(mark.func) == "pytest.mark.finds":
                    status, *codes = map(ast.literal_eval, mark.args)
                    found |= {(code, status) for code in codes}
    return found


def test_every_check_has_a_case_for_each_of_its_answers():
    wanted = {(code, str(answer)) for code in CHECKS for answer in ANSWERS}
    wanted -= {(code, str(Status.UNABLE)) for code in NEVER_UNABLE}
    assert sorted(set().union(*map(marks, modules().values()))) == sorted(wanted)


def by_hand(module: ast.Module) -> Iterator[str]:
    """What a module does to rows past the services, and what it puts in a service's place."""
    for node in ast.walk(module):
        said = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        owner, _, verb = said.rpartition(".")
        # A variable of the environment is a setting; an attribute that is replaced is a service.
        if (verb in BY_HAND and "objects" in owner) or verb == "save" or said == "monkeypatch.setattr":
            yield said


def test_no_case_sets_what_it_finds():
    assert {path.name: set(by_hand(module)) for path, module in modules().items()} == {
        path.name: set() for path in modules()
    }


@pytest.mark.django_db
def test_a_mark_fails_without_its_finding(people):
    analyzing.analyze(analyzing.ask(by=people.dpo).pk)
    assert_found("unable_to_detect", "jobs.encrypted")
    with pytest.raises(AssertionError, match=r"no run found passed of jobs\.encrypted"):
        assert_found("passed", "jobs.encrypted")
