"""Small files, small functions."""

import ast
from pathlib import Path

from tests.house.sources import ROOT, written_python

FILE_LIMIT, FILE_MOSTLY = 300, 250
FUNCTION_LIMIT, FUNCTION_MOSTLY = 50, 35


def functions(path: Path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield f"{path.relative_to(ROOT)}:{node.name}", node.end_lineno - node.lineno + 1


def share_above(sizes: list[int], limit: int) -> float:
    return sum(size > limit for size in sizes) / len(sizes)


def test_no_file_is_long():
    long = {str(path.relative_to(ROOT)): lines(path) for path in written_python() if lines(path) > FILE_LIMIT}
    assert long == {}


def test_most_files_are_short():
    assert share_above([lines(path) for path in written_python()], FILE_MOSTLY) <= 0.05


def test_no_function_is_long():
    sizes = dict(pair for path in written_python() for pair in functions(path))
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LIMIT} == {}


def test_most_functions_are_short():
    sizes = [size for path in written_python() for _, size in functions(path)]
    assert share_above(sizes, FUNCTION_MOSTLY) <= 0.05


def lines(path: Path) -> int:
    return path.read_text().count("\n")
