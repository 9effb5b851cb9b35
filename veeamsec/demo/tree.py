"""The real folder of the demo, and the comparison of a restore with it."""

import hashlib
import shutil
import sysconfig
from pathlib import Path

LEFT_OUT = shutil.ignore_patterns("site-packages", "__pycache__", "test", "idlelib", "lib2to3", "config-*")


def copy_library(to: Path) -> int:
    """Copy the running Python's own standard library; the number of files."""
    shutil.copytree(sysconfig.get_paths()["stdlib"], to, ignore=LEFT_OUT, symlinks=True)
    return sum(1 for path in to.rglob("*") if path.is_file())


def change(tree: Path) -> str:
    """Real changes; what was done, in words."""
    files = sorted(path for path in tree.glob("*.py") if path.is_file() and not path.is_symlink())
    files[0].write_bytes(files[0].read_bytes()[::-1])
    with files[1].open("ab") as grown:
        grown.write(b"\n# grown\n" * 1000)
    (tree / "new.txt").write_text("a new file\n" * 500)
    files[2].unlink()
    files[3].rename(tree / "renamed.py")
    return "one file rewritten, one grown, one new, one deleted, one renamed"


def digests(tree: Path) -> dict[str, str]:
    """Path → SHA-256 of content (or the target of a link) for everything but folders."""
    found: dict[str, str] = {}
    for path in tree.rglob("*"):
        name = str(path.relative_to(tree))
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
