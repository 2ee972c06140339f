"""Balancers that need more than a Gramian, against loops over their papers' equations."""

import keras
import numpy as np
import pytest
import tensorflow as tf

import visionmtl
from visionmtl.balancing.elementwise.graddrop import keep_one_sign

STEPS = 6


def model_of(name, rate=0.05):
    """Two regressions on one linear layer of two outputs: gradients one can write down."""
    x = keras.Input((3,))
    hidden = keras.layers.Dense(2, use_bias=False, kernel_initializer=keras.initializers.Constant(KERNEL))(x)
    heads = {"a": [[1.0], [0.5]], "b": [[-2.0], [1.0]]}
    outputs = {
        task: keras.layers.Dense(1, use_bias=False, kernel_initializer=keras.initializers.Constant(head), name=task)(
            hidden
        )
        for task, head in heads.items()
    }
    model = visionmtl.BalancedModel(x, outputs)
    model.compile(keras.optimizers.SGD(rate), {"a": "mse", "b": "mse"}, balancing=name)
    return model


KERNEL = [[0.3, -0.2], [0.1, 0.4], [-0.5, 0.2]]
X = np.random.default_rng(0).normal(size=(8, 3)).astype("float32")
LABELS = {"a": (2 * X[:, :1] + 1).astype("float32"), "b": (X[:, 1:2] - X[:, 2:]).astype("float32")}


def losses_and_gradients(kernel, heads, rows=slice(None)):
    """Return in float64 both losses, their gradients by the kernel `[2, 3, 2]` and by each head."""
    losses, shared, own = [], [], []
    for task, head in zip("ab", heads, strict=True):
        x = X[rows]
        error = x @ kernel @ head - LABELS[task][rows]
        losses.append((error**2).mean())
        shared.append(x.T @ (2 * error / len(x)) @ head.T)
        own.append((x @ kernel).T @ (2 * error / len(x)))
    return np.array(losses), np.stack(shared), own


def trained(model, epoch):
    """Train some steps, in epochs of so many; return the kernel, the heads and the weights of each step."""
    weights = []
    for step in range(STEPS):
        if step and step % epoch == 0:
            model.balancer.end_epoch()
        model.reset_metrics()
        logs = model.train_on_batch(X, LABELS, return_dict=True)
        weights.append([float(logs["weight/a"]), float(logs["weight/b"])])
    kernel, *heads = (np.asarray(variable) for variable in model.trainable_variables)
    return kernel, heads, np.array(weights)


def start():
    return np.array(KERNEL), [np.array([[1.0], [0.5]]), np.array([[-2.0], [1.0]])]


def check(model, kernel, heads, weights, epoch=STEPS):
    reached = trained(model, epoch)
    np.testing.assert_allclose(reached[0], kernel, atol=2e-5)
    for one, two in zip(reached[1], heads, strict=True):
        np.testing.assert_allclose(one, two, atol=2e-5)
    np.testing.assert_allclose(reached[2], weights, rtol=1e-4)


@pytest.mark.parametrize("sigma", [0.0, 0.5])
def test_db_mtl_is_the_papers_loop(sigma):
    kernel, heads = start()
    means, seen = np.zeros((2, 3, 2)), []
    for step in range(1, STEPS + 1):
        losses, shared, own = losses_and_gradients(kernel, heads)
        fraction = 0.7 / step**sigma
        means = fraction * means + (1 - fraction) * shared / losses[:, None, None]
        lengths = np.linalg.norm(means.reshape(2, -1), axis=1)
        weights = lengths.max() / lengths
        seen.append(weights)
        kernel = kernel - 0.05 * np.tensordot(weights, means, 1)
        heads = [head - 0.05 * one / loss for head, one, loss in zip(heads, own, losses, strict=True)]
    check(model_of({"method": "db_mtl", "beta": 0.7, "beta_sigma": sigma}), kernel, heads, seen)


