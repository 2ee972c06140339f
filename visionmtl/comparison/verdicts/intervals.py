"""The mean of few paired differences, and an interval that holds what it says of them.

How often each interval covers the true mean that says it does in 95 of 100, of normal differences and of very skewed
ones (exponential), by simulation of 40,000 (and, of fewer, in `tests/visionmtl/comparison/test_intervals.py`):

    seeds                           3         5        10
    plain percentile bootstrap  75%  70%  84%  79%  90%  86%
    expanded percentile         75%  70%  92%  87%  95%  91%
    Student's t                 95%  88%  95%  88%  95%  90%
    the hull of the last two    95%  88%  95%  89%  95%  91%

With three seeds no resampling leaves the range of the three, which misses the mean in one of four: by luck alone all
three lie on one side of it. So what is shown is the hull of Student's t and the expanded percentile interval; the plain
percentile interval is in the CSV beside it.

References: Efron 1979, Bootstrap methods: another look at the jackknife (percentile). Hesterberg 2015, What teachers
should know about the bootstrap, section 4.2 and table 4 (percentiles too narrow by sqrt((n - 1) / n) and by normal in
place of t quantiles; the expanded percentile interval). Student 1908, The probable error of a mean.
"""

import math
import warnings
from typing import NamedTuple

import numpy as np
from scipy import stats

LEVEL = 0.95
RESAMPLES = 9999
MOST_SEEDS = 1000  # further than anyone trains


class Interval(NamedTuple):
    """What N values of as many seeds say of their mean; of a single one, the mean alone.

    Attributes:
        mean: of the values.
        seeds: N.
        error: its standard error.
        low: lower end of the interval that holds its 95%.
        high: upper end.
        percentile_low: lower end of the plain percentile bootstrap, which is too narrow for few seeds.
        percentile_high: upper end.
        p: of a two-sided paired t-test that the mean is 0.
    """

    mean: float
    seeds: int
    error: float = math.nan
    low: float = math.nan
    high: float = math.nan
    percentile_low: float = math.nan
    percentile_high: float = math.nan
    p: float = math.nan

    @property
    def shown(self) -> int:
        """1 where all of the interval is above 0, -1 where it is below, 0 where it holds 0 or is not known."""
        return int(self.low > 0) - int(self.high < 0)


def interval(values: np.ndarray) -> Interval:
    """Return mean, standard error and intervals of values, float `[N]`, one a seed, N of at least 1.

    Values that are all the same say nothing of how far seeds differ: there is no interval of them either.

    Example:
        >>> found = interval(np.array([0.01, 0.03, 0.05]))
        >>> f"{found.mean:.3f} [{found.low:.3f}, {found.high:.3f}]"
        '0.030 [-0.020, 0.080]'
    """
    values = np.asarray(values, np.float64)
    count, mean = len(values), float(values.mean())
    if count < 2:
        return Interval(mean, count)
    if np.ptp(values) <= 1e-12 * np.abs(values).max():
        return Interval(mean, count, 0.0)
    low, high = hull(values)
    percentile_low, percentile_high = map(float, np.quantile(resampled(values), ends(LEVEL)))
    p = float(stats.ttest_1samp(values, 0).pvalue)
    return Interval(mean, count, float(stats.sem(values)), float(low), float(high), percentile_low, percentile_high, p)


def hull(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of the narrowest interval that holds Student's t and the expanded percentile interval.

    Args:
        values: `[..., N]`, one a seed.

    Returns:
        Lower and upper ends, `[...]`.
    """
    low, high = student(values)
    lower, higher = np.quantile(resampled(values), ends(expanded(values.shape[-1])), axis=-1)
    return np.minimum(low, lower), np.maximum(high, higher)


def student(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of Student's t interval of the mean, `[...]`, from values `[..., N]`; NaN of equal ones."""
    count = values.shape[-1]
    with np.errstate(invalid="ignore"):  # by a warning of SciPy's on the terminal nobody would know what is meant
        return stats.t.interval(LEVEL, count - 1, values.mean(-1), stats.sem(values, axis=-1))


def expanded(count: int) -> float:
    """Return the level at which a percentile interval of N values is as wide as Student's t at 95%, were they normal.

    Reference: Hesterberg 2015, section 4.2.
    """
    quantile = stats.t.ppf((1 + LEVEL) / 2, count - 1)
    return float(1 - 2 * stats.norm.cdf(-np.sqrt(count / (count - 1)) * quantile))


def ends(level: float) -> list[float]:
    """Return the two quantiles between which an interval of a level lies."""
    return [(1 - level) / 2, (1 + level) / 2]


def resampled(values: np.ndarray, times: int = RESAMPLES) -> np.ndarray:
    """Return the means of samples drawn anew from the seeds, `[..., times]`; the same whenever it is asked.

    Args:
        values: `[..., N]`.
        times: how many samples.
    """
    with warnings.catch_warnings():  # of values that are all alike: of their interval, while the samples are right
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)
        return stats.bootstrap(
            (values,), np.mean, n_resamples=times, method="percentile", vectorized=True, axis=-1, random_state=0
        ).bootstrap_distribution


def seeds_to_show(found: Interval) -> int | None:
    """Return how many seeds would show the difference seen, if they went on as these; None for more than 1000.

    It is the smallest N with t(0.975, N - 1) s / sqrt(N) below the mean, and above the seeds that have not shown it.
    """
    least = 2 if found.shown else max(2, found.seeds + 1)
    counts = np.arange(least, MOST_SEEDS + 1)
    deviation = found.error * np.sqrt(found.seeds)
    enough = stats.t.ppf((1 + LEVEL) / 2, counts - 1) * deviation / np.sqrt(counts) < abs(found.mean)
    return int(counts[enough.argmax()]) if enough.any() else None


def holm(p: np.ndarray) -> np.ndarray:
    """Return p values that hold for all of `[M]` at once; NaN stays, and is none of the M.

    Reference: Holm 1979, A simple sequentially rejective multiple test procedure.

    Example:
        >>> holm(np.array([0.01, 0.04, 0.03]))
        array([0.03, 0.06, 0.06])
    """
    adjusted = np.full(len(p), np.nan)
    order = [index for index in np.argsort(p) if not np.isnan(p[index])]
    factors = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(1, np.maximum.accumulate(factors * p[order])) if order else []
    return adjusted
