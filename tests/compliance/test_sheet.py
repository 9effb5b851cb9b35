"""CSV: what begins a formula in a spreadsheet begins none (CWE-1236)."""

import csv
import io
from datetime import UTC, date, datetime

import pytest

from compliance.reports.document import Column, Table
from compliance.reports.sheet import cell, csv_of


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠"])
def test_a_text_that_begins_a_formula_gets_a_quote(begin):
    assert cell(f"{begin}1+1") == f"'{begin}1+1"


@pytest.mark.parametrize("text", ["Files", "a=b", "'=1", "", "2026-11-02"])
def test_any_other_text_is_left_as_it_is(text):
    assert cell(text) == text


def test_a_number_stays_a_number():
    assert (cell(-4), cell(-0.5), cell(None)) == (-4, -0.5, None)


def test_times_are_written_for_programs():
    assert cell(datetime(2026, 11, 2, 12, tzinfo=UTC)) == "2026-11-02T12:00:00Z"
    assert cell(date(2026, 11, 2)) == "2026-11-02"


def test_no_cell_reaches_out_of_its_own():
    nasty = 'a",=cmd|"/C calc"!A0\r\n=1'
    table = Table("t", "T", (Column("a", "A"), Column("b", "B")), ((nasty, "=1"), ("\r=2", -3)))
    read = list(csv.reader(io.StringIO(csv_of(table), newline="")))
    assert read == [["a", "b"], [nasty, "'=1"], ["'\r=2", "-3"]]


def test_a_row_of_another_length_is_no_table():
    with pytest.raises(ValueError):
        Table("t", "T", (Column("a", "A"),), (("x", "y"),))
