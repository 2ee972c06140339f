"""What every task is: a head with a loss a sample, predictions in the form of its labels, metrics and drawings."""

import json
from functools import partial

import keras
import numpy as np
import pytest
import tensorflow as tf
import toys

import pipelines
from visionmtl import tasks
from visionmtl.errors import UsageError
from visionmtl.merging import learning
from visionmtl.tasks import views
from visionmtl.tasks.views import Seen, View

IMAGES, CHANNELS = 4, 6
CHARTS = {"confusion", "instances", "outcomes", "precision_recall", "by_confidence", "by_probability", "calibration"}
every_task = pytest.mark.parametrize("name", toys.MAKERS)


def maps():
    """What heads read, of an image of 32 x 32 pixels."""
    return {f"P{level}": keras.Input((toys.SIZE // 2**level,) * 2 + (CHANNELS,)) for level in (2, 3)}


def raw(task, seed=0):
    """Random raw outputs of a task's head."""
    random = np.random.default_rng(seed)
    head = task.outputs(maps())
    return {key: tf.constant(random.normal(size=(IMAGES, *x.shape[1:])), tf.float32) for key, x in head.items()}


def labels_of(task, seed=0):
    return tf.nest.map_structure(tf.constant, toys.batch([task], IMAGES, seed=seed)[1][task.name])


def rows(tree, places):
    """The samples at some places."""
    return tf.nest.map_structure(lambda x: tf.gather(x, places), tree)


def measured(task, *batches):
    """The results of a task's metrics on batches of (labels, predictions, weights)."""
    metrics = task.metrics()
    for batch in batches:
        for metric in metrics:
            metric.update({key: value.numpy() for key, value in metric.statistics(*batch).items()})
    return {key: value for metric in metrics for key, value in metric.result().items()}


def test_there_is_a_toy_of_every_task_and_of_every_kind_of_label():
    toy = toys.tasks(*toys.MAKERS)
    assert {task.kind for task in toy} == {*tasks.names()}
    assert {type(task) for task in toy} == {*tasks.KINDS.values()}


@every_task
def test_two_tasks_of_one_kind_stand_in_one_model(name):
    first, second = toys.task(name), toys.task(name, "another")
    features = maps()
    outputs = {f"{task.name}/{key}": x for task in (first, second) for key, x in task.outputs(features).items()}
    model = keras.Model(features, outputs)
    assert len(outputs) % 2 == 0
    assert all(isinstance(x, keras.KerasTensor) for x in outputs.values())
    own = [{layer.name for layer in model.layers if layer.name.startswith(task.name)} for task in (first, second)]
    assert len(own[0]) == len(own[1]) > 0
    assert all(x.dtype == "float32" for x in outputs.values())


@every_task
def test_every_prediction_says_what_it_means(name):
    task = toys.task(name)
    assert task.decode(raw(task), (toys.SIZE, toys.SIZE)).keys() == task.meanings.keys()
    assert all(meaning.unit and meaning.text for meaning in task.meanings.values())
    assert task.purpose


@every_task
def test_the_loss_is_one_finite_number_a_sample_whatever_stands_beside_it(name):
    task = toys.task(name)
    labels, outputs = labels_of(task), raw(task)
    loss = task.loss(labels, outputs).numpy()
    assert loss.shape == (IMAGES,)
    assert loss.dtype == np.float32
    assert np.isfinite(loss).all()
    places = [2, 0, 3]
    np.testing.assert_allclose(task.loss(rows(labels, places), rows(outputs, places)), loss[places], rtol=1e-5)


@every_task
def test_every_raw_output_is_learnt(name):
    task, outputs = toys.task(name), raw(toys.task(name))
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        loss = tf.reduce_sum(task.loss(labels_of(task), outputs))
    for key, slope in tape.gradient(loss, outputs).items():
        assert np.isfinite(slope).all(), key
        assert np.any(slope), key


@every_task
def test_predictions_have_one_row_an_image_and_the_size_of_the_picture(name):
    task = toys.task(name)
    for size, window in (((toys.SIZE, toys.SIZE), None), ((50, 70), (0.1, 0.0, 0.9, 1.0))):
        found = task.decode(raw(task), size, window)
        assert all(x.shape[0] == IMAGES for x in found.values())
        assert {key: tuple(found[key].shape) for key in task.maps} == dict.fromkeys(task.maps, (IMAGES, *size))
        for key, nothing in task.maps.items():
            assert found[key].numpy().dtype.type(nothing) == nothing


@every_task
def test_one_view_is_predicted_as_the_picture_is(name):
    task = toys.task(name)
    one = views.Seen((views.View(raw(task), (toys.SIZE, toys.SIZE)),))
    found, merged = (
        made((50, 70), (0.1, 0.0, 0.9, 1.0)) for made in (partial(task.decode, raw(task)), partial(task.merged, one))
    )
    assert merged.keys() == found.keys()
    for key, value in found.items():
        assert (merged[key].dtype, merged[key].shape) == (value.dtype, value.shape)
        if not task.annotates:  # noise makes objects far beyond the picture, which are suppressed where it ends
            np.testing.assert_allclose(merged[key], value, rtol=1e-4, atol=1e-4, err_msg=key)
    assert task.merging


@every_task
def test_the_truth_has_the_form_of_predictions(name):
    task = toys.task(name)
    found, truth = task.decode(raw(task), (toys.SIZE,) * 2), task.truth(labels_of(task))
    assert truth.keys() == found.keys()
    for key, value in truth.items():
        assert isinstance(value, np.ndarray)
        assert value.ndim == len(found[key].shape), key
        assert value.dtype.kind == found[key].numpy().dtype.kind, key


@every_task
def test_the_truth_is_rated_best(name):
    task = toys.task(name)
    labels, weights = labels_of(task), tf.ones(IMAGES)
    best = measured(task, (labels, task.truth(labels), weights))
    worse = measured(task, (labels, task.decode(raw(task), (toys.SIZE,) * 2), weights))
    assert best[task.primary] == pytest.approx(1, abs=1e-6)
    assert 0 <= worse[task.primary] < 1


@every_task
def test_metrics_add_up_over_batches_and_leave_out_what_weighs_nothing(name):
    task = toys.task(name)
    labels, found = labels_of(task), task.decode(raw(task), (toys.SIZE,) * 2)
    garbage = labels_of(task, seed=1)
    mixed = tf.nest.map_structure(lambda one, other: tf.concat([one[:2], other[2:]], axis=0), labels, garbage)
    half = measured(task, (mixed, found, tf.constant([1.0, 1, 0, 0])))
    assert half == pytest.approx(measured(task, (rows(labels, [0, 1]), rows(found, [0, 1]), tf.ones(2))), nan_ok=True)
    whole = measured(task, (labels, found, tf.ones(IMAGES)))
    parts = [(rows(labels, places), rows(found, places), tf.ones(2)) for places in ([0, 1], [2, 3])]
    assert measured(task, *parts) == pytest.approx(whole, nan_ok=True)
    assert np.isnan(measured(task, (labels, found, tf.zeros(IMAGES)))[task.primary])


@every_task
def test_objects_below_a_confidence_are_left_out_and_all_else_stays(name):
    task = toys.task(name)
    found = task.decode(raw(task), (toys.SIZE,) * 2)
    for key, value in task.confident(found, 0.0).items():
        np.testing.assert_array_equal(value, found[key], err_msg=key)
    none, by_class = task.confident(found, 1.1), task.confident(found, np.full(len(task.classes), 1.1, "float32"))
    for key, value in none.items():
        np.testing.assert_array_equal(value, by_class[key], err_msg=key)
        assert value.shape == found[key].shape
        assert value.dtype == found[key].dtype
        assert ((value.numpy() <= 0).all() and (found[key].numpy() > 0).any()) == task.annotates, key


@every_task
def test_confidences_are_chosen_of_every_class_where_there_are_objects_to_find(name):
    task, metrics = toys.task(name), toys.task(name).metrics()
    assert task.confidences(metrics) is None
    labels = labels_of(task)
    for metric in metrics:
        statistics = metric.statistics(labels, task.truth(labels), tf.ones(IMAGES))
        metric.update({key: value.numpy() for key, value in statistics.items()})
    chosen = task.confidences(metrics)
    assert (chosen is not None) == task.annotates
    assert chosen is None or (chosen.keys() == {*task.classes} and all(0 < c <= 1 for c in chosen.values()))


@every_task
def test_a_drawing_is_a_picture_of_its_own(name):
    task = toys.task(name)
    image = np.full((toys.SIZE, toys.SIZE, 3), 99, np.uint8)
    found = {key: x.numpy()[0] for key, x in task.decode(raw(task), (toys.SIZE,) * 2).items()}
    truth = {key: x[0] for key, x in task.truth(labels_of(task)).items()}
    for drawn in (task.draw(image, found), task.draw(image, truth), task.draw_truth(image, truth)):
        assert drawn.dtype == np.uint8
        assert drawn.ndim == 3
        assert (image == 99).all()
        assert drawn.shape != image.shape or (drawn != image).any()


@every_task
def test_what_is_written_of_a_picture_is_json_and_its_files_are_there(name, tmp_path):
    task = toys.task(name)
    truth = {key: x[0] for key, x in task.truth(labels_of(task)).items()}
    written = json.loads(json.dumps(task.describe(truth, tmp_path, "picture")))
    files = [file.relative_to(tmp_path).as_posix() for file in tmp_path.rglob("*.*")]
    assert files == ([written] if task.maps else [])
    objects = json.loads(json.dumps(task.annotations(truth)))
    assert bool(objects) == task.annotates
    assert all(one.keys() == {"class", "bbox", "score"} for one in objects)
    assert all(0 <= one["class"] < len(task.classes) for one in objects)


@every_task
def test_what_other_tasks_may_read_is_small(name):
    task, features = toys.task(name), maps()
    evidence = task.evidence(task.outputs(features))
    assert evidence.keys() <= {"", *features}
    model = keras.Model(features, evidence)
    random = np.random.default_rng(0)
    given = {level: random.normal(size=(2, *x.shape[1:])) * 10 for level, x in features.items()}
    for tensor in model(given).values():
        assert len(tensor.shape) in (2, 4)
        assert 0 <= tensor.numpy().min() <= tensor.numpy().max() <= 1


@every_task
def test_it_is_made_of_the_spec_of_its_labels_with_every_option_it_names(name):
    task = toys.task(name)
    spec = pipelines.LabelSpec(task.name, task.kind, task.classes)
    made = tasks.from_spec(spec, **{option: getattr(task, option) for option in task.options})
    assert type(made) is type(task)
    assert made.get_config() == task.get_config()
    assert tasks.options(task.kind) == list(task.options)
    assert {*task.options} <= {*task.get_config()}


@every_task
def test_what_is_plotted_and_explained_of_it_is_known(name):
    task = toys.task(name)
    assert task.charts(task.metrics()).keys() <= CHARTS
    assert not task.classes or task.legend.keys() <= {*task.classes}  # of a task without classes, of quantities
    assert task.colours.keys() == {*task.classes}


@every_task
def test_it_is_undecided_by_a_number_a_sample_that_falls_as_its_scores_grow_apart_if_it_has_classes(name):
    task = toys.task(name)
    outputs = raw(task)
    if not task.classes:
        with pytest.raises(UsageError, match=f"task {name} has no classes"):
            learning.refuse_undecidable({name: task}, ["ties"])
        return
    learning.refuse_undecidable({name: task}, ["ties"])
    near, apart = (task.entropy({key: x * value for key, value in outputs.items()}).numpy() for x in (1, 3))
    assert near.shape == (IMAGES,)
    assert (apart > 0).all()
    assert (apart < near).all()


@every_task
def test_its_mistakes_are_as_sure_as_it_is_and_there_are_none_where_it_is_right(name):
    task, outputs = toys.task(name), raw(toys.task(name))
    found = task.decode(outputs, (toys.SIZE,) * 2) | task.certainty(Seen((View(outputs, (toys.SIZE,) * 2),)))
    sure = task.mistakes(labels_of(task), found)
    assert (sure is None) == (task.mistaken == "")
    if sure is not None:
        assert sure.shape == (IMAGES,)
        assert bool(tf.reduce_all((sure >= 0) & (sure <= 1)))
        assert float(tf.reduce_max(sure)) > 0
        right = {key: tf.constant(value) for key, value in task.truth(labels_of(task)).items()}
        assert not tf.reduce_any(task.mistakes(labels_of(task), found | right) > 0)
