"""Verdicts in words, the same for terminal, Markdown and page."""

import math
from collections.abc import Iterable, Mapping

from visionmtl.comparison.verdicts import fairness
from visionmtl.comparison.verdicts.intervals import MOST_SEEDS, seeds_to_show
from visionmtl.comparison.verdicts.judging import Finding, Judged, Judgement

WORDS = {"better": "better", "worse": "worse", "none": "no difference", "unknown": "not known"}


def percent(value: float) -> str:
    """Return a gain as signed percent, "-" for none.

    Example:
        >>> percent(-0.0389)
        '-3.9%'
    """
    return "-" if math.isnan(value) else f"{100 * value:+.1f}%"


def with_interval(finding: Finding | None) -> str:
    """Return a gain with its interval, "-3.9% [-8.1, +0.3]"; without one, the gain alone."""
    if finding is None:
        return "-"
    found = finding.found
    ends = "" if math.isnan(found.low) else f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return f"{percent(found.mean)}{ends}"


def would_show(finding: Finding) -> str:
    """Return how many seeds would show the difference seen: "14", or "> 1000"."""
    needed = seeds_to_show(finding.found)
    return f"> {MOST_SEEDS}" if needed is None else str(needed)


def verdict(finding: Finding) -> str:
    """Return a verdict in words, as the cell of a table has it."""
    seeds = finding.found.seeds
    if finding.verdict == "unknown":
        return "one seed shows nothing" if seeds == 1 else f"{seeds} seeds that are the same show nothing"
    if finding.verdict == "none":
        return f"no difference that {seeds} seeds can show ({would_show(finding)} would)"
    return WORDS[finding.verdict]


def of_arm(judged: Judged) -> str:
    """Return what was found of an arm, in a sentence; of the baseline nothing."""
    findings = {**({"delta-m": judged.delta_m} if judged.delta_m else {}), **judged.gains}
    parts = []
    if found := [f"{name} {with_interval(each)}" for name, each in findings.items() if each.verdict == "better"]:
        parts.append(f"better in {_listed(found)}")
    if judged.delta_m is not None and judged.delta_m.verdict == "worse":
        parts.append(f"worse in delta-m {with_interval(judged.delta_m)}")
    if found := [f"{name} {with_interval(each)}" for name, each in judged.gains.items() if each.verdict == "worse"]:
        parts.append(f"worse (negative transfer) in {_listed(found)}")
    for words, names in _without(findings).items():
        parts.append(f"{words} in {_listed(names)}")
    if judged.over_rival is not None:
        parts.append(_against(judged.over_rival, str(judged.rival)))
    return "; ".join(parts)


def _without(findings: Mapping[str, Finding]) -> dict[str, list[str]]:
    """Return what was not found better or worse, by the words for it."""
    found: dict[str, list[str]] = {}
    for name, each in findings.items():
        if each.verdict == "none":
            text = f"{name} {percent(each.found.mean)} ({would_show(each)} would)"
            found.setdefault(f"no difference that {each.found.seeds} seeds can show", []).append(text)
        elif each.verdict == "unknown":
            found.setdefault(verdict(each), []).append(f"{name} {percent(each.found.mean)}")
    return found


def _against(finding: Finding, rival: str) -> str:
    """Return whether an arm beats tuned fixed weights, by points of delta-m."""
    found = finding.found
    ends = "" if math.isnan(found.low) else f" [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    by = f"{100 * found.mean:+.1f} points of delta-m{ends}"
    words = {"better": "beats", "worse": "is beaten by"}.get(finding.verdict)
    return f"{words} '{rival}': {by}" if words else f"against '{rival}' {by}, {verdict(finding)}"


def below(judgement: Judgement) -> list[str]:
    """Return what is to be known of the verdicts, below them."""
    return [*short(judgement), *notes(judgement)]


