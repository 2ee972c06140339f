"""An evaluation sums what replicas and batches saw, and scores by the tasks' primary values."""

import numpy as np
import pytest
import tensorflow as tf
import toys

from visionmtl.model.evaluation import Evaluation
from visionmtl.tasks.ceiling import CEILING


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
    assert evaluation.score({"scene": {"accuracy": 0.5}, "objects": {"AP": 0.9}, "ground": {"mIoU": unknown}}) == 0.7
    assert np.isnan(evaluation.score({"scene": {}, "objects": {}, "ground": {"mIoU": unknown}}))


def test_what_a_task_does_at_its_ceiling_changes_no_score():
    evaluation = Evaluation({task.name: task for task in toys.tasks()})
    scores = [
        evaluation.score({"scene": {"accuracy": accuracy}, "objects": {"AP": 0.2}, "ground": {"mIoU": 0.4}})
        for accuracy in (0.98, 0.99, 0.995, 1.0)
    ]
    assert scores[0] < scores[1] == scores[2] == scores[3]
    assert evaluation.score(
        {name: {evaluation.tasks[name].primary: 1.0} for name in evaluation.tasks}
    ) == pytest.approx(CEILING)
