"""Tables for the terminal."""

import pytest

from visionmtl.report import tables


def test_text_is_left_and_numbers_are_right():
    rows = [["cars", 0.25, 12], ["traffic signs", float("nan"), 1234567], ["sky", None, 0]]
    assert tables.table(["task", "AP", "images"], rows) == (
        "task              AP     images\n"
        "-------------  -----  ---------\n"
        "cars           0.250         12\n"
        "traffic signs      -  1,234,567\n"
        "sky                           0"
    )


def test_a_table_without_rows_is_its_header():
    assert tables.table(["task", "AP"], []) == "task  AP\n----  --"


def test_figures_that_are_never_compared_are_told_where_asked_for_among_those_of_their_task():
    measured = {"cars": {"AP": 0.25, "AP/van": 0.1, "further/AP_small": 0.2}, "ground": {"mIoU": 0.5}}

    def named(**asked):
        return [row[:2] for row in tables.results({"test": measured}, **asked)[1]]

    assert named(further=True) == [["cars", "AP"], ["cars", "AP_small"], ["ground", "mIoU"]]
    assert named() == [["cars", "AP"], ["ground", "mIoU"]]
    assert named(details=True) == [["cars", "AP/van"]]


def test_results_have_a_column_for_each_split():
    metrics = {
        "validation": {"cars": {"AP": 0.2, "AP/van": 0.1}, "street": {"mIoU": None}},
        "test": {"cars": {"AP": 0.3}},
        "seconds": 3.0,
    }
    header, rows = tables.results(metrics)
    assert header == ["task", "metric", "validation", "test"]
    assert rows[0] == ["cars", "AP", 0.2, 0.3]
    assert rows[1] == ["street", "mIoU", pytest.approx(float("nan"), nan_ok=True), None]
    assert tables.results(metrics, details=True)[1] == [["cars", "AP/van", 0.1, None]]


@pytest.mark.parametrize(
    ("seconds", "text"), [(9.6, "10 s"), (725, "12 min 5 s"), (3599.6, "1 h 0 min"), (12000, "3 h 20 min")]
)
def test_durations_are_given_in_two_units(seconds, text):
    assert tables.duration(seconds) == text


def test_markdown_aligns_numbers_right_and_keeps_bars_in_their_cell():
    text = tables.markdown(["task", "AP"], [["a|b", 0.25], ["signs", None]])
    assert text.splitlines() == ["| task | AP |", "| --- | ---: |", "| a\\|b | 0.250 |", "| signs |  |"]


def test_in_a_narrow_terminal_columns_that_do_not_fit_stand_below_with_their_rows_named_anew(monkeypatch):
    given = ["task", "metric", "train", "test"], [["cars", "AP", 0.25, None], ["road", "mIoU", 0.5, 0.125]]
    monkeypatch.setenv("COLUMNS", "80")
    assert tables.printed(*given) == tables.table(*given)
    monkeypatch.setenv("COLUMNS", "22")
    above, below = tables.printed(*given, named=2).split("\n\n")
    assert above.splitlines()[::2] == ["task  metric  train", "cars  AP      0.250"]
    assert below.splitlines()[::3] == ["task  metric   test", "road  mIoU    0.125"]
