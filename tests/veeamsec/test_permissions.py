"""docs/permissions.md is what the product does: every row replayed for every role."""

import re

import pytest

from tests.approvals.conftest import ask, job, make_job, pending, people, transactional  # noqa: F401
from tests.house.sources import ROOT
from tests.pages.conftest import encrypted  # noqa: F401
from tests.veeamsec import matrix
from tests.veeamsec.matrix import METHODS, ROLES, World

pytestmark = pytest.mark.django_db
TABLE = ROOT / "docs/permissions.md"
ROW = re.compile(
    r"^\| `(?P<method>[A-Z]+) (?P<path>/\S*)` \| (?P<whose>own|foreign|–) \| (?P<cells>.*) \|$", re.M
)


def rows() -> list[tuple[str, str, str, list[str]]]:
    text = TABLE.read_text()
    return [
        (row["method"], row["path"], row["whose"], [cell.strip() for cell in row["cells"].split("|")])
        for row in ROW.finditer(text)
    ]


def area(path: str) -> str:
    """One test's share of the table."""
    return {"api": "api", "admin": "console"}.get(path.split("/")[1], "pages")


ROWS = rows()
AREAS = sorted({area(path) for _, path, _, _ in ROWS})


@pytest.fixture
def world(people, encrypted, make_job, vsec_home) -> World:  # noqa: F811
    return matrix.build(people, encrypted, make_job, vsec_home.path / "repositories")


@pytest.mark.parametrize("part", AREAS)
def test_the_table_is_what_is_answered(world, part):
    wrong = []
    for method, path, whose, cells in ROWS:
        if area(path) != part:
            continue
        found = [matrix.answer(world, method, path, whose, role) for role in ROLES]
        if found != cells:
            wrong.append(f"| `{method} {path}` | {whose} | {' | '.join(found)} |")
    assert wrong == []


def test_every_route_is_in_the_table():
    assert set(matrix.routes()) == {path for _, path, _, _ in ROWS}


def test_the_head_names_the_roles():
    assert " | ".join(("call", "whose", *ROLES)) in TABLE.read_text()


def test_a_method_that_no_row_names_is_405(world):
    named = {(method, path) for method, path, _, _ in ROWS}
    for path in sorted({path for _, path, _, _ in ROWS if not path.startswith("/admin/")}):
        for method in METHODS if path.startswith("/api/") else ("GET", "POST"):
            if (method, path) not in named:
                assert matrix.answer(world, method, path, "foreign", "superuser") == "405", (method, path)
