"""Watching the gradients of the tasks: the file, TensorBoard, the plot and the picture."""

import csv

import keras
import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

import visionmtl
from visionmtl import csvfile, drawing
from visionmtl.callbacks.gradient_watch import GradientWatch
from visionmtl.report.plots.axes import write
from visionmtl.report.plots.balancing import balancing

X = np.random.default_rng(0).normal(size=(24, 4)).astype("float32")
LABELS = {"up": X[:, :1], "down": -X[:, :1], "free": X[:, 1:2]}


def model_of(balancing="equal", kernel=1.0):
    """Three tasks that read a table through one kernel; "up" and "down" want the opposite."""
    keras.utils.set_random_seed(0)
    x = keras.Input((4,))
    hidden = keras.layers.Dense(4, use_bias=False, kernel_initializer=keras.initializers.RandomNormal(stddev=0.01))(x)
    ones = keras.initializers.Constant(kernel)
    outputs = {name: keras.layers.Dense(1, kernel_initializer=ones, name=name)(hidden) for name in LABELS}
    model = visionmtl.BalancedModel(x, outputs)
    model.compile(keras.optimizers.SGD(1e-4), dict.fromkeys(LABELS, "mse"), balancing=balancing)
    return model


def train(model, folder, every=4, epochs=2, initial=0):
    watch = GradientWatch(folder / "gradients.csv", folder / "tensorboard", every)
    dataset = tf.data.Dataset.from_tensor_slices((X, LABELS)).batch(4)  # six steps an epoch
    model.fit(dataset, epochs=epochs, initial_epoch=initial, verbose=0, callbacks=[watch])
    with (folder / "gradients.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.slow
@pytest.mark.parametrize("balancing", ["equal", "uncertainty", "cagrad", "db_mtl", "gradnorm"])
def test_every_balancer_is_watched_every_so_many_steps(balancing, tmp_path):
    rows = train(model_of(balancing), tmp_path)
    assert [int(row["step"]) for row in rows] == [3, 7, 11]
    assert list(rows[0]) == [
        *("step", "conflicts", "weight/up", "weight/down", "weight/free", "norm/up", "norm/down", "norm/free"),
        *("cosine/up/down", "cosine/up/free", "cosine/down/free"),
    ]
    assert all(-1.001 <= float(row["cosine/up/down"]) < 0 and float(row["conflicts"]) == 1 for row in rows)


@pytest.mark.slow
def test_a_balancer_that_seldom_looks_is_read_when_it_did(tmp_path):
    rows = train(model_of({"method": "mgda", "update_every": 3}), tmp_path)
    assert [int(row["step"]) for row in rows] == [3, 9]  # 6 is before 7 is due


@pytest.mark.slow
def test_a_training_of_fewer_steps_is_looked_at_in_its_last(tmp_path):
    rows = train(model_of(), tmp_path, every=50)
    assert [int(row["step"]) for row in rows] == [11]


@pytest.mark.slow
def test_tensorboard_has_scalars_and_a_picture_by_step(tmp_path):
    train(model_of(), tmp_path)
    events = EventAccumulator(str(tmp_path / "tensorboard" / "gradients"), {"tensors": 0, "images": 0}).Reload()
    tags = events.Tags()["tensors"]
    group = "weights_and_gradients"
    assert {f"{group}/{name}" for name in ("cosine/up/down", "norm/free", "weight/up", "conflicts")} <= set(tags)
    values = events.Tensors(f"{group}/conflicts")
    assert [one.step for one in values] == [4, 8, 12]  # steps behind
    assert [float(tf.make_ndarray(one.tensor_proto)) for one in values] == [1, 1, 1]
    picture = tf.io.decode_png(tf.make_ndarray(events.Tensors("pictures/cosines")[0].tensor_proto)[2])
    assert picture.shape == drawing.matrix(np.eye(3), list(LABELS)).shape


@pytest.mark.slow
def test_a_resumed_training_goes_on_with_its_rows(tmp_path):
    whole = train(model_of(), tmp_path / "whole")
    model = model_of()
    first = train(model, tmp_path / "parts", epochs=1)
    rows = train(model, tmp_path / "parts", epochs=2, initial=1)
    assert [row["step"] for row in first] == ["3"]
    assert [row["step"] for row in rows] == ["3", "7", "11"] == [row["step"] for row in whole]


@pytest.mark.slow
def test_the_plot_shows_weights_lengths_and_cosines(tmp_path):
    train(model_of("cagrad"), tmp_path, every=1)
    figure = balancing(csvfile.columns(tmp_path / "gradients.csv"))
    titles = [axes.get_title(loc="left") for axes in figure.axes]
    assert titles[:3] == ["weight of each task", "length of its gradient", "cosine between gradients"]
    assert titles[3].endswith("100% of steps below -0.1")
    assert figure.axes[0].get_xlabel() == "step"
    assert write(figure, tmp_path / "balancing.png").stat().st_size > 10_000
    assert balancing({"step": np.array([])}) is None


def test_many_pairs_are_drawn_as_their_range():
    tasks, steps = [f"task {place}" for place in range(6)], np.arange(0, 100, 5)
    history = {"step": steps} | {f"norm/{task}": steps + 1.0 for task in tasks}
    for place, one in enumerate(tasks):
        history |= {f"cosine/{one}/{other}": np.full(len(steps), 0.1 * place) for other in tasks[place + 1 :]}
    history["cosine/task 0/task 1"] = np.full(len(steps), np.nan)
    texts = " ".join(text.get_text() for text in balancing(history).axes[2].texts)
    assert "highest 0.4" in texts
    assert "lowest 0" in texts


def test_a_matrix_is_drawn_by_sign_and_what_is_unknown_is_grey():
    picture = drawing.matrix(np.array([[1.0, -1.0], [np.nan, 0.0]]), ["one", "a name too long for its column"])
    right, bottom = picture.shape[1] - 64, picture.shape[0] - 64
    corners = [picture[bottom - 64 + 4, right - 64 + 4], picture[bottom - 64 + 4, right + 4], picture[-60, right - 60]]
    assert [tuple(corner) for corner in corners] == [drawing.POSITIVE, drawing.NEGATIVE, (222, 226, 230)]


def test_a_matrix_may_have_other_columns_than_rows_and_a_limit_of_its_own():
    picture = drawing.matrix(np.array([[0.2, 0.1, 0.0]]), ["one"], ["a", "b", "c"], limit=0.2)
    assert tuple(picture[-64 + 4, -3 * 64 + 4]) == drawing.POSITIVE
    assert picture.shape[1] == drawing.matrix(np.eye(1), ["one"]).shape[1] + 128


def test_a_matrix_can_be_read_at_the_width_that_tensorboard_shows_it_at():
    for count in (2, 11, 20):
        picture = drawing.matrix(np.zeros((count, count)), ["H"] * count)
        letter = np.flatnonzero((picture[-64:, : -64 * count].max(axis=-1) < 128).any(axis=1))
        assert (letter[-1] - letter[0] + 1) * 350 / max(350, picture.shape[1]) >= 5, f"{count} classes"
