"""The depth task: its loss and metrics against NumPy, and a model that trains, is saved and is exported with it."""

import io

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from pipelines import LabelSpec
from visionmtl import drawing, export, prediction, tasks
from visionmtl.errors import UsageError
from visionmtl.metrics.depth import DepthError
from visionmtl.tasks import Classification, Depth
from visionmtl.tasks.ceiling import CEILING

UNKNOWN = [0.0, np.nan, np.inf, -1.0]


def depths(images=2, size=8, seed=0):
    """Depth labels of 0.5 to 20 metres, the first row unknown in each way there is."""
    labels = np.random.default_rng(seed).uniform(0.5, 20, (images, size, size)).astype("float32")
    labels[:, 0] = np.resize(UNKNOWN, size)
    return labels


@pytest.mark.parametrize("invariance", [0.0, 0.5, 1.0])
def test_the_loss_is_that_of_the_paper_over_the_known_pixels(invariance):
    labels = depths()
    raw = np.random.default_rng(1).normal(size=(2, 8, 8, 1)).astype("float32")
    loss = Depth("d", invariance=invariance).loss(tf.constant(labels), {"log_depth": tf.constant(raw)})
    for image in range(2):
        d = raw[image, 1:, :, 0].astype(float) - np.log(labels[image, 1:].astype(float))
        expected = (d**2).sum() / d.size - invariance * d.sum() ** 2 / d.size**2
        assert float(loss[image]) == pytest.approx(expected, rel=1e-4)


def test_a_common_factor_costs_nothing_where_all_of_it_is_forgiven():
    labels = depths()
    raw = tf.math.log(tf.where(labels > 0, labels, 1.0) * 3.0)[..., None]
    raw = tf.where(tf.math.is_finite(raw), raw, 0.0)
    assert np.abs(Depth("d", invariance=1).loss(labels, {"log_depth": raw})).max() < 1e-5
    np.testing.assert_allclose(Depth("d", invariance=0).loss(labels, {"log_depth": raw}), np.log(3) ** 2, rtol=1e-4)


def test_unknown_pixels_teach_nothing():
    labels = depths()
    labels[1] = np.resize(UNKNOWN, (8, 8))
    raw = tf.Variable(tf.random.stateless_normal((2, 8, 8, 1), (0, 1)))
    with tf.GradientTape() as tape:
        loss = Depth("d").loss(tf.constant(labels), {"log_depth": raw})
    slope = tape.gradient(loss, raw).numpy()
    assert np.isfinite(slope).all()
    assert (slope[0, 0] == 0).all()
    assert (slope[0, 1:] != 0).all()
    assert loss[1] == 0
    assert (slope[1] == 0).all()


def test_metrics_are_those_of_numpy_over_the_known_pixels_of_labelled_images():
    truth = depths(images=3, size=9).astype(float)
    found = np.random.default_rng(2).uniform(0.5, 20, truth.shape)
    metric = DepthError()
    for rows in ([0], [1, 2]):
        weights = np.array([1.0, 0.0, 1.0], "float32")[rows]
        predictions = {"depth": tf.constant(found[rows], tf.float32)}
        statistics = metric.statistics(tf.constant(truth[rows], tf.float32), predictions, weights)
        metric.update({key: value.numpy() for key, value in statistics.items()})
    y, x = truth[[0, 2], 1:], found[[0, 2], 1:]
    factor = np.maximum(x / y, y / x)
    expected = {"RMSE": np.sqrt(((x - y) ** 2).mean()), "abs_rel": (np.abs(x - y) / y).mean()}
    expected |= {f"d{i}": (factor < 1.25**i).mean() for i in (1, 2, 3)}
    assert metric.result() == pytest.approx(expected, rel=1e-5)


def test_a_task_of_depth_has_no_classes_and_refuses_what_it_cannot_be():
    task = tasks.from_spec(LabelSpec("depth", "depth"), farthest=80.0, dropout=0.1)
    assert isinstance(task, Depth)
    assert (task.classes, repr(task)) == ((), "Depth('depth')")
    with pytest.raises(UsageError, match="has no option 'label_smoothing'"):
        tasks.from_spec(LabelSpec("depth", "depth"), label_smoothing=0.1)
    with pytest.raises(UsageError, match="invariance=2"):
        Depth("depth", invariance=2)


