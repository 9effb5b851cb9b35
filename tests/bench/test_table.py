"""The table of the bench says the truth about its goals; nothing is timed here."""

import json

import pytest

from bench.table import Line, Run, figure, interleaved, show


@pytest.mark.parametrize(
    ("line", "met"),
    [
        (Line("a", 10, "ms"), ""),
        (Line("a", 59.9, "ms", goal="< 60"), "yes"),
        (Line("a", 60, "ms", goal="< 60"), "NO"),
        (Line("a", 1, "MiB/s", "cp", 0.5, ">= 0.5"), "yes"),
        (Line("a", 1000, "MiB/s", "cp", 0.49, ">= 0.5"), "NO"),
        (Line("a", None, "MiB/s", goal=">= 2"), "not run"),
    ],
)
def test_a_goal_is_met_or_not(line, met):
    assert line.met == met


@pytest.mark.parametrize(
    ("value", "text"), [(None, ""), (0.123456, "0.123"), (42.5, "42.5"), (123456.7, "123,457")]
)
def test_figures_have_as_many_digits_as_they_deserve(value, text):
    assert figure(value) == text


def test_the_file_holds_what_others_read(tmp_path, capsys):
    show([Line("a", 1.5, "ms", "cp", 0.5, ">= 0.5")], tmp_path / "var" / "bench.json")
    assert json.loads((tmp_path / "var" / "bench.json").read_text()) == [
        {"name": "a", "value": 1.5, "unit": "ms", "peer": "cp", "ratio": 0.5, "goal": ">= 0.5"}
    ]
    assert "NO" not in capsys.readouterr().out


def test_rounds_are_interleaved_and_the_median_counts():
    told, figures = [], {"a": iter([Run(1, 9, 1), Run(5, 8, 1), Run(2, 7, 1)]), "b": iter([Run(3, 1, 2)] * 3)}

    def run(name):
        told.append(name)
        return next(figures[name])

    found = interleaved(3, {name: lambda name=name: run(name) for name in figures})
    assert (told, found) == (["a", "b", "b", "a", "a", "b"], {"a": Run(2, 8, 1), "b": Run(3, 1, 2)})
