"""Callbacks around a tiny model that has the tasks, logs and predictions of a real one."""

import csv
import math
import time
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from tensorboard.backend.event_processing import plugin_event_accumulator
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import pipelines
from visionmtl import callbacks, drawing, recipe
from visionmtl.drawing import samples
from visionmtl.errors import UsageError
from visionmtl.files import written_whole
from visionmtl.training import devices


class Painted:
    """A task whose truth paints a picture red and whose prediction paints it blue."""

    classes, legend, drawn_at = ("sky", "road"), drawing.colours(["sky", "road"]), 1

    def __init__(self, name):
        self.name = name

    def truth(self, labels):
        return {"classes": np.asarray(labels)}

    def words(self, predictions):
        return ""

    def draw(self, image, predictions):
        assert predictions["classes"].shape == image.shape[:2]
        colours = np.array([[200, 0, 0], [0, 0, 200]], np.uint8)
        return colours[predictions["classes"]]


@keras.saving.register_keras_serializable("tests")
class Tiny(keras.Model):
    """Logs and predicts under the names of a real model."""

    confidences = None

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.dense = keras.layers.Dense(1)
        self.tasks = {name: Painted(name) for name in ("street", "street_far")}

    def call(self, images):
        return self.dense(tf.cast(images, tf.float32) / 255)

    def train_step(self, data):
        images, _, _ = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(self(images) ** 2)
        self.optimizer.apply_gradients(
            zip(tape.gradient(loss, self.trainable_variables), self.trainable_variables, strict=True)
        )
        return {"loss": loss, "street_loss": loss, "weight/street": tf.constant(0.7)}

    def test_step(self, data):
        loss = tf.reduce_mean(self(data[0]) ** 2)
        return {"loss": loss, "street_loss": loss, "street_mIoU": tf.constant(0.5), "score": 1 - loss}

    def predict_step(self, data):
        ones = tf.ones(tf.shape(data)[:3], tf.int32)
        return {"street_classes": ones, "street_far_classes": ones}


@pytest.fixture
def dataset():
    images = np.full((5, 32, 48, 3), 90, np.uint8)
    labels = {name: np.zeros((5, 32, 48), np.int32) for name in ("street", "street_far")}
    weights = {name: np.array([1, 1, 0, 1, 1], np.float32) for name in labels}
    return tf.data.Dataset.from_tensor_slices((images, labels, weights)).batch(2)


@pytest.fixture
def model():
    model = Tiny()
    model(np.zeros((1, 32, 48, 3), np.uint8))
    model.compile(keras.optimizers.SGD(keras.optimizers.schedules.PolynomialDecay(0.1, 6, 0.0)))
    return model


def session(tmp_path, *overrides, history=()):
    """A session of a model of two tasks whose scheme learns something."""
    model = SimpleNamespace(tasks={"a": None, "b": None}, learnt_sharing=lambda: {"gates": None})
    given = recipe.load("garments", overrides)
    return callbacks.Session(given, tmp_path, pipelines.Datasets({}, (), {}), history, model)


def test_a_session_is_watched_in_the_order_of_priorities(tmp_path):
    order = ["Seek", "AveragedWeights", "LearningRate", "Shares", "TensorBoard", "GradientWatch"]
    order += ["SharingWatch", "Checkpoint", "Checkpoint", "Seconds", "History", "Patience", "Backup"]
    all_of_them = callbacks.of_session(session(tmp_path, "training.ema=0.9", "training.early_stopping=2"))
    assert [name for callback in all_of_them if (name := type(callback).__name__) in order] == order
    fewer = ("balancing.watch=null", "training.ema=null", "training.early_stopping=null")
    wanted = {type(callback).__name__ for callback in callbacks.of_session(session(tmp_path, *fewer))}
    assert not wanted & {"AveragedWeights", "GradientWatch", "Patience"}


def test_further_callbacks_stand_among_a_sessions_own_by_their_priorities(tmp_path):
    own = type("Own", (callbacks.Callback,), {"priority": 86})()
    given = session(tmp_path)
    names = [type(callback).__name__ for callback in callbacks.of_session(given, [own])]
    assert names.index("Seconds") < names.index("Own") < names.index("History")
    assert own in given.watchers


