"""HTML to PDF/A in a child that holds no key, with an end to its time and memory."""

import subprocess
import sys
from pathlib import Path

from compliance.errors import PdfUnavailable
from compliance.reports import printer

# Beyond what any report takes; the child's own limit on computing comes first.
PATIENCE = 180
_WHY = {
    printer.WITHOUT_LIBRARIES: (
        "This machine lacks what PDFs are drawn with: install libpango-1.0-0, libpangoft2-1.0-0 and a font."
    ),
    printer.ASKED_OUTSIDE: "The document asked for something outside itself, and was not printed.",
    printer.TOO_LONG: "This is too long for a PDF: take a shorter period, or the CSV of its tables.",
}


def pdf_of(html: str) -> bytes:
    """Return a whole HTML document as PDF/A-3b. Raises PdfUnavailable, which says what helps."""
    child = [sys.executable, "-I", str(Path(printer.__file__))]
    # Nothing of this process goes along: neither its environment nor an open file.
    clean = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    try:
        done = subprocess.run(
            child, input=html.encode(), capture_output=True, timeout=PATIENCE, env=clean, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise PdfUnavailable("It took too long to print: take a shorter period.") from error
    if done.returncode:
        raise PdfUnavailable(_WHY.get(done.returncode, "The PDF could not be printed."))
    return done.stdout
