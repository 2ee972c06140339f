"""The schemes with a backbone for every task, joined after each stage: cross_stitch, sluice and nddr."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.sharing.sluice import LevelMixture, SubspaceStitch, overlap
from visionmtl.tasks import Classification, Segmentation

IMAGES = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3)).astype("float32")
JOINED = ["cross_stitch", "sluice", "nddr"]


def tasks():
    return [Classification("scene", 3), Segmentation("ground", 3)]


def weights_of(model, name):
    return keras.ops.convert_to_numpy(model.get_layer(name).weight)


@pytest.mark.parametrize("name", JOINED)
def test_joined_backbones_that_keep_all_of_their_own_are_separate_models(name, toy_model):
    joined = toy_model(tasks(), sharing={"name": name, "own": 1.0})
    for layer in joined.layers:
        if name == "nddr" and layer.name.endswith(
            "_normalisation"
        ):  # else inference divides by the root of 1 + epsilon
            layer.moving_variance.assign(np.full(layer.moving_variance.shape, 1 - layer.epsilon))
    random, separate = np.random.default_rng(0), {}
    for task in tasks():
        alone = toy_model([task])
        alone.set_weights([(weight + 1) * random.uniform(0.2, 0.8, weight.shape) for weight in alone.get_weights()])
        for layer in alone.layers:
            own = layer.name.startswith(("toy", "neck"))
            joined.get_layer(f"{task.name}_{layer.name}" if own else layer.name).set_weights(layer.get_weights())
        separate |= alone(IMAGES)
    together = joined(IMAGES)
    assert set(together) == set(separate)
    for key, tensor in separate.items():
        assert np.ptp(tensor) > 0.01
        np.testing.assert_allclose(together[key], tensor, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("name", JOINED)
def test_a_tasks_loss_moves_anothers_backbone_as_far_as_they_are_joined(name, toy_model):
    for own, moved in ((0.9, True), (1.0, False)):
        model = toy_model(tasks(), sharing={"name": name, "own": own})
        stages = [model.get_layer(stage) for stage in ("ground_toy_P2", "ground_toy_P3")]
        kernels = [one for stage in stages for one in stage.trainable_variables if one.name == "kernel"]
        with tf.GradientTape() as tape:
            outputs = model(IMAGES, training=True)
            loss = tf.reduce_sum(model.sample_losses({"scene": np.array([0, 2])}, outputs)["scene"])
        gradients = tape.gradient(loss, kernels)
        assert len(kernels) == 3
        assert all((np.abs(gradient).max() > 1e-6) == moved for gradient in gradients)


def test_what_is_learnt_is_named_and_starts_near_the_identity(toy_model):
    mixing = np.array([[0.9, 0.1], [0.1, 0.9]])
    for sharing, titles in (
        ({"name": "cross_stitch"}, ["cross-stitch P2", "cross-stitch P3"]),
        ({"name": "cross_stitch", "units": "layer", "until": "P2"}, ["cross-stitch P3"]),
        ({"name": "nddr"}, ["NDDR P2", "NDDR P3"]),
    ):
        learnt = toy_model(tasks(), sharing=sharing).learnt_sharing()
        assert list(learnt) == titles
        for matrix in learnt.values():
            assert list(matrix.rows) == list(matrix.columns) == ["scene", "ground"]
            np.testing.assert_allclose(matrix.values, mixing, atol=1e-6)
    learnt = toy_model(tasks(), sharing="sluice").learnt_sharing()
    assert list(learnt) == ["subspaces P2", "subspaces P3", "levels scene", "levels ground"]
    assert list(learnt["subspaces P2"].rows) == ["scene 1", "scene 2", "ground 1", "ground 2"]
    np.testing.assert_allclose(learnt["subspaces P2"].values, np.kron(mixing, np.eye(2)), atol=1e-6)
    assert list(learnt["levels ground"].columns) == ["P2", "P3"]
    np.testing.assert_allclose(learnt["levels ground"].values, mixing, atol=1e-6)


def test_a_channel_has_weights_of_its_own_whose_mean_is_drawn(toy_model):
    model = toy_model(tasks(), sharing="cross_stitch")
    unit = model.get_layer("cross_stitch_P3")
    assert unit.weight.shape == (2, 2, 8)
    unit.weight.assign(np.arange(32.0).reshape(2, 2, 8))
    np.testing.assert_allclose(model.learnt_sharing()["cross-stitch P3"].values, [[3.5, 11.5], [19.5, 27.5]])


def test_a_part_of_a_model_shows_what_it_still_has(toy_model):
    learnt = toy_model(tasks(), sharing="nddr", only=["ground"]).learnt_sharing()
    assert list(learnt["NDDR P2"].rows) == ["scene", "ground"]
    assert list(learnt["NDDR P3"].rows) == ["ground"]
    np.testing.assert_allclose(learnt["NDDR P3"].values, [[0.1, 0.9]], atol=1e-6)
    assert "levels scene" not in toy_model(tasks(), sharing="sluice", only=["ground"]).learnt_sharing()


def test_until_shares_the_stem(toy_model):
    model = toy_model(tasks(), sharing={"name": "nddr", "until": "P2"})
    names = {layer.name for layer in model.layers}
    assert {"toy_P2", "scene_toy_P3", "ground_toy_P3"} <= names
    assert not {"toy_P3", "scene_toy_P2", "nddr_P2"} & names


def test_an_nddr_reduces_all_maps_stacked_by_channels(toy_model):
    model = toy_model(tasks(), sharing="nddr")
    random = np.random.default_rng(0)
    maps = [random.normal(size=(1, 2, 2, 8)).astype("float32") for _ in range(2)]
    kernel = random.normal(size=(16, 8)).astype("float32")
    layer = model.get_layer("nddr_P3_ground")
    np.testing.assert_allclose(layer(np.concatenate(maps, -1)), 0.1 * maps[0] + 0.9 * maps[1], atol=1e-6)
    layer.set_weights([kernel[None, None]])
    np.testing.assert_allclose(layer(np.concatenate(maps, -1)), maps[0] @ kernel[:8] + maps[1] @ kernel[8:], atol=1e-5)
    norms = model.learnt_sharing()["NDDR P3"].values[1]
    np.testing.assert_allclose(norms, [np.linalg.norm(kernel[:8]) / 8**0.5, np.linalg.norm(kernel[8:]) / 8**0.5], 1e-5)


def test_subspaces_are_mixed_as_in_numpy():
    random = np.random.default_rng(0)
    maps = [random.normal(size=(2, 3, 3, 4)).astype("float32") for _ in range(3)]
    layer = SubspaceStitch(subspaces=2)
    layer(maps)
    weight = random.normal(size=(6, 6)).astype("float32")
    layer.weight.assign(weight)
    parts = [part for one in maps for part in np.split(one, 2, axis=-1)]
    sums = [sum(weight[i, j] * parts[j] for j in range(6)) for i in range(6)]
    for place, mixed in enumerate(layer(maps)):
        np.testing.assert_allclose(mixed, np.concatenate(sums[2 * place : 2 * place + 2], -1), rtol=1e-4, atol=1e-5)


def test_levels_are_mixed_at_the_size_of_each():
    fine, coarse = np.arange(16.0).reshape(1, 4, 4, 1), np.array([10.0, 20, 30, 40]).reshape(1, 2, 2, 1)
    layer = LevelMixture()
    layer([fine, coarse])
    layer.weight.assign([[0.5, 2], [3, 1]])
    mixed = layer([fine, coarse])
    repeated, pooled = np.kron(coarse[0, ..., 0], np.ones((2, 2))), fine.reshape(2, 2, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(mixed[0][0, ..., 0], 0.5 * fine[0, ..., 0] + 2 * repeated)
    np.testing.assert_allclose(mixed[1][0, ..., 0], 3 * pooled + coarse[0, ..., 0])


def test_overlap_is_the_mean_squared_cosine_between_subspaces():
    kernel = np.random.default_rng(0).normal(size=(3, 3, 2, 6)).astype("float32")
    filters = (kernel.reshape(-1, 6) / np.linalg.norm(kernel.reshape(-1, 6), axis=0)).T
    pairs = [(filters[i] @ filters[j]) ** 2 for i in range(6) for j in range(6) if i // 2 != j // 2]
    assert float(overlap(tf.constant(kernel), 3)) == pytest.approx(np.mean(pairs), rel=1e-5)
    assert float(overlap(tf.eye(6), 2)) == 0
    assert float(overlap(tf.ones((4, 6)), 2)) == pytest.approx(1)


def test_the_penalty_reads_the_kernels_that_make_the_maps(toy_model):
    assert toy_model(tasks(), sharing="sluice").losses == []
    model = toy_model(tasks(), sharing={"name": "sluice", "orthogonality": 0.5})
    kernels = [
        model.get_layer(f"{task}_toy_{level}").get_layer(f"convolution_{number}").kernel
        for task in ("scene", "ground")
        for level, number in (("P2", 2), ("P3", 3))
    ]
    expected = [0.5 * float(overlap(tf.convert_to_tensor(kernel), 2)) for kernel in kernels]
    np.testing.assert_allclose(model.losses, expected, rtol=1e-5)
    with tf.GradientTape() as tape:
        total = tf.add_n(model.losses)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(total, kernels))


@pytest.mark.parametrize(
    ("sharing", "message"),
    [
        ({"name": "cross_stitch", "units": "chanel"}, "Unknown cross-stitch units 'chanel'. Did you mean 'channel'"),
        ({"name": "cross_stitch", "own": 1.2}, "own was given as 1.2: expected a number from 0 to 1"),
        ({"name": "cross_stitch", "until": "P4"}, "Unknown level to share until 'P4'.* Valid: P2, P3"),
        ({"name": "nddr", "until": "P3"}, "'P3', the backbone's last level, .* take 'P2', or the scheme 'hard'"),
        ({"name": "nddr", "own": "most"}, "own was given as 'most'"),
        ({"name": "sluice", "subspaces": 0}, "subspaces=0: expected a whole number of at least 1"),
        ({"name": "sluice", "subspaces": 3}, "subspaces=3, but the backbone's P2 has 8 channels"),
        ({"name": "sluice", "orthogonality": -1}, "orthogonality=-1: expected a number of at least 0"),
    ],
)
def test_options_are_checked_when_the_model_is_built(sharing, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(tasks(), sharing=sharing)
