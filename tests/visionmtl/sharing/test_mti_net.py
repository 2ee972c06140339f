"""MTI-Net: its equations against NumPy in float64, who tells whom, what goes on to finer scales, and what learns."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from numpy.lib.stride_tricks import sliding_window_view

from visionmtl import sharing
from visionmtl.errors import UsageError

TASKS = ("scene", "ground", "objects")
SIDE, CHANNELS = 4, 8


def shaken(model):
    """A model with all variables away from where they start, so that nothing is zero or one by its initialiser."""
    random = np.random.default_rng(0)
    for variable in model.variables:
        variable.assign(variable + 0.1 * random.random(variable.shape))
    return model


def convolved(x, kernel):
    """A convolution in float64 with zeros around the map: `[h, w, c]` and `[k, k, c, d]` -> `[h, w, d]`."""
    around = len(kernel) // 2
    windows = sliding_window_view(np.pad(x, ((around, around), (around, around), (0, 0))), kernel.shape[:2], (0, 1))
    return np.einsum("hwcij,ijcd->hwd", windows, kernel)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class Reference:
    """What the paper computes of one level's features, with a model's weights in float64."""

    def __init__(self, model):
        self.weights = {layer.name: [np.float64(w) for w in layer.get_weights()] for layer in model.layers}

    def block(self, x, name):
        kernel, scale, shift, mean, variance = self.weights[name]
        return (convolved(x, kernel) - mean) * scale / np.sqrt(variance + 1e-3) + shift

    def residual(self, x, name):
        inner = self.block(np.clip(self.block(x, f"{name}_1"), 0, 6), f"{name}_2")
        return np.clip(inner + (self.block(x, f"{name}_short") if f"{name}_short" in self.weights else x), 0, 6)

    def distilled(self, features, task):
        name, total = f"mti_net_{task}_P3", features[task]
        for other in features.keys() - {task}:
            mask, told = self.weights[f"{name}_from_{other}"]
            total = total + sigmoid(convolved(features[other], mask)) * convolved(features[other], told)
        return total

    def propagated(self, features, task):
        together = np.concatenate([features[each] for each in TASKS], axis=-1)
        kernel, bias = self.weights["mti_net_P3_attend"]
        logits = convolved(np.clip(self.block(together, "mti_net_P3_see"), 0, 6), kernel) + bias
        shares = np.exp(logits.reshape(SIDE, SIDE, len(TASKS), CHANNELS))
        mask = (shares / shares.sum(axis=2, keepdims=True)).reshape(together.shape)
        shared = self.residual(mask * together, "mti_net_P3_reduce")
        (narrow, first), (wide, last) = (self.weights[f"mti_net_{task}_P3_{what}"] for what in ("squeeze", "excite"))
        channels = sigmoid(np.maximum(shared.mean(axis=(0, 1)) @ narrow + first, 0) @ wide + last)
        return features[task] + channels * shared


@pytest.fixture(scope="module")
def level():
    """The scheme on one level alone: a model from features by task to what is distilled of them and what goes on."""
    keras.utils.set_random_seed(0)
    scheme = sharing.get("mti_net", separable=False, squeeze=4)
    features = {task: keras.Input((SIDE, SIDE, CHANNELS), name=task) for task in TASKS}
    distilled = {task: scheme.distilled(task, features, "P3") for task in TASKS}
    return shaken(keras.Model(features, [distilled, scheme.propagated(features, "P3")]))


def test_messages_and_what_goes_on_are_the_paper_s(level):
    random = np.random.default_rng(1)
    features = {task: random.random((1, SIDE, SIDE, CHANNELS)).astype("float32") for task in TASKS}
    found, reference = level(features), Reference(level)
    exact = {task: np.float64(x[0]) for task, x in features.items()}
    for task in TASKS:
        for made, expected in zip(found, (reference.distilled, reference.propagated), strict=True):
            np.testing.assert_allclose(made[task][0], expected(exact, task), rtol=2e-5, atol=2e-5)


def test_the_attention_of_what_goes_on_is_shared_out_among_tasks(level):
    mask = keras.Model(level.input, level.get_layer("mti_net_P3_mask").output)
    found = mask({task: np.random.default_rng(2).random((1, SIDE, SIDE, CHANNELS)) for task in TASKS})
    np.testing.assert_allclose(np.sum(found, axis=3), 1, atol=1e-6)


def two_levels():
    return {level: keras.Input((side, side, CHANNELS), name=level) for level, side in (("P2", 8), ("P3", 4))}


def decoder(*names, **options):
    """The scheme's heads on two levels alone: the tasks, and a model from maps to outputs and further outputs."""
    keras.utils.set_random_seed(0)
    tasks = {task.name: task for task in toys.tasks(*names)}
    maps = two_levels()
    made = sharing.get("mti_net", **options).heads(dict.fromkeys(tasks, maps), tasks)
    further = {task: [one.outputs for one in several] for task, several in made.auxiliary.items()}
    assert {one.weight for several in made.auxiliary.values() for one in several} == {options.get("initial_weight", 1)}
    return tasks, shaken(keras.Model(maps, [made.by_task, further]))


