"""A backbone for every task, tied by a penalty (`soft`) or by a learnt covariance between tasks (`relation`)."""

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from cases import few

from visionmtl.errors import UsageError
from visionmtl.model.multi_task import MultiTaskModel
from visionmtl.sharing.base import penalties
from visionmtl.sharing.soft import TIES
from visionmtl.tasks import Classification, Segmentation


def some(count=2):
    return [Classification("scene", 3), Segmentation("ground", 3), Classification("weather", 2)][:count]


def branch(model, task, level=None):
    """The trained variables of a task's backbone, or of one of its levels."""
    stages = [layer for layer in model.layers if isinstance(layer, keras.Model) and layer.name.startswith(f"{task}_")]
    stages = [stage for stage in stages if level is None or stage.name.endswith(level)]
    return [variable for stage in stages for variable in stage.trainable_variables]


def kernels(model, task, level=None):
    """The same, kernels alone, as one vector."""
    values = [keras.ops.convert_to_numpy(v).ravel() for v in branch(model, task, level) if len(v.shape) > 1]
    return np.concatenate(values)


def move(model, seed=0):
    """Give every variable a value of its own, as training does."""
    random = np.random.default_rng(seed)
    for variable in model.trainable_variables:
        variable.assign(variable + 0.1 * random.normal(size=variable.shape))


@pytest.mark.slow
def test_soft_of_strength_zero_is_separate_models(toy_model):
    tasks = some()
    model = toy_model(tasks, sharing={"name": "soft", "strength": 0})
    assert model.losses == []
    images, labels, _ = toys.batch(tasks)
    separate = {}
    for task in some():
        separate[task.name] = alone = toy_model([task], sharing={"name": "soft", "strength": 0})
        theirs = {layer.name: layer for layer in model.layers}
        for layer in alone.layers:  # the neck of one task alone is not named after it
            layer.set_weights(theirs.get(layer.name, theirs.get(f"{task.name}_{layer.name}")).get_weights())
    for one in (model, *separate.values()):
        one.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    for _ in range(3):
        model.train_on_batch(images, labels)
        for name, alone in separate.items():
            alone.train_on_batch(images, {name: labels[name]})
    outputs = model(images)
    for alone in separate.values():
        for key, value in alone(images).items():
            np.testing.assert_allclose(outputs[key], value, atol=1e-5)


def test_a_loss_moves_its_own_branch_and_the_tie_moves_the_others(toy_model):
    tasks = some()
    images, labels, _ = toys.batch(tasks)
    model = toy_model(tasks, sharing={"name": "soft", "strength": 0.1})
    move(model)
    own, other = branch(model, "scene"), branch(model, "ground")
    with tf.GradientTape(persistent=True) as tape:
        loss = tf.reduce_mean(model.sample_losses(labels, model(images, training=True))["scene"])
        tie = tf.add_n(model.losses)
    assert all(gradient is not None for gradient in tape.gradient(loss, own))
    assert all(gradient is None for gradient in tape.gradient(loss, other))
    for variable, gradient in zip(other, tape.gradient(tie, other), strict=True):
        assert (gradient is not None) == (len(variable.shape) > 1), variable.path


@pytest.mark.slow
@pytest.mark.parametrize("tie", TIES)
def test_a_tie_is_its_penalty_over_the_kernels_and_draws_them_together(tie, toy_model):
    tasks = some(3)
    model = toy_model(tasks, sharing={"name": "soft", "tie": tie, "strength": 0.5})
    started = kernels(model, "scene")
    move(model)
    w = np.stack([kernels(model, task.name) for task in tasks])
    if tie == "centre":
        centre = [variable for variable in model.trainable_variables if "soft_centre" in variable.path]
        c = np.concatenate([keras.ops.convert_to_numpy(one).ravel() for one in centre])
        assert c.shape == started.shape
        expected = 0.25 * np.sum((w - c) ** 2)
    elif tie in ("trace", "unfoldings"):  # of each kernel's matrix or tensor, in units of its length
        shapes = [tuple(v.shape) for v in branch(model, "scene") if len(v.shape) > 1]
        parts = np.split(w, np.cumsum([np.prod(shape) for shape in shapes])[:-1], axis=1)
        tensors = [part.reshape(3, *shape) for part, shape in zip(parts, shapes, strict=True)]
        axes = range(1 if tie == "trace" else 5)
        norms = [[np.linalg.norm(np.moveaxis(t, a, 0).reshape(t.shape[a], -1), "nuc") for a in axes] for t in tensors]
        expected = 0.5 * sum(np.mean(norm) * np.linalg.norm(t) for norm, t in zip(norms, tensors, strict=True))
    else:
        expected = 0.5 * float(TIES[tie](tf.constant(w)))
    np.testing.assert_allclose(float(tf.add_n(model.losses)), expected, rtol=1e-4)

    with tf.GradientTape() as tape:
        total = tf.add_n(model.losses)
    for variable, slope in zip(model.trainable_variables, tape.gradient(total, model.trainable_variables), strict=True):
        if slope is not None:
            variable.assign_sub(0.1 * slope)
    after = np.stack([kernels(model, task.name) for task in tasks])
    assert np.sum((after - after.mean(0)) ** 2) < np.sum((w - w.mean(0)) ** 2)


