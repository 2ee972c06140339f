"""What a comparison shows of each arm: gains over the baseline, delta-m, and a verdict of each, paired by seed."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from visionmtl.comparison.delta_m import delta_m, gains
from visionmtl.comparison.verdicts.counted import Counted, counted
from visionmtl.comparison.verdicts.intervals import LEVEL, Interval, holm, interval
from visionmtl.comparison.verdicts.reading import Arm, Comparison

TUNED = "tuned fixed weights"  # what the arm is called whose weights the search chose, alone or among its settings
BySeed = Mapping[int, float]


class Finding(NamedTuple):
    """What was found of one difference.

    Attributes:
        found: its mean over paired seeds, and intervals.
        holm: its p value, adjusted for all findings of the comparison; NaN of one seed.
    """

    found: Interval
    holm: float = np.nan

    @property
    def verdict(self) -> str:
        """ "better", "worse", "none", or "unknown" where there is no interval."""
        if np.isnan(self.found.low):
            return "unknown"
        return {1: "better", -1: "worse", 0: "none"}[self.found.shown]


class Judged(NamedTuple):
    """All that was found of an arm.

    Attributes:
        number: its place among all, from 1.
        arm: itself.
        gains: by task, over the baseline; a task whose gain no seed tells is not there.
        delta_m: over the baseline; None where it is not known.
        rival: the tuned fixed weights it is held against; None where there are none.
        over_rival: its delta-m less that of the rival.
        told: sentences on seeds that do not enter.
    """

    number: int
    arm: Arm
    gains: dict[str, Finding]
    delta_m: Finding | None
    rival: str | None
    over_rival: Finding | None
    told: list[str]


class Judgement(NamedTuple):
    """All that was found.

    Attributes:
        comparison: of what.
        enters: the metrics that count.
        arms: the baseline first.
        why_not: why there is no delta-m; empty where there is.
    """

    comparison: Comparison
    enters: Counted
    arms: list[Judged]
    why_not: str

    @property
    def findings(self) -> list[Finding]:
        """All with a verdict."""
        return [finding for judged in self.arms for finding in _findings(judged) if finding.verdict != "unknown"]

    @property
    def by_chance(self) -> float:
        """How many verdicts "better" or "worse" are to be expected where nothing differs at all."""
        return (1 - LEVEL) * len(self.findings)


def judge(comparison: Comparison) -> Judgement:
    """Return what a comparison shows."""
    enters = counted(comparison)
    baseline = comparison.baseline
    tuned = [arm for arm in comparison.joint if is_tuned(arm)]
    totals = {arm.name: delta_by_seed(comparison, enters, arm) for arm in comparison.joint}
    arms = []
    for number, arm in enumerate(comparison.ordered, 1):
        if arm is baseline:
            arms.append(Judged(number, arm, {}, None, None, None, []))
            continue
        by_task, told = gains_by_seed(comparison, enters, arm)
        rival = None if is_tuned(arm) else rival_of(arm, tuned)
        over = _less(totals[arm.name], totals[rival.name]) if rival else {}
        arms.append(
            Judged(
                number,
                arm,
                {task: Finding(interval(_array(found))) for task, found in by_task.items() if found},
                Finding(interval(_array(totals[arm.name]))) if totals[arm.name] else None,
                rival.name if rival else None,
                Finding(interval(_array(over))) if over else None,
                told,
            )
        )
    return Judgement(comparison, enters, _adjusted(arms), _why_not(comparison, enters))


def gains_by_seed(comparison: Comparison, enters: Counted, arm: Arm) -> tuple[dict[str, dict[int, float]], list[str]]:
    """Return the gain of each task at each seed that the baseline has too, and sentences on seeds that do not enter."""
    baseline = comparison.baseline
    if baseline is None or not enters.metrics:
        return {}, []
    told = []
    if alone := sorted(arm.seeds.keys() - baseline.seeds.keys()):
        lacks = f"not all single-task models are trained at {_them(alone)}"
        told.append(f"{_seeds(alone)} of '{arm.name}' left out: {lacks}.")
    found: dict[str, dict[int, float]] = {}
    for task, names in enters.metrics.items():
        found[task], unknown = {}, []
        for seed in sorted(arm.seeds.keys() & baseline.seeds.keys()):
            values, single = ({task: _known(of.seeds[seed].metrics.get(task, {}), names)} for of in (arm, baseline))
            if len(values[task]) < len(names):
                unknown.append(seed)
            else:
                found[task][seed] = gains(values, single, comparison.lower)[task]
        if unknown:
            told.append(
                f"{_seeds(unknown)} of '{arm.name}' left out of {task} and of delta-m: "
                f"not all of {', '.join(names)} is known."
            )
    return found, told


def delta_by_seed(comparison: Comparison, enters: Counted, arm: Arm) -> dict[int, float]:
    """Return delta-m at each seed at which the gain of every task is known."""
    by_task, _ = gains_by_seed(comparison, enters, arm)
    baseline = comparison.baseline
    if baseline is None or not by_task:
        return {}
    whole = set.intersection(*(set(found) for found in by_task.values()))

    def chosen(of: Arm, seed: int) -> dict[str, dict[str, float]]:
        return {task: _known(of.seeds[seed].metrics[task], names) for task, names in enters.metrics.items()}

    return {seed: delta_m(chosen(arm, seed), chosen(baseline, seed), comparison.lower) for seed in sorted(whole)}


def is_tuned(arm: Arm) -> bool:
    """Return whether an arm is that of tuned fixed weights, what a method must beat."""
    return TUNED in arm.name


def rival_of(arm: Arm, tuned: list[Arm]) -> Arm | None:
    """Return the tuned fixed weights that an arm is held against: those most like it in all but the balancing."""

    def alike(other: Arm) -> int:
        keys = {key for key in {*arm.changes, *other.changes} if not key.startswith("balancing")}
        return sum(arm.changes.get(key) == other.changes.get(key) for key in keys)

    return max(tuned, key=alike, default=None)


def beats_all(by_arm: Mapping[str, BySeed], lower: bool = False) -> str | None:
    """Return the arm that is better than every other, each paired by seed and by its interval; None if none is.

    Args:
        by_arm: values by seed, of each arm.
        lower: whether less is better.
    """
    sign = -1 if lower else 1
    known = {name: values for name, values in by_arm.items() if values}
    if len(known) < 2:
        return None
    best = max(known, key=lambda name: sign * float(np.mean(list(known[name].values()))))
    differences = [_array(_less(known[best], values)) for name, values in known.items() if name != best]
    shown = all(len(values) > 1 and sign * interval(values).shown > 0 for values in differences)
    return best if shown else None


def _adjusted(arms: list[Judged]) -> list[Judged]:
    """Return the same with the p value of every finding adjusted for all of them."""
    adjusted = iter(holm(np.array([finding.found.p for judged in arms for finding in _findings(judged)])))

    def with_p(finding: Finding | None) -> Finding | None:
        return finding and finding._replace(holm=float(next(adjusted)))

    return [
        judged._replace(
            gains={task: finding._replace(holm=float(next(adjusted))) for task, finding in judged.gains.items()},
            delta_m=with_p(judged.delta_m),
            over_rival=with_p(judged.over_rival),
        )
        for judged in arms
    ]


def _findings(judged: Judged) -> list[Finding]:
    return [*judged.gains.values(), *(each for each in (judged.delta_m, judged.over_rival) if each is not None)]


def _why_not(comparison: Comparison, enters: Counted) -> str:
    """Return why no arm has a delta-m."""
    if comparison.baseline is None:
        return "There is no delta-m: no arm is that of single-task models, over which it would be a gain."
    if not comparison.baseline.seeds:
        return "There is no delta-m yet: no seed of the single-task models is trained."
    return "" if enters.metrics else "There is no delta-m: no metric of any task can enter it."


def _less(values: BySeed, others: BySeed) -> dict[int, float]:
    """Return the differences at the seeds that both have."""
    return {seed: values[seed] - others[seed] for seed in values if seed in others}


def _array(by_seed: BySeed) -> np.ndarray:
    return np.array(list(by_seed.values()), np.float64)


def _known(values: Mapping[str, float | None], names: list[str]) -> dict[str, float]:
    return {name: value for name in names if (value := values.get(name)) is not None}


def _seeds(seeds: list[int]) -> str:
    return f"Seed{'s' * (len(seeds) > 1)} {', '.join(map(str, seeds))}"


def _them(seeds: list[int]) -> str:
    return "them" if len(seeds) > 1 else "it"
