"""One line a measurement: what, how much, beside what, and what was wanted."""

import json
import statistics
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple


class Run(NamedTuple):
    """One run: wall seconds, peak memory, and CPU seconds, which a busy machine stretches less."""

    seconds: float
    peak_mib: float
    cpu: float


@dataclass(frozen=True)
class Line:
    """A figure, the peer beside it, their ratio; the goal is of the ratio, or of the value without one."""

    name: str
    value: float | None
    unit: str
    peer: str = ""
    ratio: float | None = None
    goal: str = ""

    @property
    def met(self) -> str:
        """Yes, NO, or nothing where nothing is wanted."""
        if not self.goal:
            return ""
        number = self.ratio if self.ratio is not None else self.value
        sign, _, wanted = self.goal.partition(" ")
        if number is None:
            return "not run"
        return "yes" if (number >= float(wanted) if sign == ">=" else number < float(wanted)) else "NO"


def show(lines: list[Line], to: Path) -> None:
    """Print the table and write bench.json."""
    rows = [("measurement", "value", "unit", "beside", "ratio", "goal", "met")]
    rows += [
        (one.name, figure(one.value), one.unit, one.peer, figure(one.ratio), one.goal, one.met)
        for one in lines
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for row in rows:
        cells = (cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        sys.stdout.write("  ".join(cells).rstrip() + "\n")
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(json.dumps([asdict(one) for one in lines], indent=1) + "\n")
    sys.stdout.write(f"\nwritten to {to}\n")


def figure(value: float | None) -> str:
    """A number with as many digits as it deserves."""
    if value is None:
        return ""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def interleaved(rounds: int, runs: dict[str, Callable[[], Run]]) -> dict[str, Run]:
    """Run all, round after round, so that a neighbour's load falls on each; the median of each figure."""
    found: dict[str, list[Run]] = {name: [] for name in runs}
    for number in range(rounds):
        for name in runs if number % 2 == 0 else reversed(runs):
            found[name].append(runs[name]())
    return {
        name: Run(*(statistics.median(figures) for figures in zip(*got, strict=True)))
        for name, got in found.items()
    }
