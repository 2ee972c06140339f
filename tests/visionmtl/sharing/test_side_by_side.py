"""Cross-stitch, sluice, NDDR and MTAN: their maths, and where they are hard sharing or separate models."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.errors import UsageError
from visionmtl.keras_graph import made_by
from visionmtl.sharing.sluice import LevelMixture, SubspaceStitch, overlap

RNG = np.random.default_rng(0)
MAPS = [RNG.normal(size=(2, 4, 4, 6)).astype("float32") for _ in range(3)]


@pytest.mark.parametrize("units", ["channel", "layer"])
def test_a_unit_is_a_weighted_sum(units):
    unit = visionmtl.layers.CrossStitch(units, own=0.7, speed=2.0)
    unit.build([x.shape for x in MAPS])
    start = np.full((3, 3), 0.15) + np.eye(3) * 0.55
    change = RNG.normal(size=unit.change.shape).astype("float32")
    unit.change.assign(change)
    weight = (start[..., None] if units == "channel" else start) + 2 * change
    wide = np.broadcast_to(weight if units == "channel" else weight[..., None], (3, 3, 6))
    np.testing.assert_allclose(unit.weight, weight, atol=1e-6)
    expected = np.einsum("ijc,jbhwc->ibhwc", wide, np.stack(MAPS))
    for found, wanted in zip(unit(MAPS), expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-4)


@pytest.mark.parametrize("make", [keras.optimizers.SGD, keras.optimizers.AdamW])
def test_a_unit_of_a_rate_learns_so_many_times_as_fast_under_any_optimizer(make):
    wanted = tf.constant(RNG.normal(size=(3, 3)).astype("float32"))

    def moved(options):
        unit = visionmtl.layers.CrossStitch("layer", **options)
        unit.build([x.shape for x in MAPS])
        start, optimizer = unit.weight.numpy(), make(0.001, weight_decay=0.0)
        for _ in range(2):
            with tf.GradientTape() as tape:
                loss = tf.reduce_sum(tf.tanh(unit.weight) * wanted)
            optimizer.apply_gradients([(tape.gradient(loss, unit.change), unit.change)])
        return unit.weight.numpy() - start

    once = moved({"speed": 1.0})
    np.testing.assert_allclose(moved({"rate": 1.0}), once, rtol=1e-3)
    np.testing.assert_allclose(moved({"rate": 5.0}), 5 * once, rtol=0.02)  # where they have gone slopes differ
    np.testing.assert_allclose(moved({}), (100 if make is keras.optimizers.SGD else 10) * once, rtol=0.2)


@pytest.mark.slow
@pytest.mark.parametrize("make", [keras.optimizers.SGD, keras.optimizers.AdamW])
def test_the_convolutions_of_nddr_learn_at_their_rate_under_any_optimizer(make, toy_model, toy_batch):
    changes = []
    for rate in (1.0, 4.0):
        model = toy_model(sharing={"name": "nddr", "rate": rate})
        layer, other = model.get_layer("nddr_P2_ground"), model.get_layer("ground_toy_P2")
        before = layer.get_weights()[0], other.get_weights()[0]
        model.compile(make(1e-3), rates={"sharing": 0.5}, run_eagerly=True)
        model.train_on_batch(*toy_batch())
        changes.append((layer.get_weights()[0] - before[0], other.get_weights()[0] - before[1]))
    np.testing.assert_allclose(changes[1][0], 4 * changes[0][0], rtol=0.01, atol=2e-6)
    np.testing.assert_allclose(changes[1][1], changes[0][1], atol=1e-7)
    assert np.abs(changes[0][0]).max() > 1e-6


def test_a_unit_works_alone_in_a_plain_keras_model(tmp_path):
    image = keras.Input((8, 8, 3))
    maps = [keras.layers.Conv2D(4, 3)(image) for _ in range(2)]
    model = keras.Model(image, visionmtl.layers.CrossStitch()(maps))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for one, two in zip(model(np.ones((1, 8, 8, 3))), loaded(np.ones((1, 8, 8, 3))), strict=True):
        np.testing.assert_array_equal(one, two)


def test_subspaces_are_mixed_group_by_group():
    unit = SubspaceStitch(subspaces=2, own=1.0)
    unit.build([x.shape for x in MAPS])
    for found, wanted in zip(unit(MAPS), MAPS, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-6)
    change = np.zeros((6, 6), "float32")
    change[0, 5] = 1 / unit.speed  # the first half of the first map takes the second half of the third
    unit.change.assign(change)
    first = unit(MAPS)[0]
    np.testing.assert_allclose(first[..., :3], MAPS[0][..., :3] + MAPS[2][..., 3:], atol=1e-5)
    np.testing.assert_allclose(first[..., 3:], MAPS[0][..., 3:], atol=1e-6)


def test_levels_are_mixed_at_the_size_of_each():
    fine, coarse = np.arange(16.0).reshape(1, 4, 4, 1), np.array([10.0, 20, 30, 40]).reshape(1, 2, 2, 1)
    mixture = LevelMixture(own=1.0)
    mixture.build([fine.shape, coarse.shape])
    mixture.change.assign((np.array([[0.5, 2], [3, 1]]) - np.eye(2)) / mixture.speed)
    mixed = mixture([fine, coarse])
    repeated, pooled = np.kron(coarse[0, ..., 0], np.ones((2, 2))), fine.reshape(2, 2, 2, 2).mean(axis=(1, 3))
    np.testing.assert_allclose(mixed[0][0, ..., 0], 0.5 * fine[0, ..., 0] + 2 * repeated, rtol=1e-5)
    np.testing.assert_allclose(mixed[1][0, ..., 0], 3 * pooled + coarse[0, ..., 0], rtol=1e-5)


def test_overlap_is_the_mean_squared_cosine_between_subspaces():
    kernel = RNG.normal(size=(3, 3, 2, 6)).astype("float32")
    filters = (kernel.reshape(-1, 6) / np.linalg.norm(kernel.reshape(-1, 6), axis=0)).T
    pairs = [(filters[i] @ filters[j]) ** 2 for i in range(6) for j in range(6) if i // 2 != j // 2]
    assert float(overlap(tf.constant(kernel), 3)) == pytest.approx(np.mean(pairs), rel=1e-5)
    assert float(overlap(tf.eye(6), 2)) == 0
    assert float(overlap(tf.ones((4, 6)), 2)) == pytest.approx(1)


def test_the_penalty_of_sluice_reads_the_kernels_that_make_the_maps(toy_model):
    assert toy_model(sharing="sluice").losses == []
    model = toy_model(sharing={"name": "sluice", "orthogonality": 0.5})
    kernels = [
        model.get_layer(f"{task}_toy_{level}").get_layer(f"convolution_{number}").kernel
        for task in model.tasks
        for level, number in (("P2", 2), ("P3", 3))
    ]
    with tf.GradientTape() as tape:
        penalties = model.losses
        total = tf.add_n(penalties)
    np.testing.assert_allclose(penalties, [0.5 * float(overlap(tf.convert_to_tensor(k), 2)) for k in kernels], 1e-5)
    assert all(np.abs(gradient).max() > 0 for gradient in tape.gradient(total, kernels))


def test_sluice_of_backbones_that_start_alike_changes_their_maps_in_nothing(toy_model, toy_batch):
    plain, model, (images, _, _) = toy_model(), toy_model(sharing="sluice"), toy_batch()
    for task in model.tasks:
        for level in ("P2", "P3"):
            own, hard = (
                one.get_layer(f"{neck}_lateral_{level}").input
                for one, neck in ((model, f"{task}_neck"), (plain, "neck"))
            )
            np.testing.assert_allclose(
                keras.Model(model.input, own)(images), keras.Model(plain.input, hard)(images), atol=1e-5
            )


def test_a_loss_moves_the_mixture_of_every_level(toy_model, toy_batch):
    model, (images, labels, _) = toy_model(sharing="sluice"), toy_batch()
    changes = [model.get_layer(f"sluice_levels_{task}").change for task in model.tasks]
    with tf.GradientTape() as tape:
        loss = tf.add_n([tf.reduce_mean(one) for one in model.sample_losses(labels, model(images)).values()])
    for gradient in tape.gradient(loss, changes):
        assert np.all(np.abs(gradient).max(axis=0) > 1e-3)  # each level, in one sum at least


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cross_stitch", "sluice", "nddr"])
def test_with_the_identity_tasks_are_separate_models(name, toy_model, toy_batch):
    stitched, separate = (
        toy_model(sharing={"name": name, "own": 1.0}),
        toy_model(sharing={"name": "soft", "strength": 0}),
    )
    images, _, _ = toy_batch()
    assert stitched.start_from(separate)[0]
    found = stitched(images)
    for key, value in separate(images).items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["cross_stitch", "sluice", "nddr"])
def test_a_task_s_loss_moves_another_task_s_branch(name, toy_model, toy_batch):
    model, (images, labels, _) = toy_model(sharing=name), toy_batch()
    with tf.GradientTape() as tape:
        loss = tf.reduce_mean(model.sample_losses({"scene": labels["scene"]}, model(images, training=True))["scene"])
    gradients = tape.gradient(loss, model.get_layer("ground_toy_P2").trainable_variables)
    assert all(np.abs(gradient).max() > 0 for gradient in gradients)


def test_with_open_masks_mtan_is_hard_sharing(toy_model, toy_batch):
    model, plain, (images, _, _) = toy_model(sharing="mtan"), toy_model(), toy_batch()
    for layer in model.layers:
        if layer.name.endswith("_mask"):
            layer.kernel.assign(0 * layer.kernel)
            layer.bias.assign(0 * layer.bias + 40.0)
    for layer in model.layers:
        name = layer.name
        for task in model.tasks:
            name = name.removeprefix(f"{task}_") if name.startswith(f"{task}_neck") else name
        if layer.weights and not name.startswith("mtan"):
            layer.set_weights(plain.get_layer(name).get_weights())
    found = model(images)
    for key, value in plain(images).items():
        np.testing.assert_allclose(found[key], value, atol=1e-5)


@pytest.mark.slow
def test_a_mask_of_mtan_may_read_a_map_from_before_the_stage_s_last_block(toy_model, toy_batch, tmp_path):
    image = x = keras.Input((32, 32, 3))
    features = {}
    for level in ("P2", "P3"):
        x = y = keras.layers.Conv2D(4, 3, strides=4 if level == "P2" else 2, padding="same")(x)
        y = keras.layers.Conv2D(4, 3, padding="same", activation="relu", name=f"inner_{level}")(y)
        features[level] = x = keras.layers.Add(name=f"last_{level}")([x, y])
    backbone = keras.Model(image, features, name="blocks")
    plain, model = (toy_model(backbone=backbone, sharing={"name": "mtan", "reads": it}) for it in ("gated", "earlier"))
    stage = model.get_layer("blocks_P3")
    assert [made_by(tensor)[:6] for tensor in stage.output] == ["last_P", "conv2d"]
    assert [w.shape for w in model.weights] == [w.shape for w in plain.weights]
    model.set_weights(plain.get_weights())
    images = toy_batch()[0]
    assert np.abs(model(images)["ground_logits"] - plain(images)["ground_logits"]).max() > 1e-4
    for layer in model.layers:
        if layer.name.endswith("_mask"):
            layer.kernel.assign(0 * layer.kernel)
            plain.get_layer(layer.name).kernel.assign(0 * layer.kernel)
    np.testing.assert_allclose(model(images)["ground_logits"], plain(images)["ground_logits"], atol=1e-6)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again(images)["ground_logits"], model(images)["ground_logits"])


def test_nddr_starts_near_the_identity_and_shows_its_blocks(toy_model):
    model = toy_model(sharing={"name": "nddr", "own": 0.8})
    matrix = model.learnt_sharing()["NDDR P2"]
    np.testing.assert_allclose(matrix.values, np.full((3, 3), 0.1) + np.eye(3) * 0.7, atol=1e-6)
    assert list(matrix.rows) == list(matrix.columns) == list(model.tasks)


def test_nddr_normalises_what_it_reduced_if_asked(toy_model, toy_batch):
    images, _, _ = toy_batch()
    model = toy_model(sharing={"name": "nddr", "normalise": True})
    layer = model.get_layer("nddr_P3_ground_normalisation")
    maps = keras.Model(model.input, layer.output)(images, training=True)
    np.testing.assert_allclose(np.mean(maps, axis=(0, 1, 2)), 0, atol=1e-4)
    assert not [one.name for one in toy_model(sharing="nddr").layers if "nddr" in one.name and "norm" in one.name]


@pytest.mark.slow
def test_what_is_learnt_is_shown_by_level(toy_model):
    found = toy_model(sharing={"name": "cross_stitch", "until": "P2"}).learnt_sharing()
    assert list(found) == ["cross-stitch P3"]
    found = toy_model(sharing="sluice").learnt_sharing()
    assert [matrix.values.shape for matrix in found.values()] == [(6, 6), (6, 6), *3 * [(2, 2)]]
    assert list(found["sluice P2"].rows)[:3] == ["scene 1", "scene 2", "objects 1"]
    assert list(found["levels of ground"].columns) == ["P2", "P3"]
    part = toy_model(sharing="sluice", only=["ground"]).learnt_sharing()
    assert list(part) == ["sluice P2", "sluice P3", "levels of ground"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "cross_stitch", "units": "pixel"}, "Unknown cross-stitch units 'pixel'"),
        ({"name": "cross_stitch", "own": 2}, "own was given as 2: expected a number from 0 to 1"),
        ({"name": "cross_stitch", "speed": 0}, "speed was given as 0: expected a number above 0"),
        ({"name": "cross_stitch", "rate": -1}, "rate was given as -1: expected a number above 0"),
        ({"name": "cross_stitch", "rate": 5, "speed": 2.0}, "speed=2.0 and rate=5 both say how fast"),
        ({"name": "nddr", "rate": 0}, "'nddr' was given rate=0"),
        ({"name": "cross_stitch", "until": "P3"}, "the backbone's last level"),
        ({"name": "nddr", "own": "all"}, "own was given as 'all'"),
        ({"name": "sluice", "subspaces": 3}, "do not divide the 8 channels"),
        ({"name": "sluice", "subspaces": 0}, "subspaces=0: expected a whole number of at least 1"),
        ({"name": "sluice", "orthogonality": -1}, "orthogonality=-1: expected a number of at least 0"),
        ({"name": "mtan", "openness": "wide"}, "openness='wide'"),
        ({"name": "mtan", "reads": "last"}, "Unknown map that a mask of sharing 'mtan' reads 'last'"),
        ({"name": "mtan", "reads": "earlier"}, "'toy_P2', the backbone's stage P2, has no map of its size before"),
    ],
)
def test_what_they_cannot_be_is_refused_when_the_model_is_built(given, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(sharing=given)
