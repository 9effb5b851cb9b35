"""The tiles at the head of a page."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tile:
    """One figure with its label; `done` of `total` draws a bar."""

    label: str
    figure: str
    of: str = ""
    note: str = ""
    href: str = ""
    icon: str = ""
    tone: str = ""
    done: int = 0
    total: int = 0
    bar: str = ""