@pytest.mark.slow
def test_the_centre_starts_with_the_branches_and_is_trained(toy_model, tmp_path):
    tasks = some()
    model = toy_model(tasks, sharing={"name": "soft", "tie": "centre", "strength": 1.0})
    images, labels, _ = toys.batch(tasks)

    def centre(model):
        values = [v for v in model.trainable_variables if "soft_centre" in v.path]
        return np.concatenate([keras.ops.convert_to_numpy(value).ravel() for value in values])

    started = kernels(model, "ground")
    np.testing.assert_array_equal(centre(model), started)
    model.compile(keras.optimizers.SGD(0.1), run_eagerly=True)
    for _ in range(2):
        model.train_on_batch(images, labels)
    assert np.abs(centre(model) - started).max() > 1e-5
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(centre(loaded), centre(model))


@pytest.mark.slow
def test_every_level_may_have_a_strength_of_its_own(toy_model):
    def tie(strength, **options):
        model = toy_model(some(), sharing={"name": "soft", "strength": strength, **options})
        move(model)
        return model, float(sum(model.losses))

    model, both = tie({"P2": 0.2, "P3": 3.0})
    branches = {level: np.stack([kernels(model, task, level) for task in model.tasks]) for level in ("P2", "P3")}
    early, late = (float(penalties.to_mean(branches[level])) for level in ("P2", "P3"))
    np.testing.assert_allclose(both, 0.2 * early + 3.0 * late, rtol=1e-5)
    np.testing.assert_allclose(tie({"P2": 0.2})[1], 0.2 * early, rtol=1e-5)
    stemmed, _ = tie(1.0, until="P2")
    stages = {layer.name for layer in stemmed.layers if isinstance(layer, keras.Model)}
    assert stages == {"toy_P2", "scene_toy_P3", "ground_toy_P3"}


@pytest.mark.parametrize("about", ["start", "mean", "zero"])
def test_relation_is_the_penalty_of_what_the_kernels_are_about(about, toy_model):
    tasks = some(3)
    model = toy_model(tasks, sharing={"name": "relation", "about": about, "strength": 0.5})
    started = kernels(model, "scene")
    if about == "start":
        assert float(model.losses[0]) == 0.0
        np.testing.assert_allclose(model.learnt_sharing()["task covariance"].values, np.eye(3) / 3)
    move(model)
    w = np.stack([kernels(model, task.name) for task in tasks])
    w = w - {"start": started, "mean": w.mean(0), "zero": 0.0}[about]
    left, values, _ = np.linalg.svd(w, full_matrices=False)
    found = model.learnt_sharing()["task covariance"]
    assert found.rows == found.columns == ["scene", "ground", "weather"]
    np.testing.assert_allclose(found.values, left * values @ left.T / values.sum(), atol=0.02)
    if about != "mean":  # there one direction is nought
        np.testing.assert_allclose(float(model.losses[0]), 0.25 * values.sum() ** 2, rtol=0.01)
    correlations = model.learnt_sharing()["task correlations"].values
    np.testing.assert_allclose(np.diag(correlations), 1.0)


@pytest.mark.slow
def test_the_start_is_saved_and_not_trained(toy_model, tmp_path):
    model = toy_model(some(), sharing="relation")
    assert not any("relation_start" in variable.path for variable in model.trainable_variables)
    move(model)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for title, matrix in model.learnt_sharing().items():
        np.testing.assert_array_equal(loaded.learnt_sharing()[title].values, matrix.values)


def test_given_relations_tie_the_pairs_they_name(toy_model):
    tasks = some(3)
    relations = {"scene": {"weather": 2.0}, "weather": {"scene": 2.0}}  # both ways alike: one pair
    options = {"name": "relation", "strength": 0, "relations": relations, "relations_strength": 0.5}
    model = toy_model(tasks, sharing=options)
    move(model)
    expected = 0.5 * 2.0 * np.sum((kernels(model, "scene") - kernels(model, "weather")) ** 2) / 2
    with tf.GradientTape() as tape:
        (penalty,) = model.losses
    np.testing.assert_allclose(float(penalty), expected, rtol=1e-5)
    for gradient in tape.gradient(penalty, branch(model, "ground")):
        assert gradient is None or not np.any(gradient)


