"""Plots: what is drawn of which logs, and that odd histories are drawn at all."""

import numpy as np
import pytest
from PIL import Image

from visionmtl import csvfile
from visionmtl.report import plots
from visionmtl.report.plots.axes import write
from visionmtl.report.plots.by_confidence import by_confidence
from visionmtl.report.plots.confusion import Confusion, confusion
from visionmtl.report.plots.losses import losses
from visionmtl.report.plots.metrics import metrics
from visionmtl.report.plots.per_class import per_class
from visionmtl.report.plots.precision_recall import precision_recall
from visionmtl.report.plots.weights import weights
from visionmtl.tasks import Classification, Detection, Segmentation

HISTORY = {
    "epoch": [1, 2, 3],
    "loss": [3.0, -1.0, -2.0],
    "cars_loss": [200.0, 20.0, 2.0],
    "cars_far_loss": [1.0, 0.8, 0.7],
    "val_loss": [np.nan, 2.0, np.nan],
    "val_cars_loss": [np.nan, 1.0, np.nan],
    "val_cars_AP": [np.nan, 0.2, np.nan],
    "val_cars_far_AP": [np.nan, 0.1, np.nan],
    "val_score": [np.nan, 0.2, np.nan],
    "weight/cars": [1.0, 1.1, 1.2],
    "learning_rate": [1e-3, 5e-4, 0.0],
}


def titles(figure):
    return [axes.get_title(loc="left") for axes in figure.axes]


def texts(axes):
    return [text.get_text() for text in axes.texts]


def test_losses_have_a_panel_per_task_and_the_total():
    figure = losses(HISTORY)
    assert titles(figure) == ["cars loss", "cars_far loss", "total loss"]
    assert texts(figure.axes[0]) == ["training 2", "validation 1"]


def test_the_scale_is_logarithmic_only_where_values_are_positive_and_far_apart():
    assert [axes.get_yscale() for axes in losses(HISTORY).axes] == ["log", "linear", "linear"]


def test_the_total_of_one_task_is_not_drawn_twice():
    assert titles(losses({"loss": [1.0], "cars_loss": [1.0]})) == ["cars loss"]


def test_metrics_go_to_the_task_with_the_longest_matching_name():
    figure = metrics(HISTORY)
    assert titles(figure) == ["cars", "cars_far", "score"]
    assert [texts(axes) for axes in figure.axes] == [["AP 0.2"], ["AP 0.1"], ["0.2"]]


def test_weights_and_learning_rate_are_drawn():
    assert titles(weights(HISTORY)) == ["weight of each task", "learning rate"]


def test_nothing_to_draw_is_no_figure(tmp_path):
    assert losses({}) is None
    assert metrics({"loss": [1.0]}) is None
    assert weights({"loss": [1.0]}) is None
    assert plots.save_run(tmp_path) == []


def test_a_history_that_is_not_a_number_is_drawn_empty(tmp_path):
    (tmp_path / "history.csv").write_text("epoch,loss\n1,nan\n2,inf\n")
    (path,) = plots.save_run(tmp_path)
    assert Image.open(path).size[0] > 100


def test_files_are_read_with_gaps_drawn_and_name_their_split(tmp_path, monkeypatch):
    csvfile.write(tmp_path / "history.csv", [{"loss": 2.5}, {"loss": 2, "val_loss": 3}])
    history = csvfile.columns(tmp_path / "history.csv")
    assert history["loss"].tolist() == [2.5, 2]
    assert np.isnan(history["val_loss"][0])
    assert history["val_loss"][1] == 3
    rows = [dict(zip(HISTORY, values, strict=True)) for values in zip(*HISTORY.values(), strict=True)]
    csvfile.write(tmp_path / "history.csv", rows)
    figures = []
    monkeypatch.setattr(plots, "write", lambda figure, path: figures.append(figure._supxlabel.get_text()) or path)
    assert [path.name for path in plots.save_run(tmp_path)] == ["losses.png", "metrics.png", "weights.png"]
    splits = ["training and validation", "validation", "training"]
    assert figures == [f"measured on {split}" for split in splits]


def test_the_page_shows_the_metrics_first():
    assert plots.page_order()[:2] == ["metrics", "losses"]


