"""An evaluation sums what replicas and batches saw, and scores by the tasks' primary values."""

import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.model.evaluation import Evaluation


def _predictions(classes):
    return {"scene": {"probabilities": tf.one_hot(classes, 3)}}


def test_replicas_and_batches_are_summed_and_forgotten():
    evaluation = Evaluation({task.name: task for task in toys.tasks("scene")})
    halves = [
        evaluation.statistics({"scene": tf.constant(labels)}, _predictions([0, 1]), None)
        for labels in ([0, 1], [0, 2], [1, 1])
    ]
    evaluation.update(tf.nest.map_structure(lambda *of: of, *halves[:2]), replicas=2)
    evaluation.update(tf.nest.map_structure(lambda value: (value,), halves[2]), replicas=1)
    assert evaluation.results()["scene"]["accuracy"] == pytest.approx(4 / 6)
    evaluation.reset()
    assert np.isnan(evaluation.results()["scene"]["accuracy"])


def test_images_of_weight_zero_do_not_count():
    evaluation = Evaluation({task.name: task for task in toys.tasks("scene")})
    statistics = evaluation.statistics(
        {"scene": tf.constant([0, 2])}, _predictions([0, 1]), {"scene": tf.constant([1.0, 0.0])}
    )
    evaluation.update(tf.nest.map_structure(lambda value: (value,), statistics), replicas=1)
    assert evaluation.results()["scene"]["accuracy"] == 1


def test_the_score_is_the_mean_of_the_primary_values_that_are_known():
    evaluation = Evaluation({task.name: task for task in toys.tasks()})
    unknown = float("nan")
    assert evaluation.score({"scene": {"accuracy": 0.5}, "objects": {"AP": 1.0}, "ground": {"mIoU": unknown}}) == 0.75
    assert np.isnan(evaluation.score({"scene": {}, "objects": {}, "ground": {"mIoU": unknown}}))
