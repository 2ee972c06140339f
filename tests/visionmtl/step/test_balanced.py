"""BalancedModel: any functional model of several outputs, with losses and metrics as in Keras."""

import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.errors import UsageError


def _small_cnn():
    """The network people start from: three convolutions, flatten, ten classes and "is there an object"."""
    image = keras.Input((32, 32, 3))
    x = image
    for filters in (8, 16, 32):
        x = keras.layers.Conv2D(filters, 3, strides=2, activation="relu")(x)
    x = keras.layers.Flatten()(x)
    label = keras.layers.Dense(10, activation="softmax")(x)
    present = keras.layers.Dense(1, activation="sigmoid")(x)
    model = visionmtl.BalancedModel(image, {"label": label, "present": present})
    losses = {"label": "sparse_categorical_crossentropy", "present": "binary_crossentropy"}
    model.compile("adam", loss=losses, metrics={"label": "accuracy", "present": ["AUC"]}, balancing="uncertainty")
    return model


def _squares(images=64, seed=0):
    """Images of one of ten brightnesses, half of them with a white square."""
    random = np.random.default_rng(seed)
    label = random.integers(0, 10, images)
    present = random.integers(0, 2, images)
    x = np.ones((images, 32, 32, 3), "float32") * label[:, None, None, None] / 20
    x[present == 1, 8:20, 8:20] = 1
    return x, {"label": label, "present": present}


@pytest.mark.slow
def test_the_small_cnn_learns_both_outputs():
    keras.utils.set_random_seed(0)
    model = _small_cnn()
    x, y = _squares(256)
    history = model.fit(x, y, epochs=12, batch_size=32, verbose=0, validation_data=_squares(64, 1)).history
    assert history["val_present_auc"][-1] > 0.95
    assert history["label_loss"][-1] < history["label_loss"][0]
    assert {"loss", "label_accuracy", "weight/label", "val_label_accuracy", "val_present_loss"} <= history.keys()


def test_a_missing_label_leaves_its_output_alone():
    keras.utils.set_random_seed(0)
    model = _small_cnn()
    x, y = _squares()
    head = model.layers[-1]
    before = [value.copy() for value in head.get_weights()]
    model.fit(x, {"label": y["label"]}, verbose=0)
    for value, old in zip(head.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)


def test_sample_weights_of_an_output_select_its_samples():
    x, y = _squares(8)
    weight = np.array([1, 1, 1, 1, 0, 0, 0, 0], "float32")
    keras.utils.set_random_seed(0)
    model = _small_cnn()
    logs = model.test_on_batch(x, y, {"label": weight}, return_dict=True)
    first = model.test_on_batch(x[:4], {k: v[:4] for k, v in y.items()}, return_dict=True)
    assert logs["label_loss"] == pytest.approx(first["label_loss"], rel=1e-5)
    assert logs["present_loss"] != pytest.approx(first["present_loss"], rel=1e-5)


@pytest.mark.slow
def test_equal_balancing_is_plain_keras(tmp_path):
    x, y = _squares()
    weights = []
    for balanced in (True, False):
        keras.utils.set_random_seed(1)
        model = _small_cnn()
        losses = {"label": "sparse_categorical_crossentropy", "present": "binary_crossentropy"}
        if balanced:
            model.compile(keras.optimizers.SGD(0.1), loss=losses, balancing="equal")
        else:
            model = keras.Model(model.input, model.output)
            model.compile(keras.optimizers.SGD(0.1), loss=losses)
        model.fit(x, y, epochs=2, batch_size=16, shuffle=False, verbose=0)
        weights.append(model.get_weights()[: 2 * 5])
    for a, b in zip(*weights, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
def test_a_balanced_model_is_saved_with_its_balancer(tmp_path):
    x, y = _squares()
    model = _small_cnn()
    model.fit(x, y, epochs=2, verbose=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, visionmtl.BalancedModel)
    for one in (model, loaded):
        one.train_on_batch(x, y)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.slow
def test_a_file_without_the_optimizer_s_state_loads_without_a_word_and_its_training_starts_anew(tmp_path):
    x, y = _squares()
    model, small = _small_cnn(), tmp_path / "small.keras"
    model.fit(x, y, verbose=0)
    model.save(tmp_path / "model.keras")
    model.save_without_state(small)
    assert small.stat().st_size < 0.6 * (tmp_path / "model.keras").stat().st_size
    steps, moments = model.steps_behind, [variable.numpy() for variable in model.optimizer.variables]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        loaded = keras.saving.load_model(small)
        model.load_weights(small)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    assert (model.steps_behind, loaded.steps_behind) == (steps, 0)
    for variable, value in zip(model.optimizer.variables, moments, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)
    with pytest.warns(UserWarning, match="no state of its optimizer, as a run's best.keras: it starts anew"):
        loaded.fit(x, y, verbose=0)
    assert loaded.steps_behind == steps


def test_a_squared_error_counts_as_a_regression():
    x = keras.Input((4,))
    model = visionmtl.BalancedModel(x, {"depth": keras.layers.Dense(1)(x), "kind": keras.layers.Dense(3)(x)})
    cross = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(loss={"depth": "mse", "kind": cross}, balancing="uncertainty")
    assert model.balancer.weighting.regression == [True, False]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"loss": "mse"}, "dictionary {output name: loss}"),
        ({"loss": {"lable": "mse"}}, "no output 'lable'. Did you mean 'label'"),
        ({"loss": {"label": "mse"}, "metrics": {"presnt": "mae"}}, "no output 'presnt'"),
    ],
)
def test_mistakes_are_told(options, message):
    with pytest.raises(UsageError, match=message):
        _small_cnn().compile("adam", **options)