@pytest.mark.parametrize("normalise", ["none", "loss"])
def test_moco_is_the_papers_loop(normalise):
    kernel, heads = start()
    means, convex, seen = np.zeros((2, 6)), np.full(2, 0.5), []
    for step in range(1, STEPS + 1):
        losses, shared, own = losses_and_gradients(kernel, heads)
        rows = shared.reshape(2, -1)
        if normalise == "loss":
            rows = rows / np.linalg.norm(rows, axis=1, keepdims=True) * losses[:, None]
        means = means - 0.6 / step**0.5 * (means - rows)
        convex = convex - 0.05 / step**0.25 * (means @ means.T @ convex + 0.1 * convex)
        first = np.clip((1 + convex[0] - convex[1]) / 2, 0, 1)  # the nearest point of w1 + w2 = 1 between 0 and 1
        convex = np.array([first, 1 - first])
        seen.append(2 * convex)
        kernel = kernel - 0.05 * (seen[-1] @ means).reshape(kernel.shape)
        heads = [head - 0.05 * one for head, one in zip(heads, own, strict=True)]
    options = {"beta": 0.6, "gamma": 0.05, "gamma_sigma": 0.25, "rho": 0.1, "normalise": normalise}
    check(model_of({"method": "moco", **options}), kernel, heads, seen)


@pytest.mark.parametrize(("scope", "warmup"), [("features", 0), ("parameters", 0), ("features", 2)])
def test_excess_mtl_is_the_papers_loop(scope, warmup):
    kernel, heads = start()
    squares, first, weights, seen, early = 0.0, None, np.ones(2), [], []
    for step in range(STEPS):
        _, shared, own = losses_and_gradients(kernel, heads)
        if scope == "features":  # of a bias beside the kernel, were there one
            errors = [X @ kernel @ head - LABELS[task] for task, head in zip("ab", heads, strict=True)]
            looked_at = np.stack([(2 * e / len(X) @ head.T).sum(0) for e, head in zip(errors, heads, strict=True)])
        else:
            looked_at = shared.reshape(2, -1)
        squares += looked_at**2
        risks = (looked_at**2 / np.sqrt(squares + 1e-7)).sum(1)
        if step < 2 * warmup:  # epochs of two steps, whose mean risk is the scale
            early.append(risks)
            first = np.mean(early, axis=0)
        elif first is None:
            first = risks
        else:
            weights = weights * np.exp(0.4 * risks / first)
            weights = 2 * weights / weights.sum()
        seen.append(weights)
        kernel = kernel - 0.05 * np.tensordot(weights, shared, 1)
        heads = [head - 0.05 * weight * one for head, weight, one in zip(heads, weights, own, strict=True)]
    options = {"method": "excess_mtl", "step_size": 0.4, "scope": scope, "warmup_epochs": warmup}
    check(model_of(options), kernel, heads, seen, epoch=2)


@pytest.mark.parametrize("scope", ["features", "parameters"])
def test_gradnorm_is_the_papers_loop(scope):
    kernel, heads = start()
    weights, first, seen = np.ones(2), None, []
    moments = np.zeros((2, 2))
    for step in range(1, STEPS + 1):
        losses, shared, own = losses_and_gradients(kernel, heads)
        errors = [X @ kernel @ head - LABELS[task] for task, head in zip("ab", heads, strict=True)]
        at_features = [2 * error / len(X) @ head.T for error, head in zip(errors, heads, strict=True)]
        lengths = np.array([np.linalg.norm(one) for one in (at_features if scope == "features" else shared)])
        seen.append(weights)
        kernel = kernel - 0.05 * np.tensordot(weights, shared, 1)
        heads = [head - 0.05 * weight * one for head, weight, one in zip(heads, weights, own, strict=True)]
        first = losses if first is None else first
        rates = losses / first / (losses / first).mean()
        aims = (weights * lengths).mean() * rates**0.8
        slope = np.sign(weights * lengths - aims) * lengths
        moments = np.array([0.9 * moments[0] + 0.1 * slope, 0.999 * moments[1] + 0.001 * slope**2])
        move = moments[0] / (1 - 0.9**step) / (np.sqrt(moments[1] / (1 - 0.999**step)) + 1e-8)
        weights = weights - 0.1 * move
        weights = 2 * weights / weights.sum()
    options = {"method": "gradnorm", "alpha": 0.8, "learning_rate": 0.1, "scope": scope}
    check(model_of(options), kernel, heads, seen)


