"""One document in each form: HTML for a page, HTML for paper, JSON for programs; CSV is `sheet`'s."""

from typing import Any

from django.template.loader import render_to_string

from compliance.reports import charts
from compliance.reports.document import VERSION, Document, Section, Table, shown, stored

# A page or a sheet of more rows is read by nobody; the CSV has them all.
MOST_ROWS = 1_000


def on_page(document: Document) -> dict[str, Any]:
    """Return what templates draw: texts alone."""
    return {
        "name": document.name,
        "title": document.title,
        "lead": document.lead,
        "made_at": shown(document.made_at),
        "made_by": document.made_by,
        "sections": [_section(one) for one in document.sections],
    }


def on_paper(document: Document) -> str:
    """Return a whole HTML document that names nothing outside itself."""
    return render_to_string("reports/paper.html", {"report": on_page(document)})


def as_json(document: Document) -> dict[str, Any]:
    """Return the document as plain values; every table's rows by their columns' names."""
    return {
        "report": document.name,
        "version": VERSION,
        "title": document.title,
        "made_at": stored(document.made_at),
        "made_by": document.made_by,
        "asked": dict(document.asked),
        "facts": {fact.key: stored(fact.value) for one in document.sections for fact in one.facts},
        "tables": {one.slug: _rows(one) for one in document.tables()},
        "words": {one.title: list(one.words) for one in document.sections if one.words},
    }


def _rows(table: Table) -> list[dict[str, Any]]:
    names = [column.key for column in table.columns]
    return [dict(zip(names, map(stored, row), strict=True)) for row in table.rows]


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "words": section.words,
        "facts": [(fact.label, shown(fact.value) or "none") for fact in section.facts],
        "charts": [
            {"title": one.title, "drawn": charts.drawn(one), "legend": charts.legend(one)}
            for one in section.charts
        ],
        "tables": [_table(one) for one in section.tables],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "slug": table.slug,
        "caption": table.caption,
        "empty": table.empty,
        "columns": table.columns,
        "rows": [
            [
                (column.label, column.number, shown(cell))
                for column, cell in zip(table.columns, row, strict=True)
            ]
            for row in table.rows[:MOST_ROWS]
        ],
        "more": max(len(table.rows) - MOST_ROWS, 0),
    }
