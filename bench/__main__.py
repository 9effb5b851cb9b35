"""`python -m bench [part…]` prints a table and writes var/bench.json; without names it measures all."""

import argparse
import shutil
import tempfile
from pathlib import Path

from bench import backups, compliance, pages, recoveries, rekeys, veeam
from bench.table import Line, show
from veeamsec.children import PROJECT

PARTS = ("rekeys", "pages", "backups", "veeam", "recoveries", "compliance")


_PARTS = {
    "rekeys": rekeys,
    "pages": pages,
    "veeam": veeam,
    "recoveries": recoveries,
    "compliance": compliance,
}


def main() -> None:
    """Measure what is named."""
    asked = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    asked.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    asked.add_argument("--mib", type=int, default=1024, help="size of the data to back up")
    asked.add_argument("--in", type=Path, dest="place", help="a folder on the disk to measure")
    given = asked.parse_args()
    if unknown := set(given.parts) - set(PARTS):
        asked.error(f"no part {', '.join(unknown)}: {', '.join(PARTS)}")
    folder = Path(tempfile.mkdtemp(prefix="vs-bench-", dir=given.place))
    lines: list[Line] = []
    try:
        for part in given.parts or PARTS:
            if part == "backups":
                lines += backups.measure(folder, given.mib)
            else:
                lines += _PARTS[part].measure(folder)
    finally:
        shutil.rmtree(folder)
    show(lines, PROJECT / "var" / "bench.json")


if __name__ == "__main__":
    main()