def test_a_model_of_fewer_tasks_shows_what_it_has(toy_model):
    model = toy_model(some(3), sharing="relation", only=["scene", "weather"])
    move(model)
    assert model.losses == []
    assert model.learnt_sharing()["task covariance"].rows == ["scene", "weather"]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"name": "soft", "tie": "center"}, "Unknown tie of sharing 'soft' 'center'. Did you mean 'centre'"),
        ({"name": "soft", "strength": -1}, "'soft' was given strength=-1: expected a number of at least 0"),
        ({"name": "soft", "strength": {"P9": 1}}, "Unknown level to tie 'P9'.*Valid: P2, P3"),
        ({"name": "soft", "strength": {"P2": 1}, "until": "P2"}, "Unknown level to tie 'P2'.*Valid: P3"),
        ({"name": "soft", "strength": {"P2": "much"}}, "strength of P2='much'"),
        ({"name": "soft", "until": "P3"}, "the backbone's last level"),
        ({"name": "relation", "until": "P7"}, "Unknown level to share until 'P7'"),
        ({"name": "relation", "about": "centre"}, "Valid: start, mean, zero"),
        ({"name": "relation", "relations_strength": -2}, "relations_strength=-2"),
        ({"name": "relation", "relations": {"scene": "ground"}}, "expected {task: {task: weight}}"),
        ({"name": "relation", "relations": {"scene": {"grund": 1}}}, "'grund'. Did you mean 'ground'"),
        ({"name": "relation", "relations": {"scene": {"scene": 1}}}, "'scene' to itself"),
        ({"name": "relation", "relations": {"scene": {"ground": -1}}}, "relation of scene to ground=-1"),
        ({"name": "relation", "relations": {"scene": {"ground": 1}, "ground": {"scene": 2}}}, "1 and 2: give one"),
    ],
)
def test_what_they_cannot_be_is_refused_when_the_model_is_built(given, message, toy_model):
    with pytest.raises(UsageError, match=message):
        toy_model(some(), sharing=given)


def one_convolution():
    image = x = keras.Input((toys.SIZE, toys.SIZE, 3), name="image")
    x = keras.layers.Rescaling(1 / 128, offset=-1, name="normalise")(x)
    x = keras.layers.Conv2D(6, 3, strides=4, padding="same", activation="relu", name="convolution")(x)
    return keras.Model(image, {"P2": x}, name="one")


PLANTED = {
    "relation": ({"name": "relation", "strength": 0.01}, "task correlations"),
    "cross_stitch": ({"name": "cross_stitch", "units": "layer"}, "cross-stitch P2"),
}


@pytest.mark.parametrize("name", few(PLANTED, keep=[]))
def test_two_pairs_of_tasks_that_share_a_target_are_found(name):
    """Of four tasks two ask where the image is red and two where it is blue, each with some wrong labels of its own."""
    random = np.random.default_rng(0)
    coarse = random.uniform(0, 255, (64, toys.SIZE // 4, toys.SIZE // 4, 3))
    images = coarse.repeat(4, axis=1).repeat(4, axis=2).astype("float32")
    red, blue = ((images[..., channel] > 128).astype("int32") for channel in (0, 2))
    targets = {"red": red, "blue": blue, "crimson": red, "azure": blue}
    labels = {task: target ^ (random.random(target.shape) < 0.1) for task, target in targets.items()}

    keras.utils.set_random_seed(0)
    options, title = PLANTED[name]
    tasks = [Segmentation(task, 2) for task in labels]
    model = MultiTaskModel(tasks, one_convolution(), (toys.SIZE, toys.SIZE, 3), sharing=options, neck={"channels": 8})
    if name == "relation":  # heads that start alike: else which way a kernel moves is theirs to say
        for layer in model.layers:
            owner = next((task for task in labels if layer.name.startswith(f"{task}_")), "")
            if layer.weights and owner:
                layer.set_weights(model.get_layer(layer.name.replace(owner, "red", 1)).get_weights())
    model.compile(keras.optimizers.Adam(0.02))
    model.fit(tf.data.Dataset.from_tensors((images, labels)).repeat(60), verbose=0)

    values = np.abs(model.learnt_sharing()[title].values)  # of either sign: what matters is that they have to do
    values = (values + values.T) / 2
    partners = [values[0, 2], values[1, 3]]
    strangers = [values[0, 1], values[0, 3], values[1, 2], values[2, 3]]
    assert min(partners) > 2 * max(strangers), values