def test_the_labels_at_line_ends_do_not_touch():
    values = {f"val_{name}": [0.5] for name in "abcdef"}
    (axes,) = metrics({"x_loss": [1.0]} | {f"val_x_{name[-1]}": value for name, value in values.items()}).axes
    heights = sorted(text.get_position()[1] for text in axes.texts)
    assert min(np.diff(heights)) > 0.07
    assert max(heights) <= 1


def test_classes_are_sorted_and_those_without_a_value_come_last():
    figure = per_class({"sky": 0.5, "cow": float("nan"), "road": 0.9}, "IoU")
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["road", "sky", "cow"]
    assert figure.axes[0].get_xlabel() == "mean 0.700"


def test_metrics_of_single_classes_become_a_chart_for_each_kind(tmp_path):
    scene, values = Classification("scene", 2, multi_label=True), {"mAP": 0.5, "AP/day/1": 0.5, "F1/day/1": 1.0}
    values["further/mAP_small"] = 0.5  # of no class
    names = [path.name for path in plots.save_task(tmp_path, scene, values, scene.metrics())]
    assert names == ["scene_AP.png", "scene_F1.png"]


@pytest.mark.parametrize(
    ("task", "charts", "drawn"),
    [
        (Segmentation("ground", 2), {"confusion": np.eye(2)}, ["ground: confusion"]),
        (Detection("cars", 2), {"precision_recall": np.ones((101, 2))}, ["cars: precision and recall at IoU 0.5"]),
        (
            Detection("cars", 2),
            {"by_confidence": np.ones((3, 11, 2))},
            ["cars: precision at IoU 0.5", "recall", "F1"],
        ),
    ],
)
def test_what_a_task_charts_is_drawn_by_the_plot_of_that_name(task, charts, drawn):
    figures = [pair for plot in plots.TASK_PLOTS.values() for pair in plot.draw(task, {}, charts)]
    assert [title for _, figure in figures for title in titles(figure)] == drawn
    assert [name for name, _ in figures] == list(charts)


def test_what_is_taken_for_no_class_is_the_background():
    matrix = np.array([[5, 1, 2], [0, 7, 0], [3, 0, 0]])
    (_, figure), *_ = Confusion().draw(Detection("cars", ["car", "van"]), {}, {"confusion": matrix})
    assert [label.get_text() for label in figure.axes[0].get_yticklabels()] == ["car", "van", "background"]


@pytest.mark.parametrize("count", [2, 30, 40])
def test_every_class_has_a_curve_over_the_confidence_and_a_name_while_they_can_be_told_apart(count):
    curves = np.random.default_rng(0).random((3, 11, count))
    curves[:, :, 0] = np.nan
    figure = by_confidence(curves, [f"class {index}" for index in range(count)])
    named = [text.get_text() for text in figure.axes[-1].get_legend().get_texts()]
    assert len(named) == (count - 1 if count < 40 else 1)
    assert len(figure.axes[0].lines) == count - 1 + (count == 40)


def test_plots_of_a_task_say_on_which_split_they_were_measured(tmp_path, monkeypatch):
    figures = []
    monkeypatch.setattr(plots, "write", lambda figure, path: figures.append(figure) or path)
    scene = Classification("scene", 2)
    plots.save_task(tmp_path, scene, {"F1/day": 1.0}, scene.metrics(), "test")
    assert len(figures) == 2
    assert {figure._supxlabel.get_text() for figure in figures} == {"measured on test"}


@pytest.mark.parametrize("count", [2, 30])
def test_confusion_and_precision_recall_are_drawn_for_few_and_many_classes(count, tmp_path):
    classes = [f"class {index}" for index in range(count)]
    precision = np.linspace(1, 0, 101)[:, None] * np.ones(count)
    precision[:, 0] = np.nan
    write(confusion(np.eye(count) * 5, classes), tmp_path / "confusion.png")
    figure = precision_recall(precision, classes)
    assert len(figure.axes[0].get_legend().get_texts()) == count - 1, "every class that has a value is named"
    write(figure, tmp_path / "precision.png")
    assert len(list(tmp_path.iterdir())) == 2