def random_maps():
    random = np.random.default_rng(1)
    return {level: random.random((2, side, side, CHANNELS)).astype("float32") for level, side in (("P2", 8), ("P3", 4))}


def silenced(model):
    """A model in which nobody tells another task anything at a scale."""
    for layer in model.layers:
        if "_from_" in layer.name:
            layer.set_weights([0 * weight for weight in layer.get_weights()])
    return model


@pytest.mark.slow
def test_a_task_hears_the_others_at_each_scale_and_through_what_goes_on():
    (_, model), maps = decoder("ground", "objects"), random_maps()

    def change_by(level):
        before, layer = model(maps)[0]["ground"]["logits"], model.get_layer(f"mti_net_objects_{level}_refine_1")
        kept = layer.get_weights()
        layer.set_weights([2 * weight for weight in kept])
        after = model(maps)[0]["ground"]["logits"]
        layer.set_weights(kept)
        return np.abs(after - before).max()

    assert change_by("P2") > 1e-3  # from here nothing goes on: by messages alone
    silenced(model)
    assert change_by("P2") == 0
    assert change_by("P3") > 1e-3  # what objects found coarsely goes on to what the mask finds finely


@pytest.mark.slow
def test_without_messages_a_task_is_as_if_alone():
    (_, model), (_, alone) = decoder("ground", "scene", propagate=False), decoder("ground", propagate=False)
    for layer in alone.layers:
        layer.set_weights(silenced(model).get_layer(layer.name).get_weights())
    maps = random_maps()
    for found, expected in zip(model(maps), alone(maps), strict=True):
        for x, y in zip(keras.tree.flatten(found["ground"]), keras.tree.flatten(expected["ground"]), strict=True):
            np.testing.assert_allclose(x, y, atol=1e-5)


@pytest.mark.slow
def test_first_predictions_learn_at_every_scale_and_boxes_at_all_of_them_together():
    images, labels, _ = toys.batch(toys.tasks("ground", "objects"), images=2)
    model = toys.model(toys.tasks("ground", "objects"), sharing={"name": "mti_net", "initial_weight": 0.5})
    outputs, words = model(images), [f"{level}_{what}" for level in ("P2", "P3") for what in ("scores", "distances")]
    first = {
        "ground": [{"logits": outputs[f"auxiliary_ground_{level}_logits"]} for level in ("P2", "P3")],
        "objects": [{word: outputs[f"auxiliary_objects_{word}"] for word in words}],
    }
    assert sum(key.startswith("auxiliary") for key in outputs) == 6
    assert outputs["auxiliary_ground_P3_logits"].shape[1:3] == (toys.SIZE // 4, toys.SIZE // 4)
    losses = model.sample_losses(labels, outputs)
    for task, several in first.items():
        last, *further = (
            model.tasks[task].loss(labels[task], each) for each in (model.raw_outputs(task, outputs), *several)
        )
        np.testing.assert_allclose(losses[task], last + 0.5 * tf.add_n(further), rtol=1e-5)


@keras.saving.register_keras_serializable("tests")
class Finest(type(toys.task("ground"))):
    """A segmentation whose head is content with the finest map alone, and with no other."""

    def outputs(self, features):
        return super().outputs({"P2": features["P2"]})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"initial_weight": -1}, "initial_weight=-1: expected a number of at least 0"),
        ({"propagate": "no"}, "propagate='no': expected true or false"),
        ({"squeeze": 0}, "squeeze=0: expected a whole number of at least 1"),
        ({"separable": 1}, "separable=1: expected true or false"),
    ],
)
def test_what_it_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        sharing.get("mti_net", **options)


def test_a_head_that_must_have_a_level_is_refused_with_what_to_do():
    with pytest.raises(UsageError, match="'mine' for a first prediction of P3 alone, and its head reads 'P2', too"):
        sharing.get("mti_net").heads(dict.fromkeys(["mine"], two_levels()), {"mine": Finest("mine", 3)})
