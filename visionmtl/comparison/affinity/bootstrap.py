"""Intervals of what is measured step by step in a few trainings: steps near each other are alike, and seeds differ.

How many of 100 intervals hold the mean, of looks at one training that are correlated by 0, 0.3 or 0.6 from each to the
next, by simulation (1,500 series each; and, of fewer, in `test_affinity_scores.py`):

    looks                              8              20              80
    percentiles of blocks drawn  83  77  57      84  81  72      92  90  86
    the same, expanded           97  94  83      98  96  92      96  95  93

Percentiles alone say of many a pair that it helps or hinders which does neither: few blocks, drawn anew, lie too near
each other.
"""

from collections.abc import Sequence

import numpy as np
from scipy import stats

from visionmtl.comparison.affinity.scores import Interval
from visionmtl.comparison.verdicts.intervals import hull

DRAWS = 1000
LEVEL = (2.5, 97.5)  # percentiles


def blocks(count: int) -> int:
    """Return the length of a block of so many looks; twice the cube root, as of dependent data, at most a third."""
    return max(1, min(round(2 * count ** (1 / 3)), count // 3))


def over_steps(seeds: Sequence[np.ndarray], draws: int = DRAWS, seed: int = 0) -> Interval:
    """Return the mean over steps and seeds, with its 95% interval.

    Whole blocks of neighbouring steps are drawn with replacement (moving blocks, wrapped around at the end), after the
    seeds themselves where there are several; their percentiles are expanded for how few blocks there are. Of several
    seeds the interval also holds Student's of the seeds' means, as few seeds lie too near each other too. What is not
    finite does not count; where nothing is left, all is NaN, and an interval is NaN where a single look is.

    Args:
        seeds: of each seed, `[S, ...]`, S looks at one training.
        draws: how many times.
        seed: of the draws.

    Reference: Kuensch 1989, The Jackknife and the Bootstrap for General Stationary Observations; Hesterberg 2015, What
    teachers should know about the bootstrap, table 4 (expanded percentiles).
    """
    seeds = [np.asarray(values, np.float64) for values in seeds if len(values)]
    shape = seeds[0].shape[1:]
    random = np.random.default_rng(seed)
    sums, counts = [], []
    for values in seeds:  # how often each look is drawn, times what it measured
        flat = values.reshape(len(values), -1)
        times = _times(len(flat), draws, random)
        sums.append(times @ _known(flat))
        counts.append(times @ np.isfinite(flat))
    chosen = random.integers(0, len(seeds), (draws, len(seeds)))
    total, count = np.zeros_like(sums[0]), np.zeros_like(counts[0], dtype=float)
    for column in chosen.T:
        total += np.choose(column[:, None], sums) if len(seeds) > 1 else sums[0]
        count += np.choose(column[:, None], counts) if len(seeds) > 1 else counts[0]
    drawn = np.divide(total, count, out=np.full(total.shape, np.nan), where=count > 0)
    together = np.concatenate([values.reshape(len(values), -1) for values in seeds])
    known = np.isfinite(together).sum(axis=0)
    mean = _mean(together)
    means = np.array([_mean(values) for values in seeds])
    drawn_blocks = sum(-(-len(values) // blocks(len(values))) for values in seeds) * known / len(together)
    return widened(_expanded(_interval(mean, drawn, known, shape), drawn_blocks.reshape(shape)), means)


def _expanded(interval: Interval, count: np.ndarray) -> Interval:
    """Return percentiles of so many blocks, drawn anew, as far from the mean as those of Student's t would be."""
    count = np.maximum(count, 2.0)
    factor = np.sqrt(count / (count - 1)) * stats.t.ppf(LEVEL[1] / 100, count - 1) / stats.norm.ppf(LEVEL[1] / 100)
    low, high = (interval.mean + factor * (end - interval.mean) for end in (interval.low, interval.high))
    return Interval(interval.mean, low, high)


def widened(interval: Interval, means: np.ndarray) -> Interval:
    """Return an interval that also holds that of the means of several seeds, `[N, ...]`, where all are known."""
    if len(means) < 2:
        return interval
    low, high = hull(np.moveaxis(means, 0, -1))
    known = np.isfinite(means).all(axis=0)
    return Interval(
        interval.mean,
        np.where(known, np.fmin(interval.low, low), interval.low),
        np.where(known, np.fmax(interval.high, high), interval.high),
    )


def _known(values: np.ndarray) -> np.ndarray:
    """Return values with 0 in place of what is not finite."""
    return np.where(np.isfinite(values), values, 0.0)


def _mean(values: np.ndarray) -> np.ndarray:
    """Return the mean over the first axis of what is known; NaN where nothing is."""
    known = np.isfinite(values).sum(axis=0)
    total = _known(values).sum(axis=0)
    return np.divide(total, known, out=np.full(np.shape(total), np.nan), where=known > 0)


def _times(count: int, draws: int, random: np.random.Generator) -> np.ndarray:
    """Return how often each of `count` steps is in each draw, `[draws, count]`."""
    length = blocks(count)
    starts = random.integers(0, count, (draws, -(-count // length)))
    steps = (starts[:, :, None] + np.arange(length)) % count
    steps = steps.reshape(draws, -1)[:, :count]
    times = np.zeros((draws, count))
    np.add.at(times, (np.arange(draws)[:, None], steps), 1.0)
    return times


def _interval(mean: np.ndarray, drawn: np.ndarray, known: np.ndarray, shape: tuple[int, ...]) -> Interval:
    """Return a mean with percentiles of its draws, in a shape; of one look there is no interval."""
    low, high = (np.full(mean.shape, np.nan) for _ in range(2))
    several = known > 1
    if several.any():
        low[several], high[several] = np.nanpercentile(drawn[:, several], LEVEL, axis=0)
    return Interval(mean.reshape(shape), low.reshape(shape), high.reshape(shape))


def of_draws(mean: np.ndarray, drawn: np.ndarray) -> Interval:
    """Return a figure with percentiles of its draws, `[draws, ...]`; NaN where no draw is a number."""
    flat = drawn.reshape(len(drawn), -1)
    return _interval(mean.ravel(), flat, np.isfinite(flat).sum(axis=0), mean.shape)
