"""What every sharing scheme is: options alone, a model of any tasks that trains, on two devices, in half precision."""

import copy
import dataclasses
import functools
import itertools
import json

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys
from cases import few

from pipelines import discovery
from visionmtl import export, sharing
from visionmtl.checkpoints import state

READS_OTHERS = {"cascade", "distillation", "fusion"}  # a task's loss moves the heads it reads
KINDS = [
    {"name": "experts", "kind": "cgc"},
    {"name": "experts", "kind": "ple"},
    {"name": "experts", "kind": "cgc", "until": "P2"},
]
EVERY = [*sharing.names(), *KINDS]


def named(value):
    """What a parameter is called in the name of a test."""
    return "-".join(list(value.values())[1:]) if isinstance(value, dict) else str(value)


def some(count):
    """Tasks of several kinds."""
    return toys.tasks("scene", "ground", "objects", "weather", "range")[:count]


@functools.cache
def plain_shapes(count):
    """The shapes of the outputs of plain hard sharing."""
    return {key: tensor.shape for key, tensor in toys.model(some(count)).output.items()}


def test_every_scheme_is_a_file_of_its_name_with_a_sentence_and_the_baseline_leads():
    files = discovery.classes("visionmtl.sharing", sharing.Scheme)
    assert sharing.names()[0] == "hard"
    assert {name: scheme.name for name, scheme in files.items()} == {name: name for name in sharing.names()}
    sentences = [sharing.describe(name) for name in sharing.names()]
    assert len(set(sentences)) == len(sentences)
    assert all(sentence.endswith(".") for sentence in sentences)


@pytest.mark.parametrize("scheme", EVERY, ids=named)
def test_a_scheme_is_its_options_which_nobody_changes(scheme):
    made = sharing.get(scheme)
    config = json.loads(json.dumps(sharing.serialize(made)))
    assert sharing.get(config) == made
    assert config == {"name": made.name, **made.get_config()}
    for option in made.get_config():
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(made, option, None)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("scheme", "count"),
    [*itertools.product(sharing.names(), (1, 5)), *((kind, 2) for kind in KINDS)],  # two share in the tests below
    ids=named,
)
def test_a_scheme_serves_any_tasks(scheme, count, tmp_path):
    tasks = some(count)
    model = toys.model(tasks, sharing=scheme)
    images, labels, _ = toys.batch(tasks)
    for key, shape in plain_shapes(count).items():
        assert model.output[key].shape == shape

    with tf.GradientTape(persistent=True) as tape:
        losses = model.sample_losses(labels, model(images, training=True))
        totals = {task: tf.reduce_mean(loss) for task, loss in losses.items()}
        everything = tf.add_n([*totals.values(), *model.losses])
    variables = model.trainable_variables
    unmoved = [v.path for v, g in zip(variables, tape.gradient(everything, variables), strict=True) if g is None]
    assert not unmoved
    for task, total in totals.items():
        moved = {v.path for v, g in zip(variables, tape.gradient(total, variables), strict=True) if g is not None}
        for other in tasks:
            heads = [model.get_layer(layer) for layer in model.parts[other.name]]
            reached = any(variable.path in moved for layer in heads for variable in layer.trainable_variables)
            if other.name == task:
                assert reached
            elif str(scheme) not in READS_OTHERS and not any(isinstance(layer, keras.Model) for layer in heads):
                assert not reached

    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert loaded.get_config()["sharing"] == model.get_config()["sharing"]
    again = loaded(images)
    for key, tensor in model(images).items():
        np.testing.assert_array_equal(again[key], tensor)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", few(EVERY, keep=["fusion", "nddr", "relation", "task_tokens"]), ids=named)
def test_building_twice_gives_two_models_of_which_one_may_train(scheme):
    given, tasks = sharing.get(scheme), some(2)
    options = copy.deepcopy(vars(given))
    trained, other = (toys.model(some(2), sharing=given) for _ in range(2))
    assert trained.sharing is other.sharing is given
    weights, learnt = other.get_weights(), other.learnt_sharing()
    images, labels, _ = toys.batch(tasks)
    trained.compile(keras.optimizers.SGD(1.0), run_eagerly=True)
    trained.train_on_batch(images, labels)
    trained.start_from(trained)
    assert any(np.any(a != b) for a, b in zip(trained.get_weights(), weights, strict=True))
    for now, before in zip(other.get_weights(), weights, strict=True):
        np.testing.assert_array_equal(now, before)
    for title, matrix in other.learnt_sharing().items():
        np.testing.assert_array_equal(matrix.values, learnt[title].values)
    theirs = {id(variable) for variable in other.variables}
    assert not [v for penalty in trained.penalties for v in penalty.variables if id(v) in theirs]
    assert vars(given) == options


