"""Adapters: a start at the backbone, the paper's equation in float64, and a task that is added by a few weights."""

import math

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.backbones.attention import MapAttention, WindowAttention, block, normalised
from visionmtl.errors import UsageError
from visionmtl.layers import FusedBatchNormalization
from visionmtl.sharing.adapters import Adapters
from visionmtl.sharing.base.low_rank import AdaptedStage, LowRankMatrices, TaskAdapters
from visionmtl.sharing.base.task_path import task_path
from visionmtl.step.cut import CutModel
from visionmtl.step.parting import parting

SCALE = 0.7


def transformer():
    """A transformer of two stages, each of a block."""
    image = keras.Input((toys.SIZE, toys.SIZE, 3), name="image")
    x = keras.layers.Conv2D(4, 4, 4, name="patch")(image)
    maps = {"P2": block(x, WindowAttention(1, 3, name="one_attention"), "one")}
    x = keras.layers.Conv2D(8, 2, 2, name="reduction")(maps["P2"])
    maps["P3"] = normalised(block(x, MapAttention(2, name="two_attention"), "two"), "norm")
    return keras.Model(image, maps, name="transformer")


def shaken(weights, seed=0):
    """Arrays away from what they are, as after training."""
    random = np.random.default_rng(seed)
    return [value + np.abs(random.normal(size=value.shape, scale=0.3)) for value in weights]


@pytest.mark.slow
@pytest.mark.parametrize("backbone", [toys.backbone, transformer])
def test_a_model_of_a_trained_backbone_starts_exactly_as_hard_sharing(backbone):
    tasks = toys.tasks("scene", "ground")
    hard = toys.model(tasks, backbone=backbone())
    hard.set_weights(shaken(hard.get_weights()))
    model = toys.model(toys.tasks("scene", "ground"), backbone=backbone(), sharing="adapters")
    _, left = model.start_from(hard)
    assert left
    assert all(name.startswith("adapters") for name in left)
    images = toys.batch(tasks)[0]
    for training in (False, True):
        expected = hard(images, training=training)
        for key, value in model(images, training=training).items():
            np.testing.assert_array_equal(value, expected[key])


def built(stage, last=False):
    """A stage with shared updates and one task's, all of random weights; and the model of both outputs."""
    path = task_path(stage, "P2", last)
    source = keras.Input(stage.input.shape[1:])
    matrices, own = LowRankMatrices(path, 2, name="shared"), TaskAdapters(path, 2, SCALE, name="own")
    x, *taps = AdaptedStage(stage, path, SCALE)([source, *matrices(source)])
    model = keras.Model(source, [x, own(taps)])
    model.set_weights(shaken(model.get_weights(), seed=1))
    return model, dict(pairs(path.adapted, matrices)), dict(pairs(path.own, own)), path


def pairs(nodes, layer):
    """The layer that is adapted and its `A B` in float64, by name."""
    for node, (down, up) in zip(nodes, layer.matrices, strict=True):
        yield node.operation.name, np.float64(down) @ np.float64(up)


def in_float64(x, layer):
    """Layer normalisation in float64."""
    mean, variance = x.mean(-1, keepdims=True), x.var(-1, keepdims=True)
    return (x - mean) / np.sqrt(variance + layer.epsilon) * np.float64(layer.gamma) + np.float64(layer.beta)


def gelu(x):
    """The exact one in float64."""
    return x * (1 + np.vectorize(math.erf)(x / math.sqrt(2))) / 2


def test_a_transformers_last_block_is_the_papers_equation():
    source = keras.Input((2, 3, 4))
    x = block(source, MapAttention(1, name="one_attention"), "one")
    stage = keras.Model(source, block(x, MapAttention(1, name="two_attention"), "two"), name="stage")
    model, shared, own, path = built(stage)
    assert list(own) == ["two_project", "two_expand", "two_shrink"]  # not what attention reads
    assert len(shared) == len(path.adapted) == 12
    images = np.random.default_rng(2).normal(size=(2, 2, 3, 4))

    def plain(name, x):
        layer = stage.get_layer(name)
        return x @ np.float64(layer.kernel) + np.float64(layer.bias)

    def norm(name, x):
        return in_float64(x, stage.get_layer(name))

    def run(x, name):
        """Return a block's output, and on the way what the layers that tasks adapt read and make of W alone."""
        made = {}

        def linear(part, x):
            made[part] = plain(f"{name}_{part}", x)
            return made[part] + SCALE * x @ shared[f"{name}_{part}"]

        query, key, value = (
            linear(part, norm(f"{name}_norm1", x)).reshape(2, 6, 4) for part in ("query", "key", "value")
        )
        logits = query @ key.swapaxes(1, 2) / 2
        weights = np.exp(logits - logits.max(-1, keepdims=True))
        found = (weights / weights.sum(-1, keepdims=True) @ value).reshape(2, 2, 3, 4)
        attended = x + linear("project", found)
        hidden = gelu(linear("expand", norm(f"{name}_norm2", attended)))
        return attended + linear("shrink", hidden), found, made

    first, _, _ = run(images, "one")
    expected, found, made = run(first, "two")
    attended = first + made["project"] + SCALE * found @ own["two_project"]
    hidden = gelu(made["expand"] + SCALE * norm("two_norm2", attended) @ own["two_expand"])
    of_task = attended + made["shrink"] + SCALE * hidden @ own["two_shrink"]
    for value, wanted in zip(model(images), (expected, of_task), strict=True):
        np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-4)


