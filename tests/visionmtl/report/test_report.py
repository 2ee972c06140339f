"""The report: right, escaped, whole in one file, and written from whatever parts a run folder has."""

import json
import re

import numpy as np
import pytest
from PIL import Image
from report_pages import page

from visionmtl import report
from visionmtl.report import embedding, measured
from visionmtl.report.measured import Measured


def keep_measured(run):
    bins = np.zeros((3, 15))
    bins[:, 13] = [10, 9, 8]
    charts = {"calibration": bins}
    charts |= {"confusion": np.array([[5, 1, 2], [0, 7, 0], [3, 0, 0]]), "precision_recall": np.full((101, 2), 0.5)}
    charts["by_confidence"] = np.full((3, 11, 2), 0.25)
    measured.keep(run, "test", {"cars": Measured("detection", ["car", "van"], charts)})
    return charts


def test_results_and_facts_are_shown_with_what_changed_since_the_run_before(run):
    for number, value in ((0, 0.1), (1, 0.04), (3, 0.9)):
        (run.parent / f"camvid-{number}").mkdir()
        figures = {"validation": {"cars": {"AP": value}}}
        (run.parent / f"camvid-{number}" / "metrics.json").write_text(json.dumps(figures))
    cells = page(run).cells
    assert cells[:4] == ["3,712,345", "12 min 5 s", "3", "0.750 in epoch 3"]
    assert cells[4:8] == ["metric", "validation", "test", "validation, change since camvid-1"]
    assert cells[8:16] == ["AP", "0.240", "0.200", "+0.200", "AP75", "-", "", ""]


def test_a_page_holds_its_pictures_samples_first_and_draws_the_curves_itself(run):
    assert page(run).images == ["01", "a curve", "cars_AP"]
    keep_measured(run)
    assert page(run).images == ["01", "a curve"]


def test_curves_of_too_many_classes_say_why_they_are_one_mean(run):
    names = [f"class {number}" for number in range(33)]
    for count, told in ((33, 1), (32, 0)):
        charts = {"precision_recall": np.full((101, count), 0.5)}
        measured.keep(run, "test", {"cars": Measured("detection", names[:count], charts)})
        sentence = f"{count} classes are more than the 32 lines that can be told apart: this is their mean."
        assert page(run).text.count(sentence) == told


def test_every_chart_names_its_split_and_holds_its_points(run):
    keep_measured(run)
    shown = page(run)
    assert shown.captions == [
        "metrics validation",
        "loss training",
        "precision at IoU 0.5 test",
        "recall at IoU 0.5 test",
        "F1 at IoU 0.5 test",
        "calibration test",
        "predictions of each confidence test",
        "precision over recall at IoU 0.5 test",
        "score validation",
        "weight of each task's loss training",
    ]
    assert shown.charts[0] == {
        "over": "epoch",
        "logarithmic": False,
        "bars": False,
        "names": ["AP"],
        "colours": [0],
        "points": [[1.0, 2.0, 3.0], [0.1, None, 0.24]],
    }
    assert shown.charts[7]["names"] == ["car", "van"]
    assert (shown.charts[5]["points"][1][13], shown.charts[6]["points"][1][13], shown.charts[6]["bars"]) == (
        0.8,
        10,
        True,
    )


def test_classes_have_their_counts_and_figures_and_confusions_a_background(run):
    keep_measured(run)
    cells = page(run).cells
    place = cells.index("class↕") if "class↕" in cells else cells.index("class")
    assert cells[place : place + 5] == ["class", "objects, test", "precision, test", "recall, test", "AP, validation"]
    assert cells[place + 5 : place + 15] == ["car", "8", "0.625", "0.625", "", "van", "7", "0.875", "1.000", "0.110"]
    assert cells[place + 15 : place + 19] == ["", "car", "van", "background"]
    assert cells[place + 19 : place + 23] == ["car", ".62", ".12", ".25"]


def test_what_was_measured_is_read_as_it_was_kept_and_a_torn_file_is_told(run, capsys):
    charts = keep_measured(run)
    (split,) = (found := measured.read(run))
    assert (split, found[split]["cars"].kind, list(found[split]["cars"].classes)) == (
        "test",
        "detection",
        ["car", "van"],
    )
    for name, array in charts.items():
        np.testing.assert_array_equal(found[split]["cars"].charts[name], array)
    path = run / "charts" / "test.npz"
    path.write_bytes(path.read_bytes()[:200])
    assert len(page(run).captions) == 4
    assert "was cut or changed" in capsys.readouterr().out


