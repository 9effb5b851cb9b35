"""The reconciliation as its page and its sheet show it."""

import csv
import io
import re

from veeamsec.demo.client import Client, DemoFailed

Rows = list[dict[str, str]]

UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_WAITS, _UNOWNED = "not judged yet", "exception without an owner"


class Ledger:
    """One server's events and changes: an auditor reads them, a member of Security answers for the rest."""

    def __init__(self, reader: Client, owner: Client, server: str) -> None:
        self.reader, self.owner = reader, owner
        self.page = f"/veeam/{server}/reconciliation/"

    def judged(self) -> Rows | None:
        """Every line, once nothing waits to be judged."""
        sheet = self.reader.get(f"{self.page}export/")
        if sheet.status != 200:
            raise DemoFailed(f"the reconciliation answered {sheet.status}")
        rows = list(csv.DictReader(io.StringIO(sheet.text)))
        return None if any(row["belongs_to"] == _WAITS for row in rows) else rows

    def complete(self) -> Rows | None:
        """Every line, once each belongs to a request or has an owner."""
        rows = self.judged()
        return rows if rows is not None and not self.unexplained(rows) else None

    def unexplained(self, rows: Rows) -> Rows:
        """The lines that no request explains and nobody answers for."""
        return [row for row in rows if row["belongs_to"] == _UNOWNED]

    def counts(self, rows: Rows) -> dict[str, dict[str, int]]:
        """How many of each population belong where."""
        found: dict[str, dict[str, int]] = {}
        for row in rows:
            if row["record"] == "count":
                found.setdefault(row["kind"], {})[row["name"]] = int(row["text"])
        return found

    def answer_for(self) -> None:
        """Take over what no request explains, with a note."""
        text = self.owner.get(self.page).text
        person = re.search(rf'<option value="({UUID.pattern})" selected', text)
        ids = re.findall(rf'name="exception" value="({UUID.pattern})"', text)
        if person is None or not ids:
            raise DemoFailed("the page offers nothing to answer for")
        given = {"exception": ids, "owner": person[1], "note": "Asked and answered by telephone."}
        self.owner.submit(self.page, given, to=f"{self.page}assign/")
