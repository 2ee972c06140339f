"""Keras's own arguments do what they do in Keras, or are refused by name: plain `compile` and `fit` run beside."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few
from keras import ops

import visionmtl
from visionmtl.errors import UsageError

SAMPLES, BATCH = 10, 4  # the last batch is smaller


def layers(image):
    """Two outputs whose names begin alike, with layers that add losses."""
    x = keras.layers.Dense(6, activation="tanh", kernel_regularizer="l2", activity_regularizer="l2")(image)
    return {"label": keras.layers.Dense(3, activation="softmax", name="label")(x), "label_2": keras.layers.Dense(1)(x)}


def data():
    random = np.random.default_rng(0)
    label, depth = random.integers(0, 3, SAMPLES), random.normal(size=(SAMPLES, 1)).astype("float32")
    return random.normal(size=(SAMPLES, 5)).astype("float32"), {"label": label, "label_2": depth}


def both(loss, metrics=None, optimizer=lambda: keras.optimizers.SGD(0.1), one_hot=False, **options):
    """Train a plain Keras model and a balanced one on the same graph and batches; return the logs and weights."""
    images, labels = data()
    if one_hot:
        labels["label"] = np.eye(3, dtype="float32")[labels["label"]]
    results = []
    for kind in (keras.Model, visionmtl.BalancedModel):
        keras.utils.set_random_seed(0)
        image = keras.Input((5,))
        model = kind(image, layers(image))
        model.compile(optimizer(), loss=loss(), metrics=metrics() if metrics else None, **options)
        held = (images, labels)
        log = model.fit(
            images, labels, BATCH, 2, verbose=0, shuffle=False, validation_data=held, validation_batch_size=4
        )
        results.append((log.history, model.get_weights()))
    return results


def crossentropy_by_hand(truth, output):
    return -ops.sum(truth * ops.log(output + 1e-7), axis=-1)


def squares_of_ids(truth, output):
    return (truth - output[:, 0]) ** 2  # fails unless integer labels are made numbers of the output's kind


CASES = [
    {"loss": lambda: {"label": "sparse_categorical_crossentropy", "label_2": "mse"}},
    {"loss": lambda: {"label": "crossentropy", "label_2": "mae"}},
    {"loss": lambda: {"label": "ce", "label_2": keras.losses.Huber(0.3)}, "one_hot": True},
    {"loss": lambda: {"label": crossentropy_by_hand, "label_2": "mse"}, "one_hot": True},
    {"loss": lambda: {"label": squares_of_ids, "label_2": "mse"}},
    {"loss": lambda: {"label": keras.losses.SparseCategoricalCrossentropy(reduction="mean"), "label_2": "mse"}},
    {
        "loss": lambda: {"label": keras.losses.CategoricalCrossentropy(label_smoothing=0.1), "label_2": None},
        "one_hot": True,
    },
    {
        "loss": lambda: {"label": "sparse_categorical_crossentropy", "label_2": "mse"},
        "metrics": lambda: {"label": ["accuracy"], "label_2": [keras.metrics.MeanAbsoluteError()]},
    },
    {
        "loss": lambda: {"label": "mse", "label_2": "mse"},
        "metrics": lambda: {"label": "acc"},
        "one_hot": True,
    },
    {
        "loss": lambda: {"label": "ce", "label_2": "mse"},
        "optimizer": lambda: keras.optimizers.AdamW(0.1, gradient_accumulation_steps=2, global_clipnorm=0.1),
    },
]


@pytest.mark.slow
@pytest.mark.parametrize("options", few(CASES, keep=(CASES[0], CASES[4], CASES[-1])))
def test_they_do_what_they_do_in_keras(options):
    (plain, weights), (balanced, own) = both(**options)
    for name, values in plain.items():
        if "label" in name and name.endswith("loss"):
            continue  # Keras's own mean of an output's losses counts a smaller last batch too much
        assert balanced[name] == pytest.approx(values, rel=1e-5, abs=1e-6), name
    for ours, theirs in zip(own, weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


@pytest.mark.slow
def test_clip_norm_clips_what_was_accumulated_once():
    options = {"loss": lambda: {"label": "ce", "label_2": "mse"}}
    (_, expected), _ = both(
        optimizer=lambda: keras.optimizers.SGD(0.1, gradient_accumulation_steps=2, global_clipnorm=0.05), **options
    )
    images, labels = data()
    keras.utils.set_random_seed(0)
    image = keras.Input((5,))
    model = visionmtl.BalancedModel(image, layers(image))
    model.compile(keras.optimizers.SGD(0.1, gradient_accumulation_steps=2), options["loss"](), clip_norm=0.05)
    model.fit(images, labels, BATCH, 2, verbose=0, shuffle=False)
    for ours, theirs in zip(model.get_weights(), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)
    with pytest.raises(UsageError, match="clip_norm was given beside the optimizer's clipvalue=0.5"):
        model.compile(
            keras.optimizers.SGD(0.1, gradient_accumulation_steps=2, clipvalue=0.5), options["loss"](), clip_norm=0.05
        )


def test_averaged_weights_that_overwrite_those_of_several_devices_are_refused(two_devices):
    with tf.distribute.MirroredStrategy(two_devices).scope():
        image = keras.Input((5,))
        model = visionmtl.BalancedModel(image, layers(image))
        with pytest.raises(UsageError, match="ema_overwrite_frequency=2 is of one device"):
            model.compile(keras.optimizers.SGD(0.1, use_ema=True, ema_overwrite_frequency=2), {"label": "ce"})


def test_what_a_user_keeps_from_decay_stays_so_and_the_balancer_too():
    image = keras.Input((5,))
    model = visionmtl.BalancedModel(image, layers(image))
    optimizer = keras.optimizers.AdamW(0.1, weight_decay=0.5)
    optimizer.exclude_from_weight_decay([model.trainable_variables[0]], ["bias"])
    model.compile(optimizer, {"label": "ce", "label_2": "mse"}, balancing="uncertainty")
    model.build_optimizer()
    decays = {variable.path: optimizer._use_weight_decay(variable) for variable in model.trainable_variables}
    kept = [model.trainable_variables[0], *model.balancer.trainable_variables]
    assert not any(decays[variable.path] for variable in kept)
    assert not any(decay for path, decay in decays.items() if "bias" in path)
    assert any(decays.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss_weights": {"label": 2.0}}, "loss_weights, but the balancer weighs the tasks: give balancing="),
        ({"weighted_metrics": {"label": "acc"}}, "weighted_metrics, but metrics are weighted"),
        ({"metrics": "accuracy"}, r"metrics=...\) was given as a str: expected a dictionary"),
        ({"metrics": ["accuracy"]}, r"metrics=...\) was given as a list: expected a dictionary"),
        ({"metrics": {"label": [["accuracy"]]}}, "metrics of output 'label' hold a list: expected a flat list"),
        ({"metrics": {"lable": "accuracy"}}, "no output 'lable'. Did you mean 'label'"),
        ({"metrics": {"label": "acc", "label_2": "acc"}}, None),
        (
            {"metrics": {"label": [keras.metrics.Mean("2_mean_squared_error")], "label_2": "mse"}},
            "both have a metric that is logged as",
        ),
        (
            {"loss": {"label": keras.losses.CategoricalCrossentropy(reduction="sum")}},
            "reduction='sum': a task's loss is",
        ),
        ({"loss": {"label": None}}, "no loss but None"),
        ({"loss": {"label": ["mse", "mae"]}}, "loss of output 'label' is a list: expected one loss a task"),
        ({"loss": "mse"}, "takes a dictionary {output name: loss}"),
    ],
)
def test_what_would_do_something_else_is_refused_by_name(options, message):
    image = keras.Input((5,))
    model = visionmtl.BalancedModel(image, layers(image))
    options = {"loss": {"label": "ce", "label_2": "mse"}} | options
    if message is None:
        model.compile("sgd", **options)
        return
    with pytest.raises(UsageError, match=message):
        model.compile("sgd", **options)


@pytest.mark.parametrize("loss", [lambda truth, output: ops.mean((truth - output) ** 2), keras.losses.Dice()])
def test_a_loss_of_one_number_a_batch_is_refused_when_it_is_met(loss):
    images, labels = data()
    image = keras.Input((5,))
    model = visionmtl.BalancedModel(image, layers(image))
    model.compile("sgd", {"label_2": loss})
    with pytest.raises(UsageError, match="'label_2' is one number for the whole batch: .* Average over all axes but"):
        model.fit(images, labels, verbose=0)


def test_one_metric_for_two_outputs_and_a_mask_that_reaches_an_output_are_refused():
    image = keras.Input((5,))
    model = visionmtl.BalancedModel(image, layers(image))
    mean = keras.metrics.MeanSquaredError()
    with pytest.raises(UsageError, match="Output 'label_2' has the same metric object"):
        model.compile("sgd", {"label": "mse"}, {"label": mean, "label_2": mean})
    words = keras.Input((5,))
    x = keras.layers.Embedding(9, 4, mask_zero=True, name="words")(words)
    model = visionmtl.BalancedModel(words, {"tags": keras.layers.Dense(2)(x)})
    with pytest.raises(UsageError, match="Layer 'words' masks steps that output 'tags' has"):
        model.compile("sgd", {"tags": "mse"})
