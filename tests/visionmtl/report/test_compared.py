"""The report of a run beside others, and of several runs on one page: what differs, and which is the best."""

import json

import pytest
from report_pages import Page, page

from visionmtl import report


@pytest.mark.parametrize("beside", [False, True])
def test_a_run_is_compared_with_single_task_models_of_its_recipe(run, beside):
    """Those of the comparison that it is of, and those beside it of the same recipe but for what arms differ in."""
    folder = run.parent / "compare-1"
    here = run if beside else folder / "cells" / "equal-seed-0"
    here.mkdir(parents=True, exist_ok=True)
    (here / "recipe.yaml").write_text("name: a\ndata: {source: x}\nbalancing: {method: pcgrad}\n")
    folder.mkdir(exist_ok=True)
    (folder / "recipe.yaml").write_text("name: b\ndata: {source: x}\n")
    figures = {"validation": {"cars": {"AP": 0.24}, "road": {"mIoU": 0.5}}}
    (here / "metrics.json").write_text(json.dumps(figures))
    seeds = {str(seed): {"metrics": {"cars": {"AP": 0.2 * (seed + 1), "AP75": None}}} for seed in (0, 1)}
    arms = [{"name": "equal", "seeds": {}}, {"name": "single tasks", "alone": True, "seeds": seeds}]
    (folder / "comparison.json").write_text(json.dumps({"split": "validation", "arms": arms}))
    cells = page(here).cells
    place = cells.index("validation, against single-task models of compare-1 (mean of 2 seeds)")
    assert cells[place + 1 : place + 4] == ["AP", "0.240", "-0.060"]
    if beside:
        (folder / "recipe.yaml").write_text("name: b\ndata: {source: other}\n")
        assert "single-task" not in page(here).text


@pytest.mark.parametrize("broken", ["", "[]", "{}", '{"split": "test", "arms": [{"alone": true, "seeds": {"0": {}}}]}'])
def test_a_broken_comparison_is_passed_over(run, broken):
    (run.parent / "compare-1").mkdir()
    for file in ("recipe.yaml", "comparison.json"):
        (run.parent / "compare-1" / file).write_text((run / "recipe.yaml").read_text() if file[0] == "r" else broken)
    assert "single-task" not in page(run).text


def test_several_runs_are_compared_on_one_page(run):
    other = run.parent / "camvid-9"
    other.mkdir()
    (other / "history.csv").write_text("epoch,cars_loss,val_cars_loss,val_cars_AP\n2,1.5,2,0.5\n4,1.5,1,0.25\n")
    (other / "metrics.json").write_text(json.dumps({"validation": {"cars": {"AP": 0.5}, "<i>": {"F1": 1.0}}}))
    shown = Page(report.compare([run, other], run.parent / "runs.html").read_text(encoding="utf-8"))
    place = shown.cells.index("AP, validation")
    assert shown.cells[place : place + 3] == ["AP, validation", "AP, test", "AP75, validation"]
    assert shown.cells[place + 3 : place + 11] == ["camvid-2", "0.240", "0.200", "-", "camvid-9", "0.500", "", ""]
    assert shown.captions == ["AP validation", "loss validation", "score validation"]
    assert shown.charts[0]["names"] == ["camvid-2", "camvid-9"]
    assert shown.charts[0]["points"] == [[1, 2, 3, 4], [0.1, None, 0.24, None], [None, 0.5, None, 0.25]]
    assert (shown.charts[1]["names"], shown.charts[1]["colours"]) == (["camvid-9"], [1])  # as in every chart
    assert "i" not in shown.tags


@pytest.mark.parametrize(
    ("recipe", "cells", "told", "best"),
    [
        ("name: b\ndata: {source: x}\n", [], "No setting.", 1),
        ("data: {source: x}\ntraining: {epochs: 40, log: []}\n", ["training.epochs", "20", "40"], "All other", 1),
        ("data: {source: y}\n", ["data.source", "x", "y"], "The data differ (data.source)", 0),
        ("data: [", [], "The recipe of b cannot be read", 1),
    ],
)
def test_a_comparison_says_what_differs_and_marks_the_best_where_that_is_fair(tmp_path, recipe, cells, told, best):
    """Of a key that a recipe lacks the default is meant; the third run has nothing yet but a checkpoint."""
    recipes = {"a": "name: a\ndata: {source: x}\n", "b": recipe, "c": "data: {source: x}\ntraining: {epochs: 9}\n"}
    for place, (name, text) in enumerate(recipes.items()):
        (tmp_path / name).mkdir()
        (tmp_path / name / "recipe.yaml").write_text(text)
        figures = {"validation": {"far": {"RMSE": 1 + place}}, "seconds": 9}
        (tmp_path / name / "metrics.json").write_text(json.dumps(figures if name != "c" else {}))
    (tmp_path / "c" / "checkpoints").mkdir()
    two, three = (
        Page(report.compare([tmp_path / name for name in names], tmp_path / "runs.html").read_text(encoding="utf-8"))
        for names in ("ab", "abc")
    )
    assert told in two.text
    assert two.text.count('class="number best"') == best
    place = two.cells.index("setting") + 3 if cells else 0
    assert not cells or two.cells[place : place + 3] == cells
    assert "9, not finished" in three.cells[three.cells.index("c") :][3]
    assert "Not measured yet: c." in three.text


def test_a_run_names_the_settings_that_are_others_than_in_the_run_before(run):
    (run.parent / "camvid-1").mkdir()
    (run.parent / "camvid-1" / "metrics.json").write_text("{}")
    (run.parent / "camvid-1" / "recipe.yaml").write_text("name: camvid\ndata: {source: <b>R&D</b>, batch_size: 4}\n")
    assert "<li><code>data.batch_size</code>: 4 there, 8 here</li>" in page(run).text
