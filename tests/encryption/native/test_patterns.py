"""What include and exclude patterns take, and that their folders come along."""

import pytest

from encryption.engines.base import Source
from encryption.engines.native.patterns import PathFilter, Verdict

TREE = [
    "a/one.txt",
    "a/two.log",
    "a/deep/er/three.txt",
    "b/one.txt",
    "b/deep/two.log",
    "top.txt",
    ".hidden/x",
]


@pytest.fixture
def listed(plain, tmp_path, run, bring):
    """Back a tree up under patterns and list what came back."""
    root = tmp_path / "tree"
    for name in TREE:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")

    def go(include=(), exclude=()):
        point = run(plain, Source(root, include=tuple(include), exclude=tuple(exclude)), roots=None)
        back = bring(plain, point, roots=None)
        return sorted(str(path.relative_to(back)) for path in back.rglob("*") if path.is_file())

    return go


@pytest.mark.parametrize(
    ("include", "exclude", "expected"),
    [
        ([], [], sorted(TREE)),
        ([], ["*.log"], sorted(name for name in TREE if not name.endswith(".log"))),
        ([], ["/a"], sorted(name for name in TREE if not name.startswith("a/"))),
        ([], ["deep"], [".hidden/x", "a/one.txt", "a/two.log", "b/one.txt", "top.txt"]),
        (["a"], [], ["a/deep/er/three.txt", "a/one.txt", "a/two.log"]),
        (["a"], ["deep"], ["a/one.txt", "a/two.log"]),
        (["*.txt"], ["/a"], ["b/one.txt", "top.txt"]),
        (["/*.txt"], [], ["top.txt"]),
        (["a/*.txt"], [], ["a/one.txt"]),
        (["a/**/*.txt"], [], ["a/deep/er/three.txt", "a/one.txt"]),
        (["a/deep/**"], [], ["a/deep/er/three.txt"]),
        (["**/er"], [], ["a/deep/er/three.txt"]),
        (["[ab]/one.*"], [], ["a/one.txt", "b/one.txt"]),
        (["nothing"], [], []),
        ([""], ["", "/"], sorted(TREE)),
    ],
)
def test_patterns_take(listed, include, exclude, expected):
    assert listed(include, exclude) == expected


def test_a_folder_on_the_way_is_passed_through():
    assert PathFilter(["a/b/c"], []).judge("a", inside=False) is Verdict.PASS_THROUGH


def test_a_folder_off_the_way_is_skipped():
    assert PathFilter(["a/b/c"], []).judge("b", inside=False) is Verdict.SKIP


def test_evil_patterns_cost_no_time():
    assert PathFilter(["**/" * 50 + "x", "*a" * 50], []).judge(
        "a" * 200 + "/" + "a/" * 50 + "b", inside=False
    )
