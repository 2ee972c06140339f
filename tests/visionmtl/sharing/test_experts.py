"""Experts: their mixture against NumPy, their gates, and who learns what."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl import sharing
from visionmtl.errors import UsageError

TASKS = ("scene", "ground")


def mixed(scheme, shapes, tasks=TASKS):
    """A scheme's mix alone: a model from maps by level to `{task: {level: map}}`, and what it has learnt."""
    keras.utils.set_random_seed(0)
    maps = {level: keras.Input(shape, name=level) for level, shape in shapes.items()}
    made = scheme.mix(dict.fromkeys(tasks, maps), dict.fromkeys(tasks))
    model = keras.Model(maps, made.by_task)
    return model, lambda: made.learnt(model)


def random_maps(shapes, images=2):
    random = np.random.default_rng(0)
    return {level: random.normal(size=(images, *shape)).astype("float32") for level, shape in shapes.items()}


def shake(model):
    """Give all weights random values; variances positive ones."""
    random = np.random.default_rng(1)
    for variable in model.weights:
        value = random.normal(size=variable.shape) * 0.5
        variable.assign(np.abs(value) + 0.5 if "variance" in variable.path else value)


def expert_in_numpy(x, layer, level):
    """`x + scale * relu6(normalise(pointwise(depthwise(x))))`."""
    depthwise, pointwise = layer.block.depthwise.kernel.numpy()[..., 0], layer.block.pointwise.kernel.numpy()[0, 0]
    gamma, beta, mean, variance = (v.numpy() for v in layer.block.normalisations[level].weights)
    padded = np.pad(x, [(0, 0), (1, 1), (1, 1), (0, 0)])
    height, width = x.shape[1:3]
    found = sum(padded[:, i : i + height, j : j + width] * depthwise[i, j] for i in range(3) for j in range(3))
    found = (found @ pointwise - mean) / np.sqrt(variance + 1e-3) * gamma + beta
    return x + layer.scale.numpy() * np.clip(found, 0, 6)


def softmax(x):
    return np.exp(x) / np.exp(x).sum(axis=-1, keepdims=True)


@pytest.mark.parametrize("kind", ["mmoe", "cgc"])
def test_a_task_reads_the_mixture_that_its_gate_makes_of_the_experts(kind):
    shapes = {"P3": (4, 5, 3)}
    (model, _), maps = mixed(sharing.get("experts", kind=kind, count=2), shapes), random_maps(shapes)
    shake(model)
    found, x = model(maps), maps["P3"]
    for task in TASKS:
        names = ["experts_1_shared_1", "experts_1_shared_2", f"experts_1_own_{task}_1"][: 2 if kind == "mmoe" else 3]
        kernel, bias = model.get_layer(f"experts_1_of_{task}_gate_P3").get_weights()
        gates = softmax(x.mean(axis=(1, 2)) @ kernel + bias)
        experts = [expert_in_numpy(x, model.get_layer(name), "P3") for name in names]
        expected = sum(gates[:, i, None, None, None] * expert for i, expert in enumerate(experts))
        np.testing.assert_allclose(found[task]["P3"], expected, rtol=1e-4, atol=1e-5)
    assert np.abs(found["scene"]["P3"] - found["ground"]["P3"]).max() > 0.01


@pytest.mark.parametrize(
    ("options", "gates"),
    [({}, 4), ({"gates": "all"}, 2), ({"kind": "cgc", "own": 2}, 4), ({"kind": "ple"}, 10)],
)
def test_gates_sum_to_one_whatever_the_maps(options, gates):
    shapes = {"P2": (4, 4, 3), "P3": (2, 2, 3)}
    model, _ = mixed(sharing.get("experts", **options), shapes)
    shake(model)
    outputs = [layer.output for layer in model.layers if layer.name.endswith("_use") or "_use_" in layer.name]
    values = keras.Model(model.inputs, outputs)(random_maps(shapes))
    assert len(values) == gates
    for value in values:
        np.testing.assert_allclose(np.sum(value, axis=-1), 1, atol=1e-6)


def test_a_gate_of_all_levels_reads_them_all():
    shapes = {"P2": (4, 4, 3), "P3": (2, 2, 3)}
    maps = random_maps(shapes)
    other = maps | {"P3": maps["P3"] + 1}
    for gates, reads in (("level", False), ("all", True)):
        model, _ = mixed(sharing.get("experts", gates=gates), shapes)
        shake(model)
        differ = np.abs(model(maps)["scene"]["P2"] - model(other)["scene"]["P2"]).max() > 1e-3
        assert differ == reads


@pytest.mark.slow
def test_a_dead_expert_is_visible():
    shapes = {"P3": (4, 4, 3)}
    (model, learnt), maps = mixed(sharing.get("experts", count=3), shapes), random_maps(shapes)
    even = learnt()["use of experts"]
    assert (even.rows, even.columns) == (list(TASKS), ["shared 1", "shared 2", "shared 3"])
    np.testing.assert_allclose(even.values, 1 / 3, atol=1e-6)
    model.get_layer("experts_1_of_scene_gate_P3").bias.assign([0, -20, 0])
    model(maps)
    np.testing.assert_array_equal(learnt()["use of experts"].values, even.values)  # it did not train
    for _ in range(80):
        model(maps, training=True)
    scene, ground = learnt()["use of experts"].values
    np.testing.assert_allclose(scene, [0.5, 0, 0.5], atol=0.03)
    np.testing.assert_allclose(ground, 1 / 3, atol=1e-5)