def test_a_chart_without_a_point_is_left_out_and_the_others_stay(run):
    """As of a detector that finds nothing yet: recall and F1 are known, of no box a precision."""
    charts = keep_measured(run)
    charts["by_confidence"] = charts["by_confidence"].copy()
    charts["by_confidence"][0] = np.nan
    measured.keep(run, "test", {"cars": Measured("detection", ["car", "van"], charts)})
    shown = page(run)
    assert not any("precision at IoU 0.5" in caption for caption in shown.captions)
    assert any("recall at IoU 0.5" in caption for caption in shown.captions)
    charts["by_confidence"] = np.full((3, 11, 2), 0.25)
    charts["by_confidence"][0, :, 0] = np.nan
    measured.keep(run, "test", {"cars": Measured("detection", ["car", "van"], charts)})
    drawn = [chart for chart in page(run).charts if chart["over"] == "confidence" and "van" in chart["names"]]
    assert [chart["colours"] for chart in drawn] == [[1], [0, 1], [0, 1]]  # a class has one colour in all of them


def test_of_many_classes_the_page_lists_the_mistakes_and_one_mean_curve(run):
    names = [f"class {number}" for number in range(60)]
    charts = {"confusion": np.eye(60, dtype=int) * 9, "precision_recall": np.full((101, 60), 0.5)}
    charts["confusion"][3, 5] = 4
    measured.keep(run, "validation", {"cars": Measured("detection", names, charts)})
    shown = page(run)
    assert shown.charts[2]["names"] == ["mean of 60 classes"]
    place = shown.cells.index("taken for")
    assert (
        shown.cells[place + 3 : place + 8]
        == ["class 3", "class 5", "4", "0.308", "metric"][:4] + shown.cells[place + 7 :][:1]
    )


def test_everything_is_escaped(run):
    (run / "metrics.json").write_text(json.dumps({"<i>": {"<u>'": {"<u>": 1.0}}}))
    (run / "history.csv").write_text("epoch,</script><u>_loss\n1,2\n")
    measured.keep(run, "<u>", {"<u>'": Measured("<u>", ["<u>&", '"'], {"confusion": np.eye(2)})})
    shown = page(run)
    assert not {"i", "u", "b"} & set(shown.tags)
    assert {"<u>", "<u>&"} <= set(shown.cells)