def test_the_drawing_leaves_what_is_unknown_and_its_legend_says_what_colours_mean():
    photograph = np.full((90, 120, 3), 120, "uint8")
    metres = np.full((90, 120), np.nan)
    metres[40:60, :40], metres[40:60, 40:80], metres[40:60, 80:] = 1.0, 9.0, 50.0
    drawn = drawing.depth(photograph, metres, farthest=10.0)
    near, far, beyond = (drawn[50, x].astype(int) for x in (20, 60, 100))
    assert near.sum() > far.sum() > beyond.sum()
    assert (drawn[60:] == 120).all()
    assert (drawn[:40] == 120).all()
    legend = Depth("depth", farthest=80.0).legend
    assert list(legend) == ["0 m", "20 m", "40 m", "60 m", "80 m and beyond"]
    assert legend["80 m and beyond"] == (68, 1, 84)  # the dark end


@pytest.fixture(scope="module")
def trained(toy_model):
    """A toy model of depth and class, trained until it knows that dark is far; its batch, and its losses by epoch."""
    random = np.random.default_rng(0)
    grey = np.repeat(np.repeat(random.uniform(0, 1, (8, 4, 4, 1)), 8, 1), 8, 2)
    labels = {"depth": (8 - 6 * grey[..., 0]).astype("float32"), "scene": np.arange(8) % 2}
    labels["depth"][:, :, :4] = 0
    labels["depth"][0] = np.nan
    weights = {"depth": np.ones(8, "float32"), "scene": np.ones(8, "float32")}
    batch = (np.repeat(255 * grey, 3, -1).astype("float32"), labels, weights)
    model = toy_model([Depth("depth"), Classification("scene", 2)])
    model.compile(keras.optimizers.Adam(0.02), balancing="uncertainty")
    data = tf.data.Dataset.from_tensors(batch)
    history = model.fit(data.repeat(40), epochs=2, verbose=0, shuffle=False).history
    return model, data, history["depth_loss"]


@pytest.mark.slow
def test_it_trains_beside_another_task_and_its_metrics_are_logged(trained):
    model, data, losses = trained
    assert losses[1] < losses[0] / 2
    logs = model.evaluate(data, verbose=0, return_dict=True)
    assert logs["depth_d1"] > 0.5
    assert {"depth_RMSE", "depth_abs_rel", "depth_d2", "depth_d3"} <= set(logs)
    assert logs["score"] == pytest.approx((min(logs["depth_d1"], CEILING) + min(logs["scene_accuracy"], CEILING)) / 2)
    assert model.balancer.weighting.regression == [True, False]


def test_a_saved_model_predicts_the_same_depth(trained, tmp_path):
    model, data, _ = trained
    model.save(tmp_path / "depth.keras")
    images = next(iter(data))[0]
    loaded = keras.saving.load_model(tmp_path / "depth.keras")
    metres = loaded.decode(loaded(images))["depth_depth"].numpy()
    np.testing.assert_allclose(metres, model.decode(model(images))["depth_depth"], rtol=1e-5)
    assert metres.shape == (8, 32, 32)
    assert metres.min() > 0


@pytest.mark.slow
def test_an_export_gives_depth_in_the_pixels_of_each_picture(trained, tmp_path):
    model, data, _ = trained
    pixels = next(iter(data))[0][0].numpy().astype("uint8")
    files = []
    for width, height in ((48, 40), (30, 64)):
        stream = io.BytesIO()
        Image.fromarray(pixels).resize((width, height)).save(stream, "PNG")
        files.append(stream.getvalue())
    served = tf.saved_model.load(export.save(model, tmp_path / "depth"))
    found = served.signatures["serving_bytes"](encoded=tf.constant(files))["depth_depth"].numpy()
    assert found.shape == (2, 64, 48)
    assert (found[0, :40] > 0).all()
    assert (found[0, 40:] == 0).all()
    assert (found[1, :, :30] > 0).all()
    assert (found[1, :, 30:] == 0).all()


def test_predictions_on_disk_are_metres(trained, tmp_path):
    model, data, _ = trained
    Image.fromarray(next(iter(data))[0][0].numpy().astype("uint8")).resize((40, 24)).save(tmp_path / "a.png")
    prediction.predict(model, [tmp_path / "a.png"], tmp_path / "out")
    metres = np.load(tmp_path / "out" / "depth" / "depth" / "a.npy")
    assert (metres.shape, metres.dtype) == ((24, 40), np.float32)
    assert metres.min() > 0
    assert (tmp_path / "out" / "overlays" / "a.png").is_file()
