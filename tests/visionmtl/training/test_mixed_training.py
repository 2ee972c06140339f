"""Training on several sources, of which one has boxes alone."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf

import pipelines
from visionmtl import callbacks, recipe, training
from visionmtl.errors import UsageError
from visionmtl.training import building, runs, session

pytestmark = pytest.mark.usefixtures("toy_by_name")

MADE_UP = """
    streets: {source: garments, options: {train: 12, validation: 4, test: 4}}
    cells: {source: garments, tasks: [detection], options: {train: 4, validation: 4, test: 4, scene_seed: 1}}
"""
REAL = """
    streets: {source: coco, path: DATA/camvid}
    cells: {source: voc, path: DATA/bccd, tasks: [detection]}
"""
REST = """
  sampling: SAMPLING
  image_size: [64, 96]
  batch_size: 4
model: {backbone: toy, neck: {channels: 8}}
balancing: {watch: null}
training: {epochs: 2, steps: 3, verbose: 0, warmup_epochs: 0, validate_every: 2}
"""


@pytest.fixture
def mixed(tmp_path):
    """A function that reads a recipe of several sources with the sampling given."""

    def read(sampling="uniform", *overrides, sources=MADE_UP):
        path = tmp_path / "mixed.yaml"
        path.write_text("data:\n  sources:" + sources + REST.replace("SAMPLING", sampling))
        return recipe.load(path, overrides)

    return read


@pytest.mark.slow
@pytest.mark.shared_data
def test_cells_with_boxes_alone_never_move_the_segmentation_of_streets(mixed, shared_data):
    given = mixed(sources=REAL.replace("DATA", str(shared_data)))
    datasets = building.data(given, ["train"])
    assert datasets.parts["train"] == {"streets": 367, "cells": 205}
    images, labels, weights = next(iter(datasets.train))
    assert [sum(weights[task].numpy()) for task in ("classification", "detection", "segmentation")] == [2, 4, 2]

    model = building.model(given, datasets.specs, 3)
    model.compile(keras.optimizers.SGD(0.1), balancing="equal", clip_norm=None)
    cells = building.data(mixed(sources=REAL.replace("DATA", str(shared_data))), ["train"]).train.unbatch()
    cells = cells.filter(lambda _, labels, weights: weights["segmentation"] == 0).take(8).batch(4)
    head = {task: _variables(model, task) for task in ("classification", "detection", "segmentation")}
    before = {task: [one.numpy() for one in variables] for task, variables in head.items()}
    logs = model.fit(cells, verbose=0).history
    assert logs["segmentation_loss"] == [0.0]
    assert logs["classification_loss"] == [0.0]
    assert logs["detection_loss"][0] > 0.1
    same = {
        task: [np.array_equal(a, b.numpy()) for a, b in zip(before[task], variables, strict=True)]
        for task, variables in head.items()
    }
    assert all(same["segmentation"])
    assert all(same["classification"])
    assert not all(same["detection"])  # boxes of a size that no cell has stay as they were

    # Beside streets too: what a cell's image adds to the gradient of the head is nothing.
    with tf.GradientTape() as tape:
        losses = model.sample_losses(labels, model(images, training=False))["segmentation"]
        of_cells = tf.reduce_sum(tf.where(weights["segmentation"] == 0, losses, 0.0))
    assert not any(tf.reduce_any(g != 0) for g in tape.gradient(of_cells, head["segmentation"]) if g is not None)

    model.fit(datasets.train.take(2), verbose=0)
    pairs = zip(before["segmentation"], head["segmentation"], strict=True)
    assert not any(np.array_equal(a, b.numpy()) for a, b in pairs)


def _variables(model, task):
    return [one for name in model.parts[task] for one in model.get_layer(name).trainable_variables]


@pytest.mark.slow
def test_a_run_on_several_sources_says_its_shares_and_resumes_alike(mixed, tmp_path, monkeypatch):
    monkeypatch.setattr(session, "finish", lambda *args: {})
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    given = mixed("curriculum", "training.epochs=3", "training.validate_every=4", "tasks=[detection, segmentation]")
    training.train(given, whole)

    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            if epoch == 2:
                raise KeyboardInterrupt

    usual = callbacks.of_session
    with monkeypatch.context() as patch:
        patch.setattr(callbacks, "of_session", lambda *given: [*usual(*given), Stop()])
        with pytest.raises(KeyboardInterrupt):
            training.train(given, cut)
    training.resume(cut)

    first, second = (runs.read_history(run) for run in (whole, cut))
    for one, other in zip(first, second, strict=True):
        assert {k: v for k, v in one.items() if k != "seconds"} == pytest.approx(
            {k: v for k, v in other.items() if k != "seconds"}, nan_ok=True
        )
    models = [keras.saving.load_model(run / "last.keras").get_weights() for run in (whole, cut)]
    assert all(np.array_equal(a, b) for a, b in zip(*models, strict=True))
    with (whole / "history.csv").open() as file:
        columns = next(csv.reader(file))
    assert {"share/streets", "share/cells", "labelled/detection", "labelled/segmentation"} <= set(columns)
    tags = _tags(whole / "tensorboard" / "train")
    assert {"tasks/share/streets", "tasks/share/cells", "tasks/labelled/segmentation"} <= tags


def _tags(folder):
    """The names of the scalars in event files."""
    found = set()
    for path in folder.glob("events*"):
        for record in tf.data.TFRecordDataset(str(path)):
            event = tf.compat.v1.Event.FromString(record.numpy())
            found |= {value.tag for value in event.summary.value}
    return found


@pytest.mark.slow
def test_check_shows_what_each_source_gives(mixed, capsys):
    training.check(mixed())
    printed = capsys.readouterr().out
    assert "train           16       12      4" in printed
    assert "2 epochs of 3 steps.\nBatches of 4 images; learning rate 0.001.\n" in printed


@pytest.mark.parametrize(
    ("overrides", "sentence"),
    [
        (["data.source=garments"], "'data': expected either source, the one to read, or sources"),
        (["data.sources={}"], "'data': expected either source, the one to read, or sources"),
        (["data.path=here"], "'data': expected no path and no options beside sources"),
        (["data.sources.cells.pth=here"], "Did you mean 'data.sources.cells.path'"),
        (["data.sampling=unifrm"], "Did you mean 'uniform'"),
        (["data.sampling={method: temperature, temperature: 0}"], "'data.sampling.temperature' is 0, expected"),
    ],
)
def test_a_mistake_in_a_recipe_of_several_sources_is_named(mixed, overrides, sentence):
    with pytest.raises(UsageError, match=sentence):
        mixed("uniform", *overrides)


def test_a_source_that_is_unknown_is_told_before_training(mixed):
    with pytest.raises(pipelines.DataError, match="Did you mean 'garments'"):
        building.data(mixed("uniform", "data.sources.cells.source=garment"))
