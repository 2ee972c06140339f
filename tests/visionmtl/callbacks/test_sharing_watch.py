"""Watching what a sharing scheme learns: the file, TensorBoard, the plot, and where training puts them."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pipelines
from visionmtl import drawing, files, recipe, report
from visionmtl.callbacks import Session, sharing_watch
from visionmtl.callbacks.sharing_watch import SharingWatch
from visionmtl.report import plots
from visionmtl.report.plots.axes import write
from visionmtl.report.plots.sharing import sharing
from visionmtl.sharing import Made, Matrix, Scheme

NAMES = ["scene", "objects", "ground"]


class Weighed(keras.layers.Layer):
    """Multiplies a map by a learnt number."""

    def build(self, input_shape):
        self.factor = self.add_weight(name="factor", shape=(), initializer="ones")

    def call(self, x):
        return x * self.factor


class Factors(Scheme):
    """One backbone, whose maps each task multiplies by numbers of its own."""

    name = "factors"

    def mix(self, maps, tasks):
        mixed = {
            task: {level: Weighed(name=f"factors_{task}_{level}")(x) for level, x in maps[task].items()}
            for task in tasks
        }
        return Made(mixed, learnt=self.factors)

    def factors(self, model):
        layers = {layer.name: layer for layer in model.layers}
        values = [[float(layers[f"factors_{task}_{level}"].factor) for level in ("P2", "P3")] for task in NAMES]
        return {"factors": Matrix(np.array(values), NAMES, ["P2", "P3"])}


@pytest.fixture
def learning(toy_model):
    """A model whose scheme has learnt something, ready for `fit`."""
    model = toy_model(sharing=Factors())
    model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)
    return model


def fit(model, batch, folder, epochs=2, initial=0):
    watch = SharingWatch(folder / "sharing.csv", folder / "tensorboard")
    data = tf.data.Dataset.from_tensors(batch(images=2))
    model.fit(data, epochs=epochs, initial_epoch=initial, shuffle=False, verbose=0, callbacks=[watch])
    with (folder / "sharing.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
def test_each_cell_has_a_line_an_epoch_also_over_a_resumed_training(learning, toy_batch, tmp_path):
    first = fit(learning, toy_batch, tmp_path, epochs=1)
    assert list(first[0]) == ["epoch", "title", "row", "column", "value"]
    assert [(line["row"], line["column"]) for line in first[:3]] == [
        ("scene", "P2"),
        ("scene", "P3"),
        ("objects", "P2"),
    ]
    lines = fit(learning, toy_batch, tmp_path, epochs=2, initial=1)
    assert lines[:6] == first
    assert [line["epoch"] for line in lines] == ["1"] * 6 + ["2"] * 6
    assert float(lines[-1]["value"]) == pytest.approx(learning.learnt_sharing()["factors"].values[2, 1], rel=1e-5)
    looks = sharing_watch.read(tmp_path / "sharing.csv")
    assert looks[2]["factors"].values[0, 0] != looks[1]["factors"].values[0, 0]
    assert (looks[2]["factors"].rows, looks[2]["factors"].columns) == (NAMES, ["P2", "P3"])

    events = EventAccumulator(str(tmp_path / "tensorboard" / "sharing"), {"tensors": 0}).Reload()
    assert {one.step for one in events.Tensors("sharing/factors/scene/P3")} == {1, 2}
    picture = tf.io.decode_png(tf.make_ndarray(events.Tensors("pictures/sharing/factors")[0].tensor_proto)[2])
    assert picture.shape == drawing.matrix(np.ones((3, 2)), NAMES, ["P2", "P3"]).shape


def test_a_large_matrix_has_no_scalars_and_what_is_unknown_no_value(learning, toy_batch, tmp_path, monkeypatch):
    values = np.full((2, 40), 0.5)
    values[1, 3] = np.nan
    many = {"gates": Matrix(values, ["up", "down"], [f"expert {place}" for place in range(40)])}
    monkeypatch.setattr(learning, "learnt_sharing", lambda: many)
    lines = fit(learning, toy_batch, tmp_path, epochs=1)
    assert [line["value"] for line in lines].count("") == 1
    assert np.isnan(sharing_watch.read(tmp_path / "sharing.csv")[1]["gates"].values[1, 3])
    events = EventAccumulator(str(tmp_path / "tensorboard" / "sharing"), {"tensors": 0}).Reload()
    assert events.Tags()["tensors"] == ["pictures/sharing/gates"]


@pytest.mark.slow
def test_training_watches_a_scheme_that_learns_and_no_other(learning, toy_model, toy_batch, tmp_path):
    given = recipe.load("garments", ["balancing.watch=null"])
    assert SharingWatch.of_session(Session(given, tmp_path, pipelines.Datasets({}, (), {}), [], toy_model())) == []
    (watch,) = SharingWatch.of_session(Session(given, tmp_path, pipelines.Datasets({}, (), {}), [], learning))
    assert watch.path == tmp_path / "sharing.csv"
    fit(learning, toy_batch, tmp_path)
    files.write_text(tmp_path / "history.csv", "epoch,loss\n1,2\n2,1\n")
    plots.save_run(tmp_path)
    assert (tmp_path / "plots" / "sharing.png").stat().st_size > 5_000
    assert 'alt="sharing"' in report.write(tmp_path).read_text()


def test_the_plot_has_a_map_a_matrix_with_what_changed_under_each_number(tmp_path):
    units = {f"P{level}": Matrix(np.eye(3) * 0.85 + 0.05, NAMES, NAMES) for level in range(2, 6)}
    gates = Matrix(np.random.default_rng(0).uniform(0, 1, (3, 40)), NAMES, [f"expert {place}" for place in range(40)])
    relation = Matrix(np.array([[0.4, -0.2], [np.nan, 0.3]]), ["a", "b"], ["a", "b"])
    last = units | {"P2": Matrix(units["P2"].values - 0.1, NAMES, NAMES), "gates": gates, "relation": relation}
    figure = sharing({1: units, 7: last})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["P2", "P3", "P4", "P5", "gates", "relation"]
    assert [text.get_text() for text in figure.axes[0].texts[:4]] == ["0.80", "-0.10", "-0.05", "-0.10"]
    assert [text.get_text() for text in figure.axes[5].texts] == ["0.40", "-0.20", "?", "0.30"]
    assert not figure.axes[4].texts
    write(figure, tmp_path / "sharing.png")
    only = sharing({3: {"relation": relation}})
    assert [text.get_text() for text in only.texts] == ["after epoch 3 of training"]
    assert sharing({}) is None
