"""Intervals of few seeds hold what they say."""

import numpy as np
import pytest
from scipy import stats

from visionmtl.comparison.verdicts import intervals
from visionmtl.comparison.verdicts.intervals import Interval, ends, expanded, hull, interval, resampled, seeds_to_show

DRAWN = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.exponential(size=shape) - 1,
}
# seeds: of the plain percentile bootstrap and of the interval shown, normal and skewed
COVERED = {3: (0.748, 0.951, 0.696, 0.883), 5: (0.837, 0.952, 0.786, 0.886), 10: (0.903, 0.955, 0.865, 0.911)}


def covered(low: np.ndarray, high: np.ndarray) -> float:
    """Return how many of some intervals hold 0."""
    return float(((low <= 0) & (high >= 0)).mean())


@pytest.mark.parametrize("count", COVERED)
def test_a_percentile_bootstrap_misses_its_95_percent_and_the_interval_shown_holds_it(count):
    found = []
    for draw in DRAWN.values():
        values = draw(np.random.default_rng(0), (3000, count))
        means = resampled(values, times=500)
        found.append(covered(*np.quantile(means, ends(0.95), axis=-1)))
        low, high = intervals.student(values)
        lower, higher = np.quantile(means, ends(expanded(count)), axis=-1)
        found.append(covered(np.minimum(low, lower), np.maximum(high, higher)))
    assert found == pytest.approx(COVERED[count], abs=0.02)


def test_the_interval_is_the_hull_of_students_t_and_the_expanded_percentile():
    values = np.random.default_rng(1).exponential(size=(20, 6))
    low, high = hull(values)
    t_low, t_high = intervals.student(values)
    assert (low <= t_low).all()
    assert (high >= t_high).all()
    assert (high > t_high).any()  # skewed values: there the bootstrap reaches further
    assert expanded(6) == pytest.approx(1 - 2 * stats.norm.cdf(-np.sqrt(6 / 5) * stats.t.ppf(0.975, 5)))


def test_an_interval_is_that_of_scipys_paired_test():
    alone, joint = np.array([0.50, 0.53, 0.49]), np.array([0.55, 0.56, 0.57])
    found = interval(joint - alone)
    test = stats.ttest_rel(joint, alone)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(test.confidence_interval(0.95)))
    assert found.error == pytest.approx(stats.sem(joint - alone))
    assert (found.percentile_low, found.percentile_high) == pytest.approx((0.03, 0.08))
    assert found == interval(joint - alone)


def test_one_seed_or_seeds_that_are_the_same_have_no_interval():
    assert interval(np.array([0.2])).mean == 0.2
    assert np.isnan(interval(np.array([0.2])).error)
    assert np.isnan(interval(np.array([0.1, 0.1, 0.1])).low)
    assert interval(np.array([0.1, 0.1])).shown == 0


def test_values_that_are_all_alike_are_resampled_without_a_word_of_another_interval(recwarn):
    assert (resampled(np.array([[0.5, 0.5, 0.5], [0.1, 0.2, 0.3]]))[0] == 0.5).all()
    assert not recwarn.list


@pytest.mark.parametrize(
    ("mean", "error", "seeds"), [(0.05, 0.02, 3), (0.01, 0.01, 3), (0.2, 0.01, 3), (-0.05, 0.03, 4)]
)
def test_seeds_to_show_are_the_fewest_whose_interval_would_exclude_0(mean, error, seeds):
    found = Interval(mean, seeds, error, low=-1, high=1)
    deviation = error * np.sqrt(seeds)
    enough = [n for n in range(seeds + 1, 1001) if stats.t.ppf(0.975, n - 1) * deviation / np.sqrt(n) < abs(mean)]
    assert seeds_to_show(found) == enough[0]


def test_a_difference_of_next_to_nothing_takes_more_than_a_thousand_seeds():
    assert seeds_to_show(Interval(0.0001, 3, 0.02, low=-1, high=1)) is None
    assert seeds_to_show(Interval(0.0, 3, 0.02, low=-1, high=1)) is None


def test_holm_adjusts_the_smallest_most_and_passes_over_what_is_not_known():
    assert intervals.holm(np.array([0.02, np.nan, 0.5, 0.01, 0.9])) == pytest.approx(
        [0.06, np.nan, 1, 0.04, 1], nan_ok=True
    )
    assert intervals.holm(np.array([])).size == 0


@pytest.mark.filterwarnings("error")
def test_students_interval_of_seeds_that_are_the_same_is_not_known_and_nothing_warns():
    low, high = intervals.student(np.array([[0.0, 0.0, 0.0], [0.1, 0.2, 0.3]]))
    assert np.isnan([low[0], high[0]]).all()
    assert low[1] < 0.2 < high[1]