def test_a_resumed_session_goes_on_from_its_best_value_and_its_seconds(tmp_path):
    history = [{"val_score": 0.5, "seconds": 3.0}, {"seconds": 7.0}, {"val_score": math.nan, "seconds": 9.0}]
    resumed = session(tmp_path, "training.early_stopping=2", history=history)
    assert resumed.validated == [0.5]
    best = next(callback for callback in callbacks.Checkpoint.of_session(resumed) if callback.monitor)
    assert (best.best, callbacks.Patience.of_session(resumed)[0].values) == (0.5, [0.5])
    assert callbacks.Seconds.of_session(resumed)[0].began < time.perf_counter() - 9


def rows(path):
    return list(csv.DictReader(path.open()))


def test_history_has_the_columns_that_appear_late(model, dataset, tmp_path):
    history = [callbacks.LearningRate(), callbacks.History(tmp_path / "history.csv")]
    model.fit(dataset, validation_data=dataset, validation_freq=2, epochs=2, verbose=0, callbacks=history)
    first, second = rows(tmp_path / "history.csv")
    assert (first["epoch"], second["epoch"]) == ("1", "2")
    assert first["val_score"] == ""
    assert float(second["val_street_mIoU"]) == 0.5
    assert float(first["weight/street"]) == pytest.approx(0.7)
    assert float(first["learning_rate"]) == pytest.approx(0.05)  # three of six steps done
    assert float(second["learning_rate"]) == 0


def test_a_resumed_run_has_one_history(model, dataset, tmp_path):
    path = tmp_path / "history.csv"
    model.fit(dataset, epochs=3, verbose=0, callbacks=[callbacks.History(path)])
    before = rows(path)
    model.fit(dataset, epochs=4, initial_epoch=2, verbose=0, callbacks=[callbacks.History(path)])
    assert [row["epoch"] for row in rows(path)] == ["1", "2", "3", "4"]
    assert rows(path)[:2] == before[:2]
    model.fit(dataset, epochs=1, verbose=0, callbacks=[callbacks.History(path)])
    assert [row["epoch"] for row in rows(path)] == ["1"]


def test_the_best_checkpoint_is_kept_and_survives_missing_values(model, tmp_path):
    best = callbacks.Checkpoint(tmp_path / "best.keras", "val_score")
    best.set_model(model)
    for epoch, value in enumerate([0.5, None, math.nan, 0.7, 0.6]):
        model.dense.bias.assign([float(epoch)])
        best.on_epoch_end(epoch, {} if value is None else {"val_score": value})
    assert best.best == 0.7
    assert keras.saving.load_model(tmp_path / "best.keras").dense.bias.numpy() == [3.0]
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


def test_a_model_with_a_weight_that_is_not_finite_is_never_kept_and_that_is_told(model, tmp_path, capsys):
    best, last = (
        callbacks.Checkpoint(tmp_path / "best.keras", "val_score"),
        callbacks.Checkpoint(tmp_path / "last.keras"),
    )
    for epoch, (bias, score) in enumerate([(0.0, 0.5), (math.nan, 0.9), (1.0, math.nan), (2.0, math.inf)]):
        model.dense.bias.assign([bias])
        for callback in (best, last):
            callback.set_model(model)
            callback.on_epoch_end(epoch, {"val_score": score})
    assert (best.best, keras.saving.load_model(tmp_path / "best.keras").dense.bias.numpy()) == (0.5, [0.0])
    assert keras.saving.load_model(tmp_path / "last.keras").dense.bias.numpy() == [2.0]
    told = capsys.readouterr().out.splitlines()
    assert [line.split(" ")[1] for line in told] == ["2:", "2:", "3:"]
    assert f"{model.dense.bias.path}' is not finite, and best.keras is not written" in told[0]
    assert "val_score is not a number" in told[2]


def test_without_a_monitor_every_epoch_is_saved(model, tmp_path):
    last = callbacks.Checkpoint(tmp_path / "last.keras")
    last.set_model(model)
    for epoch in range(2):
        model.dense.bias.assign([float(epoch)])
        last.on_epoch_end(epoch, {})
    assert keras.saving.load_model(tmp_path / "last.keras").dense.bias.numpy() == [1.0]


def test_a_failing_write_leaves_the_old_file_and_says_so(tmp_path):
    path = tmp_path / "last.keras"
    path.write_text("whole")

    def write_half():
        with written_whole(path) as partial:
            partial.write_text("ha")
            raise OSError(28, "No space left on device")

    with pytest.raises(UsageError, match="the disk is full"):
        write_half()
    assert path.read_text() == "whole"
    assert list(tmp_path.iterdir()) == [path]


