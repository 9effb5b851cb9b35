"""PDFs: made without a fetch, in a process without keys, and what PDF/A asks for is in them."""

import http.server
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from compliance.errors import PdfUnavailable
from compliance.reports import charts, formats, pdf, printer
from compliance.reports.document import Chart, Column, Document, Fact, Section, Series, Table

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
SECRET = "only-this-machine-knows"


@pytest.fixture(scope="module")
def pango() -> None:
    try:
        import weasyprint  # noqa: F401
    except OSError as error:
        pytest.skip(f"no Pango on this machine: {error}")


def document(text: str = "Anything", rows: int = 3) -> Document:
    chart = Chart("Requests by month", ("Oct 26", "Nov 26"), (Series("approved", "seal", (2, 5)),))
    table = Table(
        "t", "Rows", (Column("a", "A"), Column("n", "N", True)), tuple((text, n) for n in range(rows))
    )
    section = Section("One part", (text,), (Fact("f", "A figure", 1234),), (chart,), (table,))
    return Document("t", "A report", "A lead.", NOON, "Aude · Auditor", sections=(section,))


@pytest.fixture(scope="module")
def printed(pango: None) -> bytes:
    return pdf.pdf_of(formats.on_paper(document("Dóra & <b>Łukasz</b>")))


# --- SSRF: the renderer asks for nothing --------------------------------------------------------------------


@pytest.fixture
def listening() -> Iterator[tuple[str, list[str]]]:
    """A server on this machine that notes whoever asks it for something."""
    asked: list[str] = []

    class Notes(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Notes)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/x", asked
    server.shutdown()
    server.server_close()


WAYS = {
    "image": '<img src="{url}">',
    "style sheet": '<link rel="stylesheet" href="{url}">',
    "import": "<style>@import url({url});</style>",
    "font": "<style>@font-face {{ font-family: x; src: url({url}) }} p {{ font-family: x }}</style><p>x</p>",
    "background": '<p style="background: url({url})">x</p>',
    "list mark": '<ul><li style="list-style-image: url({url})">x</li></ul>',
    "drawing": '<svg width="9" height="9"><image href="{url}" width="9" height="9"/></svg>',
    "object": '<object data="{url}" type="image/png"></object>',
    "attachment": '<link rel="attachment" href="{url}">',
}


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("way", WAYS)
def test_ssrf_no_address_of_the_net_is_fetched(listening, way):
    url, asked = listening
    with pytest.raises(PdfUnavailable, match="asked for something outside"):
        pdf.pdf_of(f"<!doctype html><title>x</title>{WAYS[way].format(url=url)}")
    assert asked == []


@pytest.mark.usefixtures("pango")
@pytest.mark.parametrize("way", ["image", "attachment"])
@pytest.mark.parametrize("scheme", ["file", "data"])
def test_ssrf_no_file_of_this_machine_is_read(tmp_path, way, scheme):
    (tmp_path / "secret.txt").write_text(SECRET)
    url = f"file://{tmp_path}/secret.txt" if scheme == "file" else "data:text/plain,x"
    with pytest.raises(PdfUnavailable):
        pdf.pdf_of(f"<!doctype html><title>x</title>{WAYS[way].format(url=url)}")


@pytest.mark.usefixtures("pango")
def test_ssrf_a_name_that_is_markup_stays_a_text(listening):
    url, asked = listening
    html = formats.on_paper(document(f'</td><img src="{url}"><style>@import url({url})</style>'))
    assert pdf.pdf_of(html).startswith(b"%PDF-1.7")
    assert asked == []


# --- the process --------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("pango")
def test_the_child_gets_nothing_of_our_environment(monkeypatch):
    seen = []
    run = subprocess.run
    monkeypatch.setenv("VEEAMSEC_TOKEN", SECRET)
    monkeypatch.setattr(
        subprocess, "run", lambda *args, **options: seen.append(options) or run(*args, **options)
    )
    pdf.pdf_of(formats.on_paper(document()))
    assert SECRET not in str(seen[0]["env"])
    assert os.environ["VEEAMSEC_TOKEN"] == SECRET


def test_without_its_libraries_a_pdf_is_refused_and_says_what_to_install(monkeypatch, tmp_path):
    # An interpreter that has no site packages: as on a machine without Pango, the import fails.
    bare = tmp_path / "python"
    bare.write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    bare.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(bare))
    with pytest.raises(PdfUnavailable, match="libpango"):
        pdf.pdf_of("<p>x")


@pytest.mark.usefixtures("pango")
def test_a_document_that_is_too_long_is_refused():
    with pytest.raises(PdfUnavailable, match="too long"):
        pdf.pdf_of("x" * (printer.MOST_BYTES + 1))


# --- PDF/A-3b (ISO 19005-3) ---------------------------------------------------------------------------------


def objects(printed: bytes) -> bytes:
    """The file with its compressed streams opened."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", printed, re.S)
    opened = []
    for one in streams:
        try:
            opened.append(zlib.decompress(one))
        except zlib.error:
            opened.append(one)
    return printed + b"\n".join(opened)


def test_pdfa_it_says_its_part_and_level(printed):
    told = objects(printed)
    assert re.search(rb"pdfaid:part[=>\"' ]*3", told)
    assert re.search(rb"pdfaid:conformance[=>\"' ]*B", told)


def test_pdfa_it_names_its_colours(printed):
    told = objects(printed)
    assert b"/OutputIntents" in told
    assert b"GTS_PDFA1" in told
    assert b"sRGB" in told


def test_pdfa_nothing_that_acts_and_nothing_locked(printed):
    told = objects(printed)
    assert b"/ID" in told
    for banned in (b"/JavaScript", b"/Launch", b"/Encrypt", b"/EmbeddedFile", b"/URI"):
        assert banned not in told


def test_pdfa_every_font_is_inside(printed):
    told = objects(printed)
    assert told.count(b"/FontDescriptor") > 0
    assert (
        len(re.findall(rb"/FontFile[23]?\b", told)) >= len(re.findall(rb"/Type ?/FontDescriptor", told)) > 0
    )


def test_pdfa_it_is_tagged_and_has_a_language(printed):
    told = objects(printed)
    assert b"/StructTreeRoot" in told
    assert b"/Marked true" in told
    assert b"/Lang" in told


# --- charts -------------------------------------------------------------------------------------------------


def test_a_chart_needs_no_script_and_no_inline_style():
    drawn = charts.drawn(Chart('<script>"', ("<a>",), (Series("s", "seal", (3,)),)))
    assert "<script" not in drawn
    assert "style=" not in drawn
    assert "<a>" not in drawn


def test_a_chart_of_nothing_is_drawn():
    assert "rect" not in charts.drawn(Chart("t", ("Nov",), (Series("s", "", (0,)),)))


def test_the_printer_knows_nothing_of_the_house():
    assert not re.search(r"import (django|audit|encryption|compliance)", Path(printer.__file__).read_text())
