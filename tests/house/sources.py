"""The files that are ours, as git lists them."""

import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
APPS = sorted(path.parent.name for path in ROOT.glob("*/apps.py"))


@cache
def files(*suffixes: str) -> tuple[Path, ...]:
    """Every file of the project with one of the suffixes, vendored ones left out."""
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode:  # a tarball without git
        paths = [path for path in ROOT.rglob("*") if not {".venv", "var"} & set(path.relative_to(ROOT).parts)]
    else:
        paths = [ROOT / line for line in listed.stdout.splitlines()]
    return tuple(
        path for path in paths if path.suffix in suffixes and path.is_file() and "vendor" not in path.parts
    )


def written_python() -> list[Path]:
    """Python that people wrote: without migrations."""
    return [path for path in files(".py") if "migrations" not in path.parts]