def test_tensorboard_events_can_be_read(model, dataset, tmp_path):
    board = callbacks.TensorBoard(tmp_path, dataset, count=2, every=2, steps=2)
    watchers = [callbacks.LearningRate(), board]
    model.fit(dataset, validation_data=dataset, epochs=4, verbose=0, callbacks=watchers)
    train, validation = (EventAccumulator(str(tmp_path / run)).Reload() for run in ("train", "validation"))
    tags = {"losses/total", "losses/street", "weights_and_gradients/weight/street", "training/learning_rate"}
    assert set(train.Tags()["tensors"]) == tags
    assert set(validation.Tags()["tensors"]) == {
        "losses/total",
        "losses/street",
        "metrics/street/mIoU",
        "metrics/score",
        "pictures/samples",
    }
    for tag in ("losses/total", "training/learning_rate"):  # every other step, and the last of each epoch of three
        assert [event.step for event in train.Tensors(tag)] == [2, 3, 4, 6, 8, 9, 10, 12]
    assert [event.step for event in validation.Tensors("losses/total")] == [3, 6, 9, 12]
    assert [event.step for event in validation.Tensors("pictures/samples")] == [3, 9, 12]  # every other, and the last
    encoded = tf.make_ndarray(validation.Tensors("pictures/samples")[0].tensor_proto)
    drawn = tf.io.decode_png(encoded[2])  # behind width and height
    assert drawn.shape[0] > drawn.shape[1]  # the three below each other, to be read on a card
    assert len(encoded) == 2 + 2


@pytest.mark.slow
def test_what_a_killed_session_wrote_of_steps_that_are_made_again_is_void(tmp_path):
    class Counted(SimpleNamespace):
        optimizer = SimpleNamespace(learning_rate=0.1)

    def session(first, losses):
        board, model = callbacks.TensorBoard(tmp_path), Counted(steps_behind=3 * first)
        board.set_model(model)
        board.on_train_begin()
        for epoch, loss in enumerate(losses, first):
            board.on_epoch_begin(epoch)
            for batch in range(3):
                board.on_train_batch_end(batch, {"loss": loss})
            model.steps_behind += 3
            board.on_test_begin()
            board.on_epoch_end(epoch, {"loss": loss, "val_loss": loss})
        board.on_train_end()
        time.sleep(1.1)  # the names of event files order them by the second

    session(0, [3.0, 2.0, 9.0])
    session(1, [2.5])
    session(2, [1.0])
    for run in ("train", "validation"):
        board = plugin_event_accumulator.EventAccumulator(str(tmp_path / run))  # that TensorBoard shows
        events = board.Reload().Tensors("losses/total")
        assert [(e.step, float(tf.make_ndarray(e.tensor_proto))) for e in events] == [(3, 3), (6, 2.5), (9, 1)]


def test_samples_show_photograph_truth_and_prediction(model, dataset, tmp_path):
    paths = samples.save_samples(model, tmp_path / "samples", dataset, count=3)
    assert [path.name for path in paths] == ["01.png", "02.png", "03.png"]
    strip = np.asarray(Image.open(paths[0]))
    middle = strip[strip.shape[0] // 2]
    for colour in ([90, 90, 90], [200, 0, 0], [0, 0, 200]):
        assert (middle == colour).all(axis=-1).sum() == 48 * 12  # enlarged to 384 pixels
    unlabelled = np.asarray(Image.open(paths[1]))
    assert not (unlabelled == [200, 0, 0]).all(axis=-1).any()


def test_samples_are_drawn_by_a_model_on_two_devices(dataset, two_devices, tmp_path):
    with devices.strategy(two_devices).scope():
        model = Tiny()
        model(np.zeros((1, 32, 48, 3), np.uint8))
        model.compile("sgd")
    samples.save_samples(model, tmp_path, dataset, count=3)
    strip = np.asarray(Image.open(tmp_path / "03.png"))
    assert (strip[strip.shape[0] // 2] == [0, 0, 200]).all(axis=-1).sum() == 48 * 12


@pytest.mark.parametrize("told", [["training.log=[]"], ["training.profile=[3, 4]"]])
def test_what_tensorboard_is_told_is_what_the_recipe_says(told, tmp_path):
    names = [type(each).__name__ for each in callbacks.of_session(session(tmp_path, *told))]
    assert ("TensorBoard" in names, "Profile" in names) == (told != ["training.log=[]"], told != ["training.log=[]"])
