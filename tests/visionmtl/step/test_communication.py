"""What a step sends to other replicas: as many numbers as docs/scaling.md says, for every family of balancer."""

import communicated
import pytest
import tensorflow as tf
from scoped_models import model_of, table

P, SHARED, OWN = 201, 56 + 72, 36 + 5 + 9 + 23  # parameters; of them those that all tasks train, and those of one each
K, FEATURES = 3, 2
TOLD = 2 * K + 1  # how many samples are labelled for each task, the tasks' mean losses, and whether they are finite
EXPECTED = {
    "a loss balancer": ("uncertainty", P + K),  # which learns a number a task
    "gradients compared at the parameters": ("pcgrad", K * SHARED + OWN),
    "elementwise": ("graddrop", K * SHARED + OWN),
    "compared at the features": ({"method": "pcgrad", "scope": "features"}, P + K * K),
    "between two comparisons": ({"method": "pcgrad", "update_every": 10}, P),
    "a second look": ("famo", P + 2 * K),  # at how many samples are labelled, and the losses
    "two halves of a batch": ("modo", 2 * K * SHARED + OWN + K + 2),  # counted apart; and where each replica's begin
}
CASES = [*((way, None) for way in EXPECTED), ("a loss balancer", 1.0), ("gradients compared at the parameters", 1.0)]


@pytest.mark.slow
@pytest.mark.parametrize(("way", "clip_norm"), CASES)
def test_a_step_sends_what_is_written(way, clip_norm, two_devices):
    balancing, numbers = EXPECTED[way]
    strategy = tf.distribute.MirroredStrategy(two_devices, tf.distribute.ReductionToOneDevice())
    with strategy.scope():
        model = model_of(balancing, clip_norm=clip_norm)
    model.build_optimizer()
    if way == "between two comparisons":
        model.plans.compares = False
    batches = iter(strategy.experimental_distribute_dataset(tf.data.Dataset.from_tensors(table(8))))
    with communicated.counted() as sizes:
        step = tf.function(lambda data: strategy.run(model.train_step, (data,)), autograph=False)
        step.get_concrete_function(next(batches))
    assert sum(sizes) == 4 * (numbers + TOLD)
