"""A kind of label made up here goes all the way, from a CSV file to a SavedModel, and no other file knows of it.

`attributes`: a number for each of some properties of an image, each of which may be unknown.
"""

import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from PIL import Image

import pipelines
from pipelines import LabelSpec, kinds
from pipelines.kinds import features
from pipelines.kinds.kind import Count, Kind
from pipelines.sources.csv import columns
from pipelines.sources.files.labels import Label
from visionmtl import cli, export, metrics, prediction, tasks
from visionmtl.metrics.metric import ratio

SIZE = (toys.SIZE, toys.SIZE)
PREFIX = "attribute."
ROWS = {"a.png": (1.5, None), "b.png": (None, None), "c.png": (-2.0, 8.0), "d.png": (0.0, 4.0)}


class Attributes(Kind):
    """Numbers float32 `[C]`, NaN where one is unknown."""

    unit = "numbers"

    def unlabelled(self, shape, rows):
        return tf.fill([len(self.classes)], np.float32("nan"))

    def mapped(self, names):
        places = [names.index(name) if name in names else len(names) for name in self.classes]

        def change(label, weight):
            taken = tf.gather(tf.concat([label, [np.nan]], axis=0), places)
            return taken, weight * tf.cast(tf.reduce_any(tf.math.is_finite(taken)), tf.float32)

        return change

    def move(self, label, placement, size, cut, turned):
        return label

    def count(self, label):
        known = np.isfinite(label)
        return Count(known.astype(np.int64), int((~known).sum()))

    def features(self):
        return {"numbers": tf.io.FixedLenFeature([len(self.classes)], tf.float32)}

    def write(self, label):
        return {"numbers": features.floats(label)}

    def read(self, values, shape, rows):
        return values["numbers"]


class AttributesOfFiles(Label):
    """The numbers that the index has of an image; one without has weight 0."""

    listed = False

    def reader(self, items, max_boxes, trusted):
        none = (np.nan,) * len(self.spec.classes)
        rows = np.array([item.entry.more[self.spec.name] or none for item in items], np.float32)
        table, weights = tf.constant(rows), tf.constant(np.isfinite(rows).any(axis=1).astype(np.float32))
        return lambda index: (table[index], weights[index])


class AttributeColumns(columns.Columns):
    """Columns whose names begin with "attribute."."""

    def claimed(self, columns):
        return tuple(column for column in columns if column.startswith(PREFIX))

    def label(self, columns):
        return AttributesOfFiles(LabelSpec("size", "attributes", [name.removeprefix(PREFIX) for name in columns]))

    def value(self, cells):
        try:
            numbers = tuple(float(cell) if cell else None for cell in cells.values())
        except ValueError:
            raise ValueError(f"{', '.join(cells)} are {', '.join(cells.values())}, expected numbers") from None
        return None if set(numbers) == {None} else tuple(np.nan if x is None else x for x in numbers)


@keras.saving.register_keras_serializable("tests")
class Sizes(tasks.Task):
    """Say the attributes of an image, by one dense layer."""

    kinds, primary, regression, options = ("attributes",), "closeness", True, ("dropout",)

    def __init__(self, name, classes, dropout=0.0):
        super().__init__(name, classes, dropout)

    def outputs(self, features):
        pooled = keras.layers.GlobalAveragePooling2D(name=f"{self.name}_pool")(features[max(features)])
        return {"numbers": keras.layers.Dense(len(self.classes), name=f"{self.name}_numbers")(self.dropped(pooled))}

    def loss(self, labels, outputs):
        known = tf.math.is_finite(labels)
        error = tf.where(known, tf.where(known, labels, 0.0) - outputs["numbers"], 0.0)
        return tf.reduce_sum(error**2, axis=1)

    def decode(self, outputs, image_size, window=None):
        return {"numbers": outputs["numbers"]}

    def metrics(self):
        return [Closeness(self.classes)]

    def truth(self, labels):
        return {"numbers": np.asarray(labels)}

    def words(self, predictions):
        pairs = zip(self.classes, predictions["numbers"], strict=True)
        return ", ".join(f"{name} {number:g}" for name, number in pairs)

    def describe(self, predictions, folder, picture):
        return dict(zip(self.classes, map(float, predictions["numbers"]), strict=True))


class Closeness(metrics.Metric):
    """1 / (1 + the mean error of the known numbers)."""

    def statistics(self, labels, predictions, weights):
        known = tf.math.is_finite(labels) & (weights > 0)[:, None]
        error = tf.where(known, tf.abs(tf.where(known, labels, 0.0) - predictions["numbers"]), 0.0)
        return {"sums": tf.stack([tf.reduce_sum(error, axis=1), tf.reduce_sum(tf.cast(known, tf.float32), axis=1)], 1)}

    def update(self, statistics):
        self.sums += statistics["sums"].astype(np.float64).sum(axis=0)

    def result(self, details=False):
        return {"closeness": float(1 / (1 + ratio(*self.sums)))}

    def reset(self):
        self.sums = np.zeros(2)


@pytest.fixture(autouse=True)
def attributes(monkeypatch):
    """The kind, its columns and its task are known, for one test."""
    monkeypatch.setattr(kinds, "_REGISTERED", {})
    monkeypatch.setattr(columns, "REGISTERED", [])
    monkeypatch.setattr(tasks, "KINDS", dict(tasks.KINDS))
    kinds.register("attributes", Attributes)
    columns.register(AttributeColumns())
    tasks.register(Sizes)


