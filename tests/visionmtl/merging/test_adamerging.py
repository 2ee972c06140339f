"""AdaMerging's coefficients, against Adam on the entropy in float64, written from the paper."""

import numpy as np

from visionmtl.merging import adamerging


def entropy_in_words(coefficients, start, vectors, pictures):
    """The sum of the mean entropies of two softmax layers behind a shared one, whose weights are merged."""
    inner, outer = (
        at + sum(c * vector[place] for c, vector in zip(coefficients[:, place], vectors, strict=True))
        for place, at in enumerate(start)
    )
    total = 0.0
    for head in range(2):
        logits = np.tanh(pictures @ inner) @ outer[head]
        p = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
        total += -(p * np.log(p)).sum(-1).mean()
    return total


def test_adamerging_is_adam_on_the_entropy_by_coefficients_within_one():
    """By the chain rule from the gradient by the weights, against differences of the entropy by each coefficient."""
    random, shapes = np.random.default_rng(0), ((4, 3), (2, 3, 5))
    start, *vectors = ([random.normal(size=shape) for shape in shapes] for _ in range(4))
    pictures, steps = random.normal(size=(6, 4)), 30

    def differences(function, at, by):
        slope = np.zeros_like(at)
        for place in np.ndindex(at.shape):
            up, down = at.copy(), at.copy()
            up[place], down[place] = at[place] + by, at[place] - by
            slope[place] = (function(up) - function(down)) / (2 * by)
        return slope

    def slopes(added):
        weights = [at + more for at, more in zip(start, added, strict=True)]
        none = np.zeros((1, 2))

        def changed(place, value):
            return [value if place == index else weight for index, weight in enumerate(weights)]

        return [
            differences(lambda w, i=i: entropy_in_words(none, changed(i, w), [start], pictures), weights[i], 1e-5)
            for i in range(2)
        ]

    def entropy(raw):
        return entropy_in_words(np.clip(raw, 0, 1), start, vectors, pictures)

    raw, mean, square = np.full((3, 2), 0.3), 0.0, 0.0
    for step in range(1, steps + 1):
        gradient = differences(entropy, raw, 1e-5)
        mean, square = 0.9 * mean + 0.1 * gradient, 0.999 * square + 0.001 * gradient**2
        raw = raw - 1e-3 * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.999**step)) + 1e-8)
    found = adamerging.learnt(vectors, slopes, steps)
    np.testing.assert_allclose(found, raw, atol=1e-6)
    assert entropy(found) < entropy(np.full((3, 2), 0.3))


def test_a_coefficient_stays_within_nought_and_one():
    up = [[np.array([-1.0])], [np.array([1.0])]]
    found = adamerging.learnt(up, lambda added: [np.array([1.0])], steps=800)
    np.testing.assert_allclose(found, [[1.0], [0.0]], atol=2e-3)
    assert found.min() >= 0
    assert found.max() <= 1