def test_the_use_of_a_task_is_the_mean_over_its_levels():
    model, learnt = mixed(sharing.get("experts", count=2), {"P2": (4, 4, 3), "P3": (2, 2, 3)})
    for level, use in (("P2", [0.1, 0.9]), ("P3", [0.5, 0.5])):
        model.get_layer(f"experts_1_of_ground_gate_{level}_use").mean.assign(use)
    np.testing.assert_allclose(learnt()["use of experts"].values[1], [0.3, 0.7], atol=1e-6)


def reached(model, maps, task):
    """The names of the layers that a loss on one task's maps moves."""
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_sum(x**2) for x in model(maps, training=True)[task].values()])
    gradients = tape.gradient(loss, model.trainable_variables)
    moved = {id(v) for v, g in zip(model.trainable_variables, gradients, strict=True) if g is not None}
    return {layer.name for layer in model.layers if moved & {id(v) for v in layer.trainable_variables}}


def test_a_task_s_own_experts_are_its_own_but_where_shared_experts_read_them():
    shapes = {"P3": (4, 4, 3)}
    maps = random_maps(shapes)
    cgc = reached(mixed(sharing.get("experts", kind="cgc"), shapes)[0], maps, "scene")
    assert {"experts_1_shared_1", "experts_1_own_scene_1"} <= cgc
    assert not any("ground" in name for name in cgc)
    model, learnt = mixed(sharing.get("experts", kind="ple", depth=2, count=1, own=2), shapes)
    ple = reached(model, maps, "scene")
    assert {"experts_1_own_ground_2", "experts_1_shared_gate_P3", "experts_2_shared_1", "experts_2_own_scene_2"} <= ple
    assert not any(name.startswith(("experts_2_own_ground", "experts_2_of_ground")) for name in ple)
    matrices = learnt()
    of_shared = matrices["use of experts, layer 1: the shared"]
    assert of_shared.columns == ["shared 1", "scene 1", "scene 2", "ground 1", "ground 2"]
    assert [matrix.values.shape for matrix in matrices.values()] == [(2, 3), (1, 5), (2, 3)]


@pytest.mark.parametrize("kind", ["mmoe", "cgc", "ple"])
def test_maps_keep_their_scale_at_the_start(kind):
    shapes = {"P2": (8, 8, 16), "P3": (4, 4, 16)}
    (model, _), maps = mixed(sharing.get("experts", kind=kind), shapes), random_maps(shapes, images=8)
    for found in model(maps, training=True).values():
        for level, x in found.items():
            assert np.std(x) == pytest.approx(np.std(maps[level]), rel=0.1)
            assert np.abs(x - maps[level]).mean() < 0.2 * np.abs(maps[level]).mean()


@pytest.mark.slow
def test_a_model_of_fewer_tasks_tells_the_use_of_theirs(toy_model):
    ours, whole = (toy_model(sharing={"name": "experts", "kind": "ple"}, only=only) for only in (["ground"], None))
    assert [matrix.rows for matrix in ours.learnt_sharing().values()] == [["ground"], ["shared"], ["ground"]]
    for layer in ours.layers:
        layer.set_weights(whole.get_layer(layer.name).get_weights())
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype("float32")
    np.testing.assert_array_equal(ours(images)["ground_logits"], whole(images)["ground_logits"])


@pytest.mark.slow
def test_experts_of_whole_stages_start_as_the_backbone_and_part(toy_model, toy_batch):
    batch = toy_batch()
    options = {"name": "experts", "kind": "cgc", "count": 2, "until": "P2"}
    plain, model = toy_model(), toy_model(sharing=options)
    random = np.random.default_rng(0)
    plain.set_weights([value + 0.1 * abs(random.normal(size=value.shape)) for value in plain.get_weights()])
    _, left = model.start_from(plain)
    assert all("_gate" in name for name in left)
    found = model(batch[0])
    for key, value in plain(batch[0]).items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)
    matrix = model.learnt_sharing()["use of experts"]
    assert matrix.columns == ["shared 1", "shared 2", "own 1"]
    experts = ["experts_shared_1", "experts_shared_2", "experts_own_scene_1", "experts_own_ground_1"]
    stages = [model.get_layer(f"{expert}_toy_P3") for expert in experts]
    assert {stage.name for stage in stages} < set(model.parts["P3"])
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    model.train_on_batch(*batch)
    kernels = [stage.get_weights()[0] for stage in stages]
    for place, kernel in enumerate(kernels):
        assert all(np.abs(kernel - other).max() > 1e-6 for other in kernels[:place])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "ple", "until": "P2"}, "was given until='P2' and kind='ple'"),
        ({"gates": "all", "until": "P2"}, "was given until='P2' and gates='all'"),
        ({"until": "P3"}, "the backbone's last level"),
        ({"count": 0}, "'experts' was given count=0: expected a whole number of at least 1"),
        ({"own": 0}, "own=0"),
        ({"depth": 1.5}, "depth=1.5: expected a whole number"),
        ({"kind": "plee"}, "Unknown kind of experts 'plee'. Did you mean 'ple'.* Valid: mmoe, cgc, ple"),
        ({"gates": "levels"}, "Unknown input of the experts' gates 'levels'. Did you mean 'level'.* Valid: level, all"),
    ],
)
def test_impossible_experts_are_refused(options, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(sharing={"name": "experts"} | options)
