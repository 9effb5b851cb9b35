"""A report as values: sections of words, facts, tables and charts, before any format."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime

# What a cell may hold; every format writes it in its own way.
Cell = str | int | float | date | datetime | None
VERSION = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its name for programs, and its heading for people."""

    key: str
    label: str
    number: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells; `empty` is what people read where there is none."""

    slug: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    empty: str = "None."

    def __post_init__(self) -> None:
        if any(len(row) != len(self.columns) for row in self.rows):
            raise ValueError(f"a row of {self.slug} has not as many cells as there are columns")


@dataclass(frozen=True, slots=True)
class Fact:
    """One figure with its name for programs and for people."""

    key: str
    label: str
    value: Cell


@dataclass(frozen=True, slots=True)
class Series:
    """One part of each column of a chart; `tone` is its class in the stylesheet."""

    label: str
    tone: str
    values: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Chart:
    """Columns of stacked parts; a table beside it says the same in figures."""

    title: str
    labels: tuple[str, ...]
    series: tuple[Series, ...]


@dataclass(frozen=True, slots=True)
class Section:
    """One part of a report under its heading."""

    title: str
    words: tuple[str, ...] = ()
    facts: tuple[Fact, ...] = ()
    charts: tuple[Chart, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True)
class Document:
    """One report, made at one moment for one person."""

    name: str
    title: str
    lead: str
    made_at: datetime
    made_by: str
    # What was asked for, as texts: a period, a job, a day.
    asked: Mapping[str, str] = field(default_factory=dict)
    sections: tuple[Section, ...] = ()

    def tables(self) -> Iterator[Table]:
        """Every table, in order."""
        for section in self.sections:
            yield from section.tables

    def table(self, slug: str) -> Table | None:
        """The table of that name; without a name the first."""
        return next((one for one in self.tables() if slug in ("", one.slug)), None)


def shown(cell: Cell) -> str:
    """Write a cell for people: times to the minute in UTC, numbers with their thousands."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        moment = cell.astimezone(UTC)
        # In two pieces at most, however narrow the column.
        return f"{moment.day}\N{NO-BREAK SPACE}{moment:%b\N{NO-BREAK SPACE}%Y, %H:%M\N{NO-BREAK SPACE}UTC}"
    if isinstance(cell, date):
        return f"{cell.day} {cell:%b %Y}"
    if isinstance(cell, float):
        return f"{cell:,.1f}"
    return f"{cell:,}" if isinstance(cell, int) else cell


def stored(cell: Cell) -> str | int | float | None:
    """Write a cell for programs: times as ISO 8601 in UTC, numbers as numbers."""
    if isinstance(cell, datetime):
        return f"{cell.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
    return cell.isoformat() if isinstance(cell, date) else cell