@pytest.mark.parametrize(
    ("labels", "weights", "message"),
    [
        (
            np.ones(4),
            None,
            "labels were given as an array of shape .B.: expected a dictionary by task, .*tasks are label, present",
        ),
        (None, None, "labels were not given: expected"),
        ({"lable": np.ones(4)}, None, "labels have the key 'lable', .*did you mean 'label'"),
        ({"label": np.ones(4)}, np.ones(4), "weights were given as"),
    ],
)
def test_labels_that_are_of_no_task_are_told(labels, weights, message):
    model, (x, _) = _small_cnn(), _squares(4)
    data = tf.data.Dataset.from_tensors(tuple(each for each in (x, labels, weights) if each is not None))
    for learn in (model.fit, model.evaluate):
        with pytest.raises(UsageError, match=message):
            learn(data, verbose=0)


class Adds(keras.layers.Layer):
    """Adds a loss for each sample."""

    def call(self, inputs):
        self.add_loss(keras.ops.mean(inputs**2, axis=-1))
        return inputs


@pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
def test_losses_of_layers_are_summed_whatever_the_layers_compute_in(dtype):
    x = keras.Input((4,))
    hidden = keras.layers.Dense(3, dtype=dtype, kernel_initializer="ones", activity_regularizer="l2")(x)
    hidden = Adds(dtype=dtype)(hidden)
    outputs = {task: keras.layers.Dense(1, kernel_initializer="ones", name=task)(hidden) for task in "ab"}
    model = visionmtl.BalancedModel(x, outputs)
    model.compile("sgd", dict.fromkeys("ab", "mse"), run_eagerly=True)
    logs = model.train_on_batch(np.full((2, 4), 0.5), dict.fromkeys("ab", np.ones((2, 1))), return_dict=True)
    # Activations of 2: two squared errors of 25, 0.01 times the squares of a sample, and the mean square of each.
    assert logs["loss"] == pytest.approx(2 * 25 + 0.01 * 3 * 4 + 2 * 4, rel=1e-4)


@pytest.mark.parametrize("balancing", ["equal", {"method": "upgrad", "update_every": 2}])
def test_a_subclass_may_have_a_training_step_of_its_own_as_in_keras(balancing):
    class Own(visionmtl.BalancedModel):
        def train_step(self, data):
            return super().train_step(data) | {"own": 1.0}

    x = keras.Input((4,))
    hidden = keras.layers.Dense(2)(x)
    model = Own(x, {"a": keras.layers.Dense(1)(hidden), "b": keras.layers.Dense(1)(hidden)})
    model.compile("sgd", dict.fromkeys("ab", "mse"), balancing=balancing)
    for _ in range(2):  # one that compares gradients and one between
        logs = model.train_on_batch(np.ones((2, 4)), dict.fromkeys("ab", np.ones((2, 1))), return_dict=True)
        assert {"own", "loss", "weight/a"} <= logs.keys()