def test_pictures_are_made_smaller_until_they_fit_and_the_last_are_named(tmp_path):
    noise = np.random.default_rng(0).integers(0, 255, (300, 1400, 3), np.uint8)
    paths = [tmp_path / f"{number}.png" for number in range(2)]
    for path in paths:
        Image.fromarray(noise).save(path)
    (tmp_path / "torn.png").write_bytes(b"no picture")
    shown, left = embedding.embedded([*paths, tmp_path / "torn.png"], 10**7)
    assert [(each.width, each.name) for each in shown] == [(1400, "0"), (1400, "1")]
    assert left == [tmp_path / "torn.png"]
    size = len(shown[0].source)
    shown, left = embedding.embedded(paths, size)
    assert [each.width for each in shown] == [900, 900]
    shown, left = embedding.embedded(paths, size // 6)
    assert left == paths[1:]


def test_a_long_training_has_a_thousand_points_a_line(run):
    rows = "\n".join(f"{step},{step % 2}" for step in range(1, 2501))
    (run / "gradients.csv").write_text(f"step,cosine/a/b\n{rows}\n")
    shown = page(run)
    chart = shown.charts[-1]
    assert (chart["over"], len(chart["points"][0])) == ("step, each point the mean of 3", 834)
    assert {"a, b", "2,500", "0.500"} <= set(shown.cells)


def test_commands_quote_a_folder_with_spaces(tmp_path):
    run = tmp_path / "my runs"
    run.mkdir()
    report.write(run)
    assert f"visionmtl export &#39;{run}&#39;" in (run / "report.html").read_text()


def test_an_empty_run_folder_gives_a_page(tmp_path):
    assert page(tmp_path).images == []


@pytest.mark.parametrize(
    "broken", ["{", "[1]", '{"validation": 3, "seconds": "long"}', '{"validation": {"cars": 0.5}}']
)
def test_a_broken_part_does_not_stop_the_rest(run, broken):
    (run / "metrics.json").write_text(broken)
    (run / "images.json").write_text(broken)
    (run / "recipe.yaml").write_text("data: [")
    (run / "history.csv").write_text("epoch,val_score\n1,what\n")
    assert len(page(run).images) == 4


def test_a_page_asks_for_nothing_by_its_own_rule(run):
    text = page(run).text
    assert "default-src 'none'" in text
    assert not re.search(r"(src|href)=.?https?:", text)


def test_conflicts_and_weights_are_told_with_their_meaning(run):
    (run / "gradients.csv").write_text("step,cosine/a/b,cosine/a/c\n" + "1,-0.005,-0.5\n2,-0.005,0.1\n" * 2)
    (run / "history.csv").write_text("epoch,weight/a,weight/b\n1,1,1\n2,1.5,0.5\n")
    text = page(run).text
    assert "a and b: never clearly in conflict in 4 steps watched; mean cosine -0.01" in text
    assert "a and c: in conflict in 50% of 4 steps watched (cosine below -0.1); mean cosine -0.20" in text
    assert "What each task counted in epoch 2: a 1.5, b 0.5; a 3 times as much as b." in text


def test_the_worst_pictures_are_hung_with_what_is_said_of_them(run):
    folder = run / "worst" / "test"
    folder.mkdir(parents=True)
    Image.fromarray(np.zeros((4, 8, 3), np.uint8)).save(folder / "cars-loss-01.jpg")
    rows = [{"file": "cars-loss-01.jpg", "told": "<u>.png, loss 3"}, {"file": "gone.jpg", "told": "gone"}]
    index = {"cars": {"legend": {"van": [1, 2, 3]}, "orders": {"loss": rows}}}
    (folder / "worst.json").write_text(json.dumps(index))
    shown = page(run)
    assert "<u>.png, loss 3" in shown.images
    assert "Not shown, for want of room or because they cannot be read: worst/test/gone.jpg" in shown.text
    assert "background: #010203" in shown.text
    assert "u" not in shown.tags


def test_a_run_that_is_not_finished_says_so_and_how_it_goes_on(run):
    assert "is not finished" not in page(run).text
    (run / "metrics.json").unlink()
    (run / "recipe.yaml").write_text("tasks: {cars: {}}\ndata: {source: coco}\ntraining: {epochs: 40}\n")
    shown = page(run)
    assert shown.cells[0] == "3 of 40"
    assert f"visionmtl train --resume {run}</code> goes on with it" in shown.text
    assert "cars of coco" in shown.text
    assert "visionmtl export" not in shown.text


def test_of_several_labels_an_image_classes_have_their_counts_too(run):
    curves = np.stack([np.full((201, 2), value) for value in (0.75, 0.5, 0.6)])
    outcomes = np.array([[3, 0, 0, 0], [0, 1, 0, 2]])
    charts = {"instances": np.array([3, 0]), "by_probability": curves, "outcomes": outcomes}
    measured.keep(run, "validation", {"cars": Measured("classification", ["car", "van"], charts)})
    shown = page(run)
    place = shown.cells.index("class")
    assert shown.cells[place : place + 10] == [
        *("class", "images", "precision", "recall", "AP"),
        *("car", "3", "0.750", "0.500", ""),
    ]
    assert 'validation<span class="handling">; a click on a column sorts by it' in shown.text
    place = shown.cells.index("true positives")
    assert shown.cells[place + 4 : place + 14] == ["car", "3", "0", "0", "0", "van", "0", "1", "0", "2"]
    assert "Every image has car: to say so of all is never wrong, and a figure of 1 tells nothing." in shown.text
    assert "No image has van." in shown.text


def test_what_was_not_measured_and_what_is_not_known_is_said(run):
    assert "-: not known" in page(run).text
    (run / "metrics.json").write_text('{"seconds": 9.0}')
    (run / "history.csv").write_text("epoch,cars_loss,loss\n1,2,2\n2,1,1\n")
    text = page(run).text
    assert "the data have no validation split" in text
    assert "-: not known" not in text
    assert "training and validation" not in text
    (run / "metrics.json").unlink()
    (run / "recipe.yaml").write_text("training: {epochs: 9}\n")
    assert "Nothing was measured yet." in page(run).text