def test_a_convolution_and_its_normalisation_are_those_of_an_updated_kernel():
    source = keras.Input((6, 6, 3))
    x = keras.layers.Conv2D(5, 3, strides=2, padding="same", name="convolution")(source)
    stage = keras.Model(source, FusedBatchNormalization(name="normalisation")(x), name="stage")
    model, shared, own, _ = built(stage)
    images = np.random.default_rng(2).normal(size=(2, 6, 6, 3))
    convolution, normalisation = stage.get_layer("convolution"), stage.get_layer("normalisation")
    padded = np.pad(images, ((0, 0), (0, 1), (0, 1), (0, 0)))
    for value, update in zip(model(images), (shared, own), strict=True):
        kernel = np.float64(convolution.kernel) + SCALE * update["convolution"]
        made = np.stack(
            [[np.tensordot(padded[:, i : i + 3, j : j + 3], kernel, 3) for j in (0, 2, 4)] for i in (0, 2, 4)]
        )
        made = made.transpose(2, 0, 1, 3) + np.float64(convolution.bias)
        gamma, beta, mean, variance = map(np.float64, normalisation.get_weights())
        wanted = (made - mean) / np.sqrt(variance + normalisation.epsilon) * gamma + beta
        np.testing.assert_allclose(value, wanted, rtol=2e-4, atol=2e-4)
    assert not task_path(stage, "P5", last=True).adapted  # no stage and no task would read it


@pytest.mark.slow
def test_a_cut_pass_has_the_gradients_of_a_whole_one():
    tasks = toys.tasks("scene", "ground")
    model = toys.model(tasks, backbone=transformer(), sharing="adapters")
    model.set_weights(shaken(model.get_weights()))
    images, labels, _ = toys.batch(tasks)
    variables = model.trainable_variables

    def loss(outputs):
        return tf.add_n([tf.reduce_mean(each) for each in model.sample_losses(labels, outputs).values()])

    with tf.GradientTape() as tape:
        whole = loss(model(images, training=True))
    expected = tape.gradient(whole, variables)
    cut = CutModel(model, parting(model, model.task_outputs()))
    with tf.GradientTape(persistent=True) as tape:
        ran = cut(tf.convert_to_tensor(images), tape=tape, training=True)
        total = loss(ran.outputs)
    seeds = tape.gradient(total, ran.leaves)
    heads = tape.gradient(total, variables)
    trunk = tape.gradient(list(ran.features), variables, seeds)
    for variable, wanted, head, rest in zip(variables, expected, heads, trunk, strict=True):
        found = tf.add_n([tf.convert_to_tensor(part) for part in (head, rest) if part is not None])
        np.testing.assert_allclose(found, tf.convert_to_tensor(wanted), rtol=1e-3, atol=1e-4, err_msg=variable.path)


@pytest.mark.slow
def test_an_added_task_learns_by_its_own_adapters_and_neck_alone():
    model = toys.model(toys.tasks("scene"), sharing="adapters")
    grown = model.add_task(toys.task("ground"))
    own = {*grown.parts["ground"], *grown.parts["ground_neck"]}
    assert {"adapters_of_ground_P2", "adapters_of_ground_P3"} < own
    learning = {layer.name for layer in grown.layers if layer.trainable_weights}
    assert learning
    assert learning <= own
    assert not own & {*grown.parts["sharing"], *grown.parts["backbone"], *grown.parts["scene"]}


def test_what_cannot_be_adapted_is_told():
    source = keras.Input((8, 8, 3))
    stage = keras.Model(source, keras.layers.DepthwiseConv2D(3, name="spread")(source), name="thin")
    with pytest.raises(UsageError, match="no dense layer or convolution to adapt in the last block of 'thin'"):
        task_path(stage, "P2", last=False)
    for option in ({"rank": 0}, {"shared_rank": -1}, {"scale": 0}):
        with pytest.raises(UsageError, match=f"sharing 'adapters' was given {next(iter(option))}"):
            Adapters(**option)
