"""Tables as CSV, in which no text is ever taken for a formula."""

import csv
import io

from compliance.reports.document import Cell, Table, stored

# What a spreadsheet takes for the begin of a formula or of another cell, in half and full width.
# CWE-1236, and OWASP's page on CSV injection.
_BEGINS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def cell(value: Cell) -> str | int | float | None:
    """Write a cell: a text that would begin a formula gets a quote in front; a number stays a number."""
    written = stored(value)
    if isinstance(written, str) and written.startswith(_BEGINS):
        return f"'{written}"
    return written


def csv_of(table: Table) -> str:
    """Return a table as CSV (RFC 4180), the columns' names first."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow([column.key for column in table.columns])
    writer.writerows([cell(value) for value in row] for row in table.rows)
    return out.getvalue()
