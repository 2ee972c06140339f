"""Groups dealt to splits: whole, none empty, and as alike as can be."""

from itertools import product

import numpy as np
import pytest

from pipelines.groups.stratifying import assign

FRACTIONS = np.array([0.8, 0.1, 0.1])


def deviation(owner, groups, counts):
    """What `assign` makes small, by its definition."""
    columns = np.concatenate([np.ones((len(groups), 1)), counts[:, counts.sum(axis=0) > 0]], axis=1)
    weights = np.array([max(1, columns.shape[1] - 1), *[1] * (columns.shape[1] - 1)])
    total = 0.0
    for split, fraction in enumerate(FRACTIONS):
        own = columns[owner[groups] == split].sum(axis=0) / columns.sum(axis=0)
        total += (weights * (own - fraction) ** 2).sum() / fraction
    return total


@pytest.mark.parametrize("seed", range(6))
def test_of_few_groups_no_division_is_better(seed):
    random = np.random.default_rng(seed)
    groups = np.concatenate([np.arange(7), random.integers(0, 7, 30)])
    counts = random.poisson(random.gamma(1, 1, 4), (len(groups), 4)).astype(float)
    every = (np.array(owner) for owner in product(range(3), repeat=7) if len(set(owner)) == 3)
    best = min(deviation(owner, groups, counts) for owner in every)
    assert deviation(assign(groups, counts, FRACTIONS, seed), groups, counts) == pytest.approx(best)


def test_many_images_have_their_fractions_in_every_class():
    random = np.random.default_rng(0)
    counts = (random.random((3000, 5)) < [0.5, 0.2, 0.1, 0.05, 0.02]).astype(float)
    owner = assign(np.arange(3000), counts, FRACTIONS)
    for split, fraction in enumerate(FRACTIONS):
        assert (owner == split).mean() == pytest.approx(fraction, abs=0.002)
        np.testing.assert_allclose(counts[owner == split].sum(axis=0) / counts.sum(axis=0), fraction, atol=0.02)


def test_no_split_is_left_empty_however_large_a_group_is():
    groups = np.array([0] * 1000 + [1, 2])
    owner = assign(groups, np.zeros((len(groups), 2)), FRACTIONS)
    assert owner.tolist() in ([0, 1, 2], [0, 2, 1])
    with pytest.raises(ValueError, match="2 groups are fewer than 3 splits"):
        assign(np.array([0, 1]), np.zeros((2, 1)), FRACTIONS)


def test_the_same_seed_divides_alike():
    groups, counts = np.arange(60), np.ones((60, 1))
    one, same, other = (assign(groups, counts, FRACTIONS, seed).tolist() for seed in (1, 1, 2))
    assert one == same != other
