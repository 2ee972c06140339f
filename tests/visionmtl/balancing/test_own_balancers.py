"""Balancers of a user's own, which lie in no folder of ours: compiled with, trained, saved and loaded."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl import balancing
from visionmtl.balancing.hyperparameters import number
from visionmtl.errors import UsageError

X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
LABELS = {"a": X[:, :1] + 1, "b": X[:, 1:2] - X[:, 2:]}


@keras.saving.register_keras_serializable("own")
class Powers(balancing.LossBalancer):
    """The sum of the losses, each to a power."""

    power: float = number(1.0, "of each loss", above=0)

    def scalarise(self, losses, present, training=False):
        return tf.reduce_sum(losses**self.power * present)


@keras.saving.register_keras_serializable("own")
class Shortest(balancing.GramianMethod):
    """All weight to the shortest gradient, but for what is left to the others; remembers how often it looked."""

    left: float = number(0.5, "weight of the others", at_least=0, up_to=1)

    def start(self, tasks):
        return np.zeros(tasks, np.float32)

    def weights_and_memory(self, seen, comparison):
        shortest = tf.one_hot(tf.argmin(seen.norms), 2, dtype=tf.float64)
        weights = seen.weights((1 - self.left) * shortest + self.left)
        return weights, None if comparison.memory is None else comparison.memory + 1


@keras.saving.register_keras_serializable("own")
class Largest(balancing.ElementwiseBalancer):
    """Of each parameter's gradients the largest, times a factor."""

    factor: float = number(1.0, "of all", above=0)

    def weigh(self, gramian, forward, product=None):
        return forward.present

    def merge(self, gradients, weights, number, place):
        return self.factor * tf.reduce_max(tf.stack(list(gradients.values())), axis=0)


OWN = {
    "loss": (Powers, {"power": 2.0}),
    "gradient": (Shortest, {"left": 0.25}),
    "elementwise": (Largest, {"factor": 2}),
}


def model_of(balancer):
    keras.utils.set_random_seed(0)
    x = keras.Input((3,))
    hidden = keras.layers.Dense(2, use_bias=False)(x)
    model = visionmtl.BalancedModel(x, {task: keras.layers.Dense(1, name=task)(hidden) for task in LABELS})
    model.compile(keras.optimizers.SGD(0.05), dict.fromkeys(LABELS, "mse"), balancing=balancer)
    return model


@pytest.mark.slow
@pytest.mark.parametrize("family", OWN)
def test_a_balancer_of_ones_own_trains_and_is_saved_and_loaded_with_its_model(family, tmp_path):
    own, hyperparameters = OWN[family]
    model = model_of(own(**hyperparameters))
    model.train_on_batch(X, LABELS)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for again in (model, loaded):
        again.train_on_batch(X, LABELS)
    for kept, trained in zip(model.get_weights(), loaded.get_weights(), strict=True):
        np.testing.assert_array_equal(kept, trained)


@pytest.mark.slow
def test_a_gramian_method_of_ones_own_weighs_in_a_gradient_balancer():
    model = model_of(Shortest(left=0.25))
    assert isinstance(model.balancer, balancing.GradientBalancer)
    logs = [model.train_on_batch(X, LABELS, return_dict=True) for _ in range(2)]
    assert sorted([float(logs[0]["weight/a"]), float(logs[0]["weight/b"])]) == [0.25, 1.0]
    np.testing.assert_array_equal(model.balancer.memory, [2, 2])
    every = model_of(balancing.get(Shortest(), update_every=2))
    assert every.balancer.update_every == 2


@pytest.mark.parametrize("family", OWN)
def test_a_hyperparameter_of_ones_own_is_checked_and_told_by_the_class(family):
    own, hyperparameters = OWN[family]
    (name,) = hyperparameters
    with pytest.raises(UsageError, match=f"balancing '{own.__name__}' was given {name}='far': expected a number"):
        own(**{name: "far"})
