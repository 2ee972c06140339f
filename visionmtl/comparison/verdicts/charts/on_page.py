"""What the charts of a page have in common: arms by what was found of them, and words for each."""

from collections.abc import Callable, Iterable

from visionmtl.comparison.verdicts import sentences
from visionmtl.comparison.verdicts.judging import Finding, Judged
from visionmtl.comparison.verdicts.reading import Comparison
from visionmtl.report.plots.points import Group, Point

BY_VERDICT = {
    "better": ("better", "better", "up"),
    "worse": ("worse", "worse", "down"),
    "none": ("no difference shown", "neither", "circle"),
    "unknown": ("not known: no interval", "pale", "circle"),
}  # the name of a group, its colour and mark


def by_verdict(arms: Iterable[tuple[Judged, Finding | None]], point: Callable[[Judged, Finding], Point]) -> list[Group]:
    """Return a group a verdict, of those arms that have a finding.

    Args:
        arms: each with what was found of it.
        point: makes one of both.
    """
    known = [(finding.verdict, point(judged, finding)) for judged, finding in arms if finding is not None]
    groups = [Group(*look, [of for each, of in known if each == verdict]) for verdict, look in BY_VERDICT.items()]
    return [group for group in groups if group.points]


def named(judged: Judged, comparison: Comparison) -> str:
    """Return an arm with its number, and the seeds that it lacks."""
    return f"{judged.number}  {judged.arm.name}{comparison.unfinished(judged.arm)}"


def told(judged: Judged, comparison: Comparison, *words: str) -> str:
    """Return what a reader is told who looks at an arm."""
    return f"{named(judged, comparison)}: {', '.join(words)}"


def in_words(what: str, finding: Finding) -> str:
    """Return what was found, with its interval and verdict."""
    return f"{what} {sentences.with_interval(finding)}, {sentences.verdict(finding)}"