@pytest.fixture
def table(tmp_path):
    """A function that writes a CSV file of four images with their height and weight, and returns its folder."""

    def write(at="data", names=("height", "weight"), rows=ROWS):
        (tmp_path / at).mkdir()
        lines = [",".join(["image", "label", *(f"{PREFIX}{name}" for name in names)])]
        for number, (file, values) in enumerate(rows.items()):
            Image.new("RGB", (40, 30), (60 * number, 90, 20)).save(tmp_path / at / file)
            cells = ["" if value is None else str(value) for value in values]
            lines.append(",".join([file, "cat" if number % 2 else "dog", *cells]))
        (tmp_path / at / "train.csv").write_text("\n".join(lines))
        return tmp_path / at

    return write


def load(source, path=None, **options):
    options = {"splits": ["train"], "shuffle": False, **options}
    return pipelines.load(source, SIZE, options.pop("batch_size", 4), path=path, **options)


def all_of(data):
    """Labels and weights of one pass, by task."""
    batches = list(data.train.as_numpy_iterator())
    return [{name: np.concatenate([batch[k][name] for batch in batches]) for name in batches[0][k]} for k in (1, 2)]


@pytest.mark.slow
@pytest.mark.parametrize("cache", [True, False])
def test_attributes_come_from_the_columns_of_a_table_into_batches(table, cache):
    data = load("csv", table(), cache=cache, augmentation={"flip": True, "scale": [0.6, 2.0], "rotate": 10})
    assert data.specs == (
        LabelSpec("size", "attributes", ("height", "weight")),
        LabelSpec("classification", "classification", ("cat", "dog")),
    )
    labels, weights = all_of(data)
    expected = [[np.nan if x is None else x for x in row] for row in ROWS.values()]
    np.testing.assert_array_equal(labels["size"], np.array(expected, np.float32))
    assert weights["size"].tolist() == [1, 0, 1, 1]
    assert weights["classification"].tolist() == [1, 1, 1, 1]


def test_a_cell_that_is_no_number_is_told_with_its_line(table):
    folder = table(rows=ROWS | {"c.png": ("tall", 8.0)})
    with pytest.raises(pipelines.DataError, match="train.csv': line 4: attribute.height, .* expected numbers"):
        load("csv", folder)


@pytest.mark.slow
def test_attributes_of_several_sources_are_merged_by_a_class_map(table):
    sources = {
        "a": {"source": "csv", "path": table(), "tasks": ["size"], "classes": {"height": "tall"}},
        "b": {"source": "csv", "path": table("b", ("weight", "age")), "tasks": ["size"], "classes": {"weight": None}},
        "c": {"source": "csv", "path": table("c"), "tasks": ["classification"]},
    }
    data = load(sources, batch_size=12, epoch=1)
    assert data.specs[0] == LabelSpec("size", "attributes", ("tall", "weight", "age"))
    labels, weights = all_of(data)
    rows = {tuple(row) for row in np.nan_to_num(labels["size"], nan=-9).tolist()}
    assert {(1.5, -9, -9), (-2, 8, -9), (0, 4, -9), (-9, -9, 8), (-9, -9, 4), (-9, -9, -9)} == rows
    assert weights["size"].sum() == 3 + 2  # of b, height became unknown, and one image had nothing else


@pytest.mark.slow
def test_a_pack_gives_the_batches_of_its_source(table, tmp_path):
    folder, augmentation = table(), {"scale": [0.6, 2.0]}
    pipelines.pack("csv", tmp_path / "pack", folder, ["train"])
    first, second = (
        load("csv", folder, augmentation=augmentation),
        load("packed", tmp_path / "pack", augmentation=augmentation),
    )
    assert first.specs == second.specs
    for one, other in zip(first.train, second.train, strict=True):
        tf.nest.map_structure(lambda a, b: np.testing.assert_array_equal(a, b, strict=True), one, other)


@pytest.mark.parametrize("learnt", [True, False])
def test_an_inspection_counts_and_draws_them(table, tmp_path, capsys, monkeypatch, learnt):
    if not learnt:  # there is a kind of label before there is a task that learns it
        monkeypatch.delitem(tasks.KINDS, "attributes")
    out = tmp_path / "sheet.png"
    assert cli.main(["data", "inspect", str(table()), "--split", "train", "--out", str(out)]) == 0
    shown = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "size attributes 2 3 (75%)" in shown
    assert "size numbers in train" in shown
    assert "height 3" in shown
    assert "weight 2" in shown
    undrawn = "'size' is counted but not drawn: no task learns labels of kind 'attributes'."
    assert any(undrawn in line for line in shown) is not learnt
    assert Image.open(out).width > 4 * 384


@pytest.mark.slow
def test_a_task_learns_them_and_a_saved_model_tells_them(table, tmp_path):
    folder = table()
    data = load("csv", folder)
    model = toys.model([tasks.from_spec(spec) for spec in data.specs])
    model.compile("sgd", balancing="uncertainty")
    history = model.fit(data.train, epochs=2, verbose=0).history
    assert np.isfinite(history["size_loss"]).all()
    assert 0 < model.evaluate(data.train, verbose=0, return_dict=True)["size_closeness"] < 1
    told = json.loads(prediction.predict(model, [folder / "a.png"], tmp_path / "told").read_text())
    assert set(told["predictions"]["size"]) == {"height", "weight"}
    version = export.save(model, tmp_path / "saved")
    assert json.loads((version / "labels.json").read_text())["size"] == {
        **{"kind": "attributes", "classes": ["height", "weight"]}
    }
    picture = np.zeros((1, 30, 40, 3), np.uint8)
    served = tf.saved_model.load(version).signatures["serving_default"](images=tf.constant(picture))
    again = keras.saving.load_model(_saved(model, tmp_path / "model.keras"))
    expected = again.predict(np.zeros((1, *SIZE, 3)), verbose=0)["size_numbers"]
    np.testing.assert_allclose(served["size_numbers"], expected, atol=1e-5)


def _saved(model, path):
    model.save(path)
    return path