@pytest.mark.parametrize("scope", ["features", "parameters"])
def test_imtl_is_the_papers_loop(scope):
    kernel, heads = start()
    logs, seen = np.zeros((2,)), []
    for _ in range(STEPS):
        losses, shared, own = losses_and_gradients(kernel, heads)
        scales = np.exp(logs)
        looked_at = shared.reshape(2, -1)
        if scope == "features":
            errors = [X @ kernel @ head - LABELS[task] for task, head in zip("ab", heads, strict=True)]
            looked_at = np.stack([(2 * e / len(X) @ head.T).ravel() for e, head in zip(errors, heads, strict=True)])
        first, second = scales[:, None] * looked_at
        apart = first / np.linalg.norm(first) - second / np.linalg.norm(second)
        share = first @ apart / ((first - second) @ apart)  # of the second; the paper's alpha, which sums to 1
        seen.append(2 * np.array([1 - share, share]) * scales)
        kernel = kernel - 0.05 * np.tensordot(seen[-1], shared, 1)
        heads = [head - 0.05 * scale * one for head, scale, one in zip(heads, scales, own, strict=True)]
        logs = logs - 0.05 * (scales * losses - 1)
    check(model_of({"method": "imtl", "scope": scope}), kernel, [*heads, logs], seen)


def test_averaged_weights_keep_a_fraction_of_the_last_ones():
    kernel, heads = start()
    weights, seen = np.ones(2), []
    for _ in range(STEPS):
        _, shared, own = losses_and_gradients(kernel, heads)
        lengths = np.linalg.norm(shared.reshape(2, -1), axis=1)
        weights = 0.7 * weights + 0.3 * lengths.mean() / lengths
        seen.append(weights)
        kernel = kernel - 0.05 * np.tensordot(weights, shared, 1)
        heads = [head - 0.05 * one for head, one in zip(heads, own, strict=True)]
    check(model_of({"method": "unit_norm", "averaging": 0.7}), kernel, heads, seen)


def test_modo_multiplies_the_gradients_of_the_samples_at_even_and_odd_places():
    kernel, heads = start()
    convex, seen = np.full(2, 0.5), []
    for _ in range(STEPS):
        _, shared, own = losses_and_gradients(kernel, heads)
        even, odd = (losses_and_gradients(kernel, heads, slice(half, None, 2))[1].reshape(2, -1) for half in (0, 1))
        convex = convex - 0.01 * (even @ (odd.T @ convex) + 0.1 * convex)
        convex = convex + (1 - convex.sum()) / 2
        assert convex.min() > 0  # or the projection would be another
        seen.append(2 * convex)
        kernel = kernel - 0.05 * np.tensordot(2 * convex, shared, 1)
        heads = [head - 0.05 * one for head, one in zip(heads, own, strict=True)]
    assert abs(seen[-1][0] - 1) > 0.02
    check(model_of({"method": "modo", "gamma": 0.01}), kernel, heads, seen)


def test_a_half_without_labels_takes_the_whole_batch():
    model = model_of({"method": "modo", "gamma": 0.01})
    weight = {"a": np.ones(8, "float32"), "b": np.array([1, 0] * 4, "float32")}
    logs = model.train_on_batch(X, LABELS, weight, return_dict=True)
    _, shared, _ = losses_and_gradients(*start())
    _, even, _ = losses_and_gradients(*start(), slice(0, None, 2))
    _, odd, _ = losses_and_gradients(*start(), slice(1, None, 2))
    a, b, a_even, a_odd = (one.ravel() for one in (shared[0], even[1], even[0], odd[0]))
    product = np.array([[a_even @ a_odd, a @ b], [b @ a_odd, b @ b]])
    convex = 0.5 - 0.01 * (product.sum(1) / 2 + 0.05)
    convex += (1 - convex.sum()) / 2
    np.testing.assert_allclose([float(logs["weight/a"]), float(logs["weight/b"])], 2 * convex, rtol=1e-4)