def short(judgement: Judgement) -> list[str]:
    """Return what a comparison shows as a whole, and of which split."""
    said = [overall(judgement), best(judgement), chance(judgement), *fairness.of(judgement)]
    return [sentence for sentence in said if sentence]


def legend(judgement: Judgement, errors: bool = True) -> str:
    """Return what the columns of the table are; `errors`: whether it has standard errors."""
    means = "means over seeds" + (", ± their standard errors" if errors else ", whose standard errors the CSV file has")
    first = judgement.comparison.reference
    step = f" step: its time as a ratio to that of '{first.name}'." if first else ""
    return (
        f"Metrics are {means}; delta-m is paired by seed with the single-task models, "
        f"with a 95% interval that holds for few seeds too.{step} GB: the most memory of the process, a GPU's apart."
    )


def chance(judgement: Judgement) -> str:
    """Return how many verdicts by chance are to be expected; nothing where there is none at all."""
    findings = judgement.findings
    if not findings:
        return ""
    shown = sum(finding.verdict != "none" for finding in findings)
    holds = sum(finding.holm < 0.05 for finding in findings)
    return (
        f"{shown} of {len(findings)} differences are shown at 95%, each by itself; were there none at all, "
        f"{judgement.by_chance:.1f} would be by chance. Held against all of them at once (Holm), {holds} "
        f"{'stays' if holds == 1 else 'stay'}."
    )


def overall(judgement: Judgement) -> str:
    """Return in how many arms sharing paid, did not, or cannot be told to."""
    by_verdict: dict[str, list[str]] = {}
    for judged in judgement.arms:
        if judged.delta_m is not None:
            by_verdict.setdefault(judged.delta_m.verdict, []).append(f"'{judged.arm.name}'")
    words = {
        "better": "sharing paid, by delta-m, in {}",
        "worse": "sharing cost more than it brought, in {}",
        "none": "in {} these seeds cannot tell",
        "unknown": "too few seeds to tell in {}",
    }
    parts = []
    for kind, text in words.items():
        if names := by_verdict.get(kind):
            listed = f" ({_listed(names)})" if kind in ("better", "worse") else ""
            parts.append(text.format(f"{len(names)}{listed}"))
    count = sum(map(len, by_verdict.values()))
    return f"Of {count} arm{'s' * (count > 1)}: {'; '.join(parts)}." if parts else ""


def best(judgement: Judgement) -> str:
    """Return which arm has the highest delta-m, and what that is worth."""
    known = {judged.arm.name: judged.delta_m for judged in judgement.arms if judged.delta_m is not None}
    name = max(known, key=lambda each: known[each].found.mean, default=None)
    if name is None or len(known) < 2 or known[name].verdict == "unknown":
        return ""
    return (
        f"The highest delta-m is that of '{name}', {with_interval(known[name])}; the highest of {len(known)} looks "
        "better than it is: more seeds of it will likely show less."
    )


def notes(judgement: Judgement) -> list[str]:
    """Return what does not enter, what is not finished, and why."""
    said = [judgement.why_not] if judgement.why_not else []
    said += judgement.enters.left_out
    for judged in judgement.arms:
        said += [*judged.told, *judged.arm.left_out]
        said += [f"'{judged.arm.name}' failed at seed {seed}: {why}" for seed, why in judged.arm.failed.items()]
    comparison = judgement.comparison
    unfinished = [f"'{arm.name}'{text}" for arm in comparison.ordered if (text := comparison.unfinished(arm))]
    if unfinished:
        said.append(f"Not finished: {_listed(unfinished)}.")
    if any(finding.found.seeds == 1 for judged in judgement.arms for finding in judged.gains.values()):
        said.append(
            "One seed shows nothing: two runs of one arm differ by as much as arms do. Ask for three seeds or more."
        )
    return said


def _listed(texts: Iterable[str]) -> str:
    *most, last = texts
    return f"{', '.join(most)} and {last}" if most else last
