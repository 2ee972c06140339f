"""Every sharing scheme, for one to five tasks: shapes, gradients, saving, export, two devices and half precision."""

import functools
import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl import export, sharing
from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Depth, Detection, Segmentation

READS_OTHERS = {"cascade", "distillation", "fusion"}  # a task's loss moves the heads it reads
SIZE = 32
KINDS = [{"name": "experts", "kind": "cgc"}, {"name": "experts", "kind": "ple"}]


def named(value):
    """What a parameter is called in the name of a test."""
    return value["kind"] if isinstance(value, dict) else str(value)


each_scheme = pytest.mark.parametrize("scheme", [*sharing.names(), *KINDS], ids=named)


def some(count):
    """Tasks of several kinds."""
    tasks = [Classification("scene", 3), Segmentation("ground", 3), Detection("objects", 2)]
    return [*tasks, Classification("weather", 4, multi_label=True), Depth("range")][:count]


def labels_of(tasks, images=4):
    """Random labels of some tasks."""
    random = np.random.default_rng(0)
    found = {}
    for task in tasks:
        if task.kind == "classification":
            found[task.name] = random.integers(0, len(task.classes), images).astype("int32")
        elif task.kind == "multi_label":
            found[task.name] = random.integers(0, 2, (images, len(task.classes))).astype("float32")
        elif task.kind == "depth":
            found[task.name] = random.uniform(0, 10, (images, SIZE, SIZE)).astype("float32")
        elif task.kind == "segmentation":
            found[task.name] = random.integers(0, len(task.classes), (images, SIZE, SIZE)).astype("int32")
        else:
            corner = random.uniform(0, 15, (images, 2, 2))
            boxes = np.concatenate([corner, corner + random.uniform(6, 16, (images, 2, 2))], axis=-1)
            found[task.name] = {
                "boxes": boxes.astype("float32"),
                "classes": random.integers(0, 2, (images, 2)).astype("int32"),
            }
    return found


def pictures(images=4):
    return np.random.default_rng(1).integers(0, 256, (images, SIZE, SIZE, 3)).astype("float32")


@pytest.fixture(scope="module")
def plain_shapes(toy_model):
    """Return the function that gives the shapes of the outputs of plain hard sharing."""
    return functools.cache(lambda count: {key: one.shape for key, one in toy_model(some(count)).output.items()})


@pytest.mark.parametrize(
    ("scheme", "count"), [*itertools.product(sharing.names(), (1, 2, 3, 5)), *((kind, 2) for kind in KINDS)], ids=named
)
def test_a_scheme_serves_any_tasks(scheme, count, toy_model, plain_shapes, tmp_path):
    tasks = some(count)
    model = toy_model(tasks, sharing=scheme)
    images, labels = pictures(), labels_of(tasks)
    for key, shape in plain_shapes(count).items():
        assert model.output[key].shape == shape

    with tf.GradientTape(persistent=True) as tape:
        losses = model.sample_losses(labels, model(images, training=True))
        totals = {task: tf.reduce_mean(loss) for task, loss in losses.items()}
        everything = tf.add_n([*totals.values(), *model.losses])
    variables = model.trainable_variables
    unmoved = [v.path for v, g in zip(variables, tape.gradient(everything, variables), strict=True) if g is None]
    assert not unmoved
    for task, total in totals.items():
        moved = {v.path for v, g in zip(variables, tape.gradient(total, variables), strict=True) if g is not None}
        for other in tasks:
            heads = [model.get_layer(layer) for layer in model.parts[other.name]]
            reached = any(variable.path in moved for layer in heads for variable in layer.trainable_variables)
            if other.name == task:
                assert reached
            elif str(scheme) not in READS_OTHERS and not any(isinstance(layer, keras.Model) for layer in heads):
                assert not reached

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config()["sharing"] == model.get_config()["sharing"]
    again = loaded(images)
    for key, tensor in model(images).items():
        np.testing.assert_array_equal(again[key], tensor)


@each_scheme
def test_two_devices_train_a_scheme_like_one(scheme, toy_model, two_devices):
    tasks = some(2)
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    alone = toy_model(tasks, sharing=scheme)
    with strategy.scope():
        mirrored = toy_model(some(2), sharing=scheme)
    mirrored.set_weights(alone.get_weights())
    data = tf.data.Dataset.from_tensors((pictures(), labels_of(tasks)))
    for model in (alone, mirrored):
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)  # tracing takes ten times as long as two steps
        model.fit(data, epochs=2, verbose=0)
    for variable, one, two in zip(alone.weights, alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5, err_msg=variable.path)


@each_scheme
def test_a_scheme_runs_in_half_precision_and_is_exported(scheme, toy_model, tmp_path):
    tasks = some(2)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = toy_model(tasks, sharing=scheme)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("sgd", run_eagerly=True)
    logs = model.train_on_batch(pictures(), labels_of(tasks), return_dict=True)
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert all(tensor.dtype == "float32" for key, tensor in model(pictures()).items() if not key.startswith("auxil"))

    served = tf.saved_model.load(export.save(model, tmp_path / "exported")).signatures["serving_default"]
    found = served(images=tf.constant(pictures().astype("uint8")))
    predicted = model.predict(pictures(), verbose=0)
    np.testing.assert_allclose(found["scene_probabilities"], predicted["scene_probabilities"], atol=1e-2)
    assert found["ground_classes"].shape == (4, SIZE, SIZE)


def test_a_scheme_is_made_again_from_its_config():
    for name in sharing.names():
        scheme = sharing.get(name)
        assert sharing.get(sharing.serialize(scheme)).get_config() == scheme.get_config()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("crossstitch_", "Unknown sharing scheme 'crossstitch_'"),
        ({"name": "hard", "untill": "P3"}, "no option 'untill'. Did you mean 'until'"),
        ({"name": "hard", "until": "P9"}, "Unknown level to share until 'P9'"),
    ],
)
def test_what_a_scheme_cannot_be_is_refused_when_the_model_is_built(given, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(some(2), sharing=given)


def test_the_copies_of_a_backbone_start_alike():
    model = visionmtl.MultiTaskModel(some(2), "efficientnet_lite0", (32, 32, 3), {"name": "hard", "until": "P4"})
    one, other = (model.get_layer(f"{task}_efficientnet_lite0_P5").get_weights() for task in ("scene", "ground"))
    for a, b in zip(one, other, strict=True):
        np.testing.assert_array_equal(a, b)
