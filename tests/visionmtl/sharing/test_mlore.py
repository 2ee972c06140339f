"""MLoRE: its equation against NumPy in float64, what tasks share and what they do not, and how it grows."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from numpy.lib.stride_tricks import sliding_window_view

from visionmtl import sharing
from visionmtl.errors import UsageError
from visionmtl.sharing.mlore import top_weights
from visionmtl.tasks import Classification

SIDE, CHANNELS = 4, 8


def mixer(*tasks, **options):
    """The scheme's mix alone, on one level, away from where it starts: what it says of itself, and a model."""
    keras.utils.set_random_seed(0)
    maps = {"P3": keras.Input((SIDE, SIDE, CHANNELS), name="P3")}
    made = sharing.get("mlore", **options).mix(dict.fromkeys(tasks, maps), dict.fromkeys(tasks))
    model, random = keras.Model(maps, {task: made.by_task[task]["P3"] for task in tasks}), np.random.default_rng(0)
    for variable in model.variables:
        if "use" not in variable.path:
            variable.assign(variable + 0.2 * random.random(variable.shape))
    return made, model


def random_maps():
    return {"P3": np.random.default_rng(1).normal(size=(2, SIDE, SIDE, CHANNELS)).astype("float32")}


def convolved(x, kernel):
    """A convolution in float64 with zeros around the map: `[h, w, c]` and `[k, k, c, d]` -> `[h, w, d]`."""
    around = len(kernel) // 2
    windows = sliding_window_view(np.pad(x, ((around, around), (around, around), (0, 0))), kernel.shape[:2], (0, 1))
    return np.einsum("hwcij,ijcd->hwd", windows, kernel)


def gelu(x):
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def expected(model, x, task, top, ranks):
    """What the paper computes of a map `[h, w, c]`, expert by expert, with a model's weights in float64."""

    def weights(layer):
        return {v.path.partition("/")[2]: np.float64(v) for v in model.get_layer(layer).variables}

    def normalised(x, of):
        mean, variance = own[f"{of}/moving_mean"], own[f"{of}/moving_variance"]
        return (x - mean) / np.sqrt(variance + 1e-3) * own[f"{of}/gamma"] + own[f"{of}/beta"]

    name = f"mlore_{task}_P3_1"
    features, router, own = (weights(f"{name}_{part}") for part in ("features", "router", "joined"))
    shared = weights("mlore_P3_1")
    x = convolved(x, features["kernel"]) + features["bias"]
    said = gelu(x.mean(axis=(0, 1)) @ router["hidden/kernel"] + router["hidden/bias"])
    *logits, p = said @ router["say/kernel"] + router["say/bias"]
    gates = np.exp(logits) / np.exp(logits).sum()
    total = np.zeros_like(x)
    for i in np.argsort(gates)[-top:]:
        place = slice(sum(ranks[:i]), sum(ranks[: i + 1]))
        total += gates[i] * convolved(convolved(x, shared["a"][..., place]), shared["b"][:, :, place])
    path = p * convolved(convolved(x, own["a"]), own["b"])
    joined = convolved(x, shared["generic_kernel"]) + normalised(total, "of_experts") + path
    return convolved(gelu(normalised(joined, "of_all")), own["project/kernel"]) + own["project/bias"]


def test_a_module_is_the_paper_s():
    ranks = sharing.get("mlore", experts=4, rank=0.5).ranks(CHANNELS)
    assert ranks == [1, 2, 3, 4]
    _, model = mixer("scene", "ground", experts=4, top=2, rank=0.5, depth=1, separable=False)
    maps = random_maps()
    for task, found in model(maps).items():
        for image, x in zip(np.float64(maps["P3"]), found, strict=True):
            np.testing.assert_allclose(x, expected(model, image, task, 2, ranks), rtol=2e-5, atol=2e-5)


def test_the_router_keeps_the_largest_weights_as_they_are():
    logits = np.array([[0.0, 3.0, 1.0, 2.0], [1.0, -1.0, 0.0, 0.5]], "float32")
    whole = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    kept = np.array([[0, 1, 0, 1], [1, 0, 0, 1]])
    np.testing.assert_allclose(top_weights(logits, 2), whole * kept, rtol=1e-6)
    np.testing.assert_allclose(top_weights(logits, 4), whole, rtol=1e-6)


def test_what_one_task_learns_reaches_the_others_by_what_they_share_and_by_nothing_else():
    made, model = mixer("scene", "ground", depth=1)
    maps, layers = random_maps(), {layer.name: layer for layer in model.layers}
    before = model(maps)["ground"].numpy()
    own = {task: [v for name in names for v in layers[name].trainable_variables] for task, names in made.owned.items()}
    shared = layers["mlore_P3_1"].trainable_variables
    assert len(own["scene"]) + len(own["ground"]) + len(shared) == len(model.trainable_variables)

    def learn(variables):
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean(model(maps)["scene"] ** 2)
        for variable, gradient in zip(variables, tape.gradient(loss, variables), strict=True):
            assert np.abs(gradient).max() > 0
            variable.assign_sub(gradient)
        return model(maps)["ground"].numpy()

    np.testing.assert_array_equal(learn(own["scene"]), before)
    assert np.abs(learn(shared) - before).max() > 1e-3


@pytest.mark.slow
def test_without_what_is_shared_a_task_has_its_own_path_alone():
    _, model = mixer("scene", "ground", depth=1)
    maps, shared = random_maps(), model.get_layer("mlore_P3_1")
    shared.set_weights([0 * weight for weight in shared.get_weights()])
    own, router, features = (model.get_layer(f"mlore_scene_P3_1_{part}") for part in ("joined", "router", "features"))
    x = features(maps["P3"])
    nothing = np.zeros_like(x)
    np.testing.assert_allclose(model(maps)["scene"], own([x, router(x), nothing, nothing]), atol=1e-6)


@pytest.mark.slow
def test_the_use_of_experts_is_kept():
    made, model = mixer("scene", "ground", experts=4, top=2, depth=2)
    (matrix,) = made.learnt(model).values()
    np.testing.assert_allclose(matrix.values, 0.25)
    model(random_maps(), training=True)
    (matrix,) = made.learnt(model).values()
    assert (matrix.rows, len(matrix.columns)) == (["scene", "ground"], 4)
    np.testing.assert_allclose(matrix.values.sum(axis=1), 1, atol=1e-5)
    assert np.ptp(matrix.values) > 1e-3


@pytest.mark.slow
def test_a_task_is_added_without_a_change_to_the_others():
    model, images = toys.model(toys.tasks("scene", "ground"), sharing="mlore"), toys.batch(images=2)[0]
    grown = model.add_task(Classification("season", 4))
    found = grown(images)
    for key, tensor in model(images).items():
        np.testing.assert_allclose(found[key], tensor, atol=1e-6)
    assert any("mlore_season" in layer for layer in grown.parts["season"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"experts": 0}, "experts=0: expected a whole number of at least 1"),
        ({"top": 6}, "top=6 of experts=5: expected at most all of them"),
        ({"rank": 1.5}, "rank=1.5: expected a number above 0 and up to 1"),
        ({"depth": 0}, "depth=0: expected a whole number of at least 1"),
        ({"separable": "no"}, "separable='no': expected true or false"),
    ],
)
def test_what_it_cannot_be_is_refused(options, message):
    with pytest.raises(UsageError, match=message):
        sharing.get("mlore", **options)
