"""A comparison as a table for LaTeX, in the manner of the package booktabs."""

import math

from visionmtl.comparison.verdicts.columns import mean_and_error, ratio
from visionmtl.comparison.verdicts.counted import main_metrics
from visionmtl.comparison.verdicts.intervals import LEVEL
from visionmtl.comparison.verdicts.judging import Judged, Judgement, beats_all, delta_by_seed

SPECIAL = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
SPECIAL |= {"<": r"\textless{}", ">": r"\textgreater{}", "|": r"\textbar{}"}
SPECIAL |= {letter: f"\\{letter}" for letter in "&%$#_{}"}
UP, DOWN = r"$\uparrow$", r"$\downarrow$"


def text(judgement: Judgement) -> str:
    """Return the table; a value is bold where its arm is better than every other, each paired by seed at 95%."""
    comparison = judgement.comparison
    mains = list(main_metrics(comparison, judgement.enters))
    arms = [judged.arm for judged in judgement.arms]
    best = {
        (task, name): beats_all({arm.name: arm.values(task, name) for arm in arms}, name in comparison.lower)
        for task, name in mains
    }
    totals = {arm.name: delta_by_seed(comparison, judgement.enters, arm) for arm in comparison.joint}
    none = {arm.name: dict.fromkeys(arm.seeds, 0.0) for arm in arms if arm.alone}  # over itself
    highest = beats_all(totals | none)

    def row(judged: Judged) -> str:
        arm = judged.arm
        cells = [escaped(arm.name + comparison.unfinished(arm))]
        for task, name in mains:
            cells.append(_value(*mean_and_error(arm, task, name), bold=best[task, name] == arm.name))
        cells.append("" if arm.alone else _gain(judged, bold=highest == arm.name))
        parameters = arm.cost("parameters") / 1e6
        return _line([*cells, ratio(arm, judgement), "--" if math.isnan(parameters) else f"{parameters:.2f}"])

    tasks = [escaped(task) for task, _ in mains]
    arrows = [f"{escaped(name)} {DOWN if name in comparison.lower else UP}" for _, name in mains]
    caption = (
        f"{comparison.recipe}: {comparison.split} split, means over {len(comparison.seeds)} seeds and standard errors; "
        f"delta-m over single-task models, paired by seed, with its {LEVEL:.0%} interval. Bold: better than each other "
        f"row at {LEVEL:.0%}, paired by seed."
    )
    return "\n".join(
        [
            r"% needs \usepackage{booktabs}",
            r"\begin{table}",
            r"  \centering",
            rf"  \caption{{{escaped(caption)}}}",
            rf"  \begin{{tabular}}{{l{'c' * len(mains)}crr}}",
            r"    \toprule",
            "    " + _line(["", *tasks, "", "", ""]),
            "    " + _line(["", *arrows, r"$\Delta_m$ (\%) $\uparrow$", "step", "params (M)"]),
            r"    \midrule",
            *("    " + row(judged) for judged in judgement.arms),
            r"    \bottomrule",
            r"  \end{tabular}",
            r"\end{table}",
            "",
        ]
    )


def escaped(words: str) -> str:
    """Return a text as LaTeX prints it.

    Example:
        >>> print(escaped("cross_stitch, 5%"))
        cross\\_stitch, 5\\%
    """
    return "".join(SPECIAL.get(letter, letter) for letter in words)


def _value(mean: float, error: float, bold: bool) -> str:
    if math.isnan(mean):
        return "--"
    value = rf"\mathbf{{{mean:.3f}}}" if bold else f"{mean:.3f}"
    return f"${value}$" if math.isnan(error) else rf"${value} \pm {error:.3f}$"


def _gain(judged: Judged, bold: bool) -> str:
    if judged.delta_m is None:
        return "--"
    found = judged.delta_m.found
    value = f"{100 * found.mean:+.1f}"
    ends = "" if math.isnan(found.low) else rf"\ [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return rf"$\mathbf{{{value}}}{ends}$" if bold else f"${value}{ends}$"


def _line(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"