def test_graddrop_keeps_one_sign_at_each_place():
    random = np.random.default_rng(0)
    gradients, draw = random.normal(size=(3, 4, 5)), random.uniform(size=(4, 5))
    expected = np.zeros((4, 5))
    for place in np.ndindex(4, 5):
        column = gradients[(slice(None), *place)]
        positive = (1 + column.sum() / np.abs(column).sum()) / 2 > draw[place]
        for value in column:
            expected[place] += value if (value > 0) == positive else 0.25 * value
    kept = keep_one_sign(tf.constant(gradients), tf.constant(draw), leak=0.25)
    np.testing.assert_allclose(kept, expected, atol=1e-12)


def test_graddrop_at_features_is_the_papers_loop():
    kernel, heads = start()
    for step in range(STEPS):
        _, _, own = losses_and_gradients(kernel, heads)
        features = X @ kernel
        errors = [features @ head - LABELS[task] for task, head in zip("ab", heads, strict=True)]
        back = np.stack([2 * error / len(X) @ head.T for error, head in zip(errors, heads, strict=True)])
        signed = (back * np.sign(features)).sum(1)
        draw = tf.random.stateless_uniform([2], [3, step]).numpy()
        positive = (1 + signed.sum(0) / np.abs(signed).sum(0)) / 2 > draw
        kept = 0.2 + 0.8 * np.where(positive, signed > 0, signed < 0)
        kernel = kernel - 0.05 * X.T @ (back * kept[:, None]).sum(0)
        heads = [head - 0.05 * one for head, one in zip(heads, own, strict=True)]
    options = {"method": "graddrop", "scope": "features", "leak": 0.2, "seed": 3}
    check(model_of(options), kernel, heads, np.ones((STEPS, 2)))


def test_nash_mtl_weighs_the_heads_if_told_to():
    kernel, heads = start()
    model = model_of({"method": "nash_mtl", "heads": "weighted"})
    logs = model.train_on_batch(X, LABELS, return_dict=True)
    _, shared, own = losses_and_gradients(kernel, heads)
    weights = [float(logs["weight/a"]), float(logs["weight/b"])]
    gradients = shared.reshape(2, -1)
    bargain = weights * (gradients @ (weights @ gradients))
    np.testing.assert_allclose(bargain, np.linalg.norm(gradients @ gradients.T), rtol=1e-4)
    for variable, head, one, weight in zip(model.trainable_variables[1:], heads, own, weights, strict=True):
        np.testing.assert_allclose(variable, head - 0.05 * weight * one, atol=2e-6)


def test_graddrop_leaves_agreeing_gradients_and_drops_fairly():
    same = tf.constant([[1.0, -2.0]] * 3)
    np.testing.assert_allclose(keep_one_sign(same, tf.constant([0.999, 0.001])), [3.0, -6.0])
    kept = keep_one_sign(
        tf.constant(np.tile([[3.0], [-1.0]], 20000)), tf.constant(np.random.default_rng(0).uniform(size=20000))
    )
    assert float(tf.reduce_mean(tf.cast(kept > 0, tf.float32))) == pytest.approx(0.75, abs=0.01)  # (1 + 2 / 4) / 2


def test_graddrop_draws_anew_in_every_step_and_for_every_seed():
    moves = {}
    for seed in (0, 1):
        model = model_of({"method": "graddrop", "seed": seed}, rate=1e-4)
        for step in range(20):
            before = np.asarray(model.trainable_variables[0])
            model.train_on_batch(X, LABELS)
            moves[seed, step] = (before - np.asarray(model.trainable_variables[0])).round(6).tobytes()
    assert len(set(moves.values())) > 20
