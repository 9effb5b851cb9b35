"""Turns one HTML document from standard input into a PDF/A on standard output, in a process of its own.

It is started by `pdf`, holds no key and no connection, and asks for nothing outside the document: one
address asked for, and there is no PDF. It knows nothing of the rest of the house.
"""

import resource
import sys
from typing import NoReturn

# How it ended, for who started it.
WITHOUT_LIBRARIES, ASKED_OUTSIDE, TOO_LONG = 3, 4, 5
# A year of requests takes a few seconds and 200 MB.
CPU_SECONDS, MEMORY = 120, 2 * 1024**3
# Archival with embedded files allowed; level b: it looks the same in fifty years (ISO 19005-3).
VARIANT = "pdf/a-3b"
MOST_BYTES = 8_000_000


def main() -> None:
    """Read, print, write; the exit status says what was missing."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_SECONDS, CPU_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    html = sys.stdin.buffer.read(MOST_BYTES + 1)
    if len(html) > MOST_BYTES:
        sys.exit(TOO_LONG)
    try:
        from weasyprint import HTML
        from weasyprint.urls import FatalURLFetchingError, URLFetcher
    except (ImportError, OSError) as error:  # Pango is looked for at import
        print(error, file=sys.stderr)  # noqa: T201
        sys.exit(WITHOUT_LIBRARIES)

    class Closed(URLFetcher):  # type: ignore[misc]
        """Fetches nothing: neither of the net, nor of this machine, nor what an address itself carries."""

        def fetch(self, url: str, headers: object = None) -> NoReturn:
            """Refuse, and end the printing; inside a drawing the end is swallowed, so it is noted too."""
            asked.append(url)
            raise FatalURLFetchingError(url)

    asked: list[str] = []
    try:
        printed = HTML(string=html.decode(), url_fetcher=Closed()).write_pdf(
            pdf_variant=VARIANT, pdf_tags=True
        )
    except FatalURLFetchingError:
        sys.exit(ASKED_OUTSIDE)
    if asked:
        sys.exit(ASKED_OUTSIDE)
    sys.stdout.buffer.write(printed or b"")


if __name__ == "__main__":
    main()