@pytest.mark.slow
@pytest.mark.parametrize("scheme", few(EVERY, keep=["soft"]), ids=named)
def test_two_devices_train_a_scheme_like_one(scheme, two_devices):
    tasks = some(2)
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    alone = toys.model(tasks, sharing=scheme)
    with strategy.scope():
        mirrored = toys.model(some(2), sharing=scheme)
    mirrored.set_weights(alone.get_weights())
    data = tf.data.Dataset.from_tensors(toys.batch(tasks)[:2])
    for model in (alone, mirrored):
        model.compile(keras.optimizers.SGD(0.01), run_eagerly=True)  # tracing takes ten times as long as two steps
        model.fit(data, epochs=2, verbose=0)
    for variable, one, two in zip(alone.weights, alone.get_weights(), mirrored.get_weights(), strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5, err_msg=variable.path)


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["ltb", "adapters"])
def test_a_training_goes_on_in_the_middle_of_an_epoch_as_it_would_have(scheme):
    tasks, at, steps = toys.tasks("scene", "weather"), (0, 1), 2
    data = tf.data.Dataset.from_tensors(toys.batch(tasks, images=2)).repeat()
    kept = {}

    def model(**began):
        made = toys.model(tasks, sharing=scheme, **({"frozen": ["backbone"]} if scheme == "adapters" else {}))
        made.compile(keras.optimizers.SGD(0.01, 0.9), run_eagerly=True)  # tracing takes longer than a few steps
        if began:
            state.give_back(made.training_state(), began)
            made.pass_over(at[1])

        def keep(batch, logs):
            if (made.position.epoch, made.position.step) == at and not made.position.passed:
                kept.update({name: np.array(value) for name, value in state.taken(made.training_state()).items()})

        made.fit(
            data,
            epochs=2,
            initial_epoch=at[0] if began else 0,
            steps_per_epoch=steps,
            shuffle=False,
            verbose=0,
            callbacks=[keras.callbacks.LambdaCallback(on_train_batch_end=keep)],
        )
        return made

    whole = model()
    assert kept
    for variable, one, two in zip(whole.weights, whole.get_weights(), model(**kept).get_weights(), strict=True):
        np.testing.assert_array_equal(one, two, variable.path)


def in_half_precision(scheme):
    """Return a model that took a step in bfloat16, and the images."""
    tasks = some(2)
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = toys.model(tasks, sharing=scheme)
    finally:
        keras.config.set_dtype_policy("float32")
    model.compile("sgd", run_eagerly=True)
    images, labels, _ = toys.batch(tasks)
    logs = model.train_on_batch(images, labels, return_dict=True)
    assert all(np.isfinite(float(value)) for value in logs.values())
    assert all(tensor.dtype == "float32" for key, tensor in model(images).items() if not key.startswith("auxil"))
    return model, images


@pytest.mark.parametrize("scheme", few(EVERY, keep=["cascade"]), ids=named)
def test_a_scheme_runs_in_half_precision(scheme):
    in_half_precision(scheme)


# Every scheme is exported to LiteRT and ONNX, by way of a SavedModel, in the tests of those.
@pytest.mark.slow
@pytest.mark.parametrize("scheme", few(["cascade", "cross_stitch", "task_tokens"], keep=["cascade"]))
def test_a_scheme_of_half_precision_is_exported(scheme, tmp_path):
    model, images = in_half_precision(scheme)
    served = tf.saved_model.load(export.save(model, tmp_path / "exported")).signatures["serving_default"]
    predictions = served(images=tf.constant(images.astype("uint8")))
    expected = model.predict(images, verbose=0)
    np.testing.assert_allclose(predictions["scene_probabilities"], expected["scene_probabilities"], atol=1e-2)
    assert predictions["ground_classes"].shape == (4, toys.SIZE, toys.SIZE)
