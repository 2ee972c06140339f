"""The model: graph, step, evaluation, saving, sharing, missing labels and two devices."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from cases import few

from visionmtl import MultiTaskModel
from visionmtl.errors import UsageError
from visionmtl.tasks import Classification, Detection, Segmentation
from visionmtl.tasks.ceiling import counted


def _dataset(batch, images=4):
    return tf.data.Dataset.from_tensor_slices(batch).batch(images)


def _mirrored(devices):
    # Collective kernels lose count of their calls when one process makes a second strategy; these sum by hand.
    return tf.distribute.MirroredStrategy(devices, cross_device_ops=tf.distribute.ReductionToOneDevice())


def _fitted(model, batch, steps=3, **options):
    model.compile(keras.optimizers.Adam(1e-3), **{"balancing": "uncertainty"} | options)
    return model.fit(_dataset(batch).repeat(steps), epochs=1, verbose=0)


def test_outputs_are_flat_and_named_by_task(toy_model):
    names = set(toy_model().output)
    assert {"scene_logits", "ground_logits", "objects_P2_scores", "objects_P3_distances"} <= names


def test_a_class_has_one_colour_in_all_tasks(toy_model):
    tasks = [Detection("objects", ["car", "sign"]), Segmentation("street", ["road", "sign", "car"])]
    toy_model(tasks)
    assert all(tasks[0].colours[name] == tasks[1].colours[name] for name in ("car", "sign"))
    assert len(set(tasks[1].colours.values())) == 3


def test_fit_logs_every_task(toy_model, toy_batch):
    model = toy_model()
    model.compile(balancing="uncertainty")
    data = _dataset(toy_batch())
    history = model.fit(data, validation_data=data, epochs=2, verbose=0).history
    for name in ("loss", "scene_loss", "objects_loss", "ground_loss", "weight/scene", "val_loss", "val_scene_loss"):
        assert len(history[name]) == 2, name
    assert "val_weight/scene" not in history
    headline = [history[f"val_{name}"][-1] for name in ("scene_accuracy", "objects_AP", "ground_mIoU")]
    assert history["val_score"][-1] == pytest.approx(np.mean(counted(np.array(headline))))
    assert history["loss"][1] < history["loss"][0]


def test_predict_decodes_in_pixels_of_the_input(toy_model, toy_batch):
    images, *_ = toy_batch()
    predictions = toy_model().predict(images.astype("uint8"), verbose=0)
    assert predictions["scene_probabilities"].sum(axis=1) == pytest.approx(np.ones(4), abs=1e-5)
    assert predictions["ground_classes"].shape == (4, 32, 32)
    assert predictions["objects_boxes"].shape == (4, 100, 4)
    assert predictions["objects_boxes"].max() <= 32


@pytest.mark.parametrize("sharing", few(["hard", {"name": "hard", "until": "P2"}], keep=["hard"]))
def test_saving_and_loading_gives_the_same_predictions_and_the_same_next_step(toy_model, toy_batch, tmp_path, sharing):
    model = toy_model(sharing=sharing)
    batch = toy_batch()
    _fitted(model, batch, run_eagerly=True)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, MultiTaskModel)
    before, after = (one.predict(batch[0], verbose=0) for one in (model, loaded))
    for name in before:
        np.testing.assert_array_equal(before[name], after[name])
    for one in (model, loaded):
        one.train_on_batch(*batch)
    for a, b in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


@pytest.mark.slow
def test_partial_sharing_branches_after_the_level(toy_model):
    shared, split = toy_model(), toy_model(sharing={"name": "hard", "until": "P2"})
    stages = {layer.name for layer in split.layers if isinstance(layer, keras.Model)}
    assert stages == {"toy_P2", "scene_toy_P3", "objects_toy_P3", "ground_toy_P3"}
    assert split.count_params() > shared.count_params()


def test_every_variable_is_moved_by_some_task(toy_model, toy_batch):
    model = toy_model()
    images, labels, _ = toy_batch()
    with tf.GradientTape() as tape:
        losses = model.sample_losses(labels, model(images, training=True))
        loss = tf.add_n([tf.reduce_sum(loss) for loss in losses.values()])
    slopes = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    assert [v.path for v, slope in zip(model.trainable_variables, slopes, strict=True) if slope is None] == []


def test_a_task_moves_no_branch_of_another(toy_model, toy_batch):
    model = toy_model(sharing={"name": "hard", "until": "P2"})
    images, labels, _ = toy_batch()
    outputs_of = model.task_names
    with tf.GradientTape() as tape:
        losses = model.sample_losses(labels, model(images, training=True))
        loss = tf.reduce_sum(losses["ground"])
    slopes = tape.gradient(loss, [variable.value for variable in model.trainable_variables])
    for variable, slope in zip(model.trainable_variables, slopes, strict=True):
        if any(name in variable.path.split("_")[0] for name in outputs_of if name != "ground"):
            assert slope is None, variable.path


def test_an_unlabelled_task_has_a_loss_of_exactly_zero_and_moves_nothing(toy_model, toy_batch):
    model = toy_model()
    images, labels, weights = toy_batch()
    weights["ground"][:] = 0
    labels["ground"][:] = 0
    model.compile(keras.optimizers.SGD(0.1), balancing="uncertainty", run_eagerly=True)
    head = [variable for variable in model.trainable_variables if variable.path.startswith("ground")]
    before = [variable.numpy() for variable in head]
    logs = model.train_on_batch(images, labels, weights, return_dict=True)
    assert head
    assert logs["ground_loss"] == 0
    assert logs["weight/ground"] == 0
    for variable, value in zip(head, before, strict=True):
        np.testing.assert_array_equal(variable.numpy(), value)


@pytest.mark.slow
def test_a_sample_of_weight_zero_counts_nowhere(toy_model, toy_batch):
    images, labels, weights = toy_batch()
    logs = []
    for garbage in (0, 1):
        model = toy_model()
        model.compile("sgd", run_eagerly=True)
        for name in weights:
            weights[name][0] = 0
        labels["scene"][0] = garbage
        labels["objects"]["classes"][0] = garbage
        labels["ground"][0] = garbage
        logs.append(model.evaluate(_dataset((images, labels, weights)), return_dict=True, verbose=0))
    assert logs[0] == logs[1]


@pytest.mark.slow
def test_evaluation_does_not_depend_on_the_batch_size(toy_model, toy_batch):
    model = toy_model()
    model.compile("sgd", run_eagerly=True)
    batch = toy_batch(images=5)
    a, b = (model.evaluate(_dataset(batch, size), return_dict=True, verbose=0) for size in (2, 5))
    assert a.keys() == b.keys()
    for name in a:
        assert a[name] == pytest.approx(b[name], rel=1e-4, nan_ok=True), name


@pytest.mark.slow
def test_clip_norm_bounds_the_step(toy_model, toy_batch):
    batch = toy_batch()
    steps = {}
    for clip in (None, 1e-3):
        model = toy_model()
        model.compile(keras.optimizers.SGD(1.0), clip_norm=clip, run_eagerly=True)
        before = [variable.numpy() for variable in model.trainable_variables]
        model.train_on_batch(*batch)
        change = [v.numpy() - b for v, b in zip(model.trainable_variables, before, strict=True)]
        steps[clip] = np.sqrt(sum((part**2).sum() for part in change))
    assert steps[None] > 1e-2
    assert steps[1e-3] == pytest.approx(1e-3, rel=1e-2)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({}, marks=pytest.mark.slow),
        pytest.param({"clip_norm": 0.5, "run_eagerly": True}, marks=pytest.mark.slow),
        {"balancing": {"method": "fixed", "weights": {"scene": 2}}, "run_eagerly": True},
    ],
)
def test_two_devices_train_like_one(toy_model, toy_batch, two_devices, options):
    # The halves differ in labelled samples and in objects, so that a mean of the halves' means would be wrong.
    images, labels, weights = toy_batch(images=4)
    weights["scene"][:] = [1, 0, 1, 1]
    weights["ground"][:] = [0, 0, 1, 1]
    labels["objects"]["classes"][0] = -1
    batch = (images, labels, weights)

    def optimizer():
        return keras.optimizers.SGD(0.01, momentum=0.9)

    alone = toy_model()
    alone.compile(optimizer(), **{"balancing": "uncertainty"} | options)
    strategy = _mirrored(two_devices)
    with strategy.scope():
        mirrored = toy_model()
        mirrored.compile(optimizer(), **{"balancing": "uncertainty"} | options)
    for model in (alone, mirrored):
        model.fit(_dataset(batch).repeat(2), verbose=0)
    for a, b in zip(alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
    # Five samples: two devices need the second batch filled up, and what fills it must not count.
    five = toy_batch(images=5)
    filled = tf.nest.map_structure(lambda x: np.concatenate([x, np.repeat(x[-1:], 3, axis=0)]), five)
    filled = (*filled[:2], {name: weight * ([1] * 5 + [0] * 3) for name, weight in filled[2].items()})
    one = alone.evaluate(_dataset(five), return_dict=True, verbose=0)
    two = mirrored.evaluate(_dataset(filled), return_dict=True, verbose=0)
    for name in one:
        assert one[name] == pytest.approx(two[name], rel=1e-3, abs=1e-4, nan_ok=True), name


@pytest.mark.slow
def test_bfloat16_trains_and_outputs_float32(toy_model, toy_batch):
    keras.mixed_precision.set_global_policy("mixed_bfloat16")
    try:
        model = toy_model()
        _fitted(model, toy_batch(), run_eagerly=True)
        assert {tensor.dtype for tensor in model.output.values()} == {"float32"}
        assert np.isfinite(model.predict(toy_batch()[0], verbose=0)["scene_probabilities"]).all()
    finally:
        keras.mixed_precision.set_global_policy("float32")


def _outside_scope(toy_model, two_devices):
    model = toy_model()
    with _mirrored(two_devices).scope():
        model.compile()


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda build, devices: MultiTaskModel([]), "needs a task"),
        (lambda build, devices: build([Classification("a", 2), Segmentation("a", 2)]), "Two tasks are named 'a'"),
        (lambda build, devices: build(sharing="hrad"), "Did you mean 'hard'"),
        (lambda build, devices: build(sharing={"name": "hard", "until": "P9"}), "Unknown level to share until 'P9'"),
        (lambda build, devices: build(sharing={"name": "hard", "untill": "P3"}), "has no option 'untill'"),
        (lambda build, devices: build().compile(balancing="unequal"), "Did you mean 'equal'"),
        (lambda build, devices: build().compile(clip_norm=-1), "clip_norm=-1: expected a number above 0"),
        (lambda build, devices: build().compile(loss="mse"), "come from its tasks"),
        (_outside_scope, "outside strategy.scope"),
    ],
)
def test_mistakes_are_told(toy_model, two_devices, make, message):
    with pytest.raises(UsageError, match=message):
        make(toy_model, two_devices)
