"""`affinity.html`: how the tasks of a recipe get on, what to train together, and how far to believe it."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visionmtl.comparison.affinity import charts, on_page, scores
from visionmtl.comparison.affinity.figures import LOOKAHEAD, SCORES
from visionmtl.comparison.affinity.record import Record
from visionmtl.comparison.affinity.verifying import LEAST
from visionmtl.files import write_text
from visionmtl.report import grids, tables, templates

Rows = Sequence[Sequence[str]]
BELIEF = (
    "Cheap scores predict poorly. A benchmark of affinity scores on Taskonomy found that they do not correlate"
    " well with what joint training brings, even of few tasks (Azorin et al. 2023, It's a Match! A Benchmark of"
    " Task Affinity Scores for Joint Learning, arXiv:2301.02873); which tasks get on changes with the data, the"
    " size of the model and the time of training (Standley et al. 2020, Which Tasks Should Be Learned Together in"
    " Multi-task Learning?, arXiv:1905.07553). A step that helps now says little of where a training ends. Trust"
    " them to find what plainly hinders, and measure the rest: visionmtl affinity --verify 0.1 trains every pair"
    " for a tenth of the budget."
)
MEANING = (
    "Look-ahead: by how many percent a step on one task's gradient alone lowers another's loss, on the same batch"
    " (Fifty et al. 2021, arXiv:2109.04617). Cosine: between the tasks' gradients by the shared parameters; near 0"
    " it is noise where few images are labelled for both. Linearised: by how many percent one task's company"
    " lowers another's loss, estimated from gradients at the trained model over subsets of the tasks (after Li et"
    " al. 2024, arXiv:2409.06091). Brackets hold 95% intervals: of one seed over steps, drawn in blocks, which"
    " says nothing of another seed; of several over the seeds too, of which two tell little. A verdict is that of"
    " the look-ahead affinity; a pair of which less than 40% of the images are labelled for both has none."
)


def write(folder: Path, found: Mapping[str, Any], records: Mapping[int, Record], checked: Rows = ()) -> Path:
    """Write the page of some figures into their folder, and return its path.

    Args:
        folder: where to.
        found: the figures.
        records: of each seed.
        checked: of planted tasks what must hold, what was found, and whether it does.
    """
    given, name = found.get("verified"), folder.resolve().name
    page = templates.filled(
        "affinity.html",
        name=f"{name}: which tasks help each other?",
        about=facts(found),
        checked=grids.grid(["planted", "found", "holds"], checked) if checked else None,
        failed=[claim for claim, _, holds in checked if holds != "yes"],
        pairs=grids.grid(charts.HEADER, charts.verdicts(found)),
        meaning=MEANING,
        belief=[BELIEF, verified(given)],
        ranks=grids.grid(RANKS, ranks(given)) if given else None,
        gains=grids.grid(GAINS, gains(given)) if given else None,
        grouped=sentence(found),
        groupings=grids.grid(["by", "a model of", "recipe"], groupings(found)),
        matrices=on_page.matrices(found),
        charts=on_page.drawn(found, records),
        commands=commands(folder, found),
    )
    path = folder / "affinity.html"
    write_text(path, page)
    return path


def facts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return what was looked at, and what it cost."""
    seeds = found["seeds"].values()
    ratio = sum(seed["ratio"] * seed["seconds"] for seed in seeds) / max(sum(seed["seconds"] for seed in seeds), 1e-9)
    broken = sum(seed["broken"] for seed in seeds)
    return [
        ("recipe", found["recipe"]),
        ("tasks", str(len(found["tasks"]))),
        ("seeds", str(len(found["seeds"]))),
        ("looks a training", str(min(len(seed["steps"]) for seed in seeds))),
        ("time, with looks", f"{ratio:.2f} times that without"),
        *([("precision", coarse(found))] if coarse(found) else []),
        *([("looks in which a loss was NaN or infinite, and does not count", str(broken))] if broken else []),
    ]


def coarse(found: Mapping[str, Any]) -> str:
    """Return what half precision makes of look-ahead affinities; nothing of a training without."""
    given = found.get("precision", "float32")
    if given == "float32":
        return ""
    return (
        f"{given}: it tells losses to two or three digits, in which what one step brings may drown; look with"
        " training.precision=float32 where intervals are wide."
    )


def groupings(found: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the table of the grouping that was written, and of those of the other scores."""
    return [
        [SCORES[name], ", ".join(group), recipe_name(found, number) if name == LOOKAHEAD else ""]
        for name, of in found["groupings"].items()
        for number, group in enumerate(of["groups"], 1)
    ]


def recipe_name(found: Mapping[str, Any], number: int) -> str:
    """Return what a group is called: its recipe's file, where there are recipes."""
    return f"group-{number}.yaml" if found["recipes"] else f"group {number}"


def sentence(found: Mapping[str, Any]) -> str:
    """Return how the grouping was found."""
    of, count = found["groupings"][LOOKAHEAD], len(found["groupings"][LOOKAHEAD]["groups"])
    if not of["known"]:
        return "Nothing is known of any pair, and so of no division: the tasks stay in one model, as they were."
    how = (
        "every division of the tasks was looked at"
        if of["exact"]
        else "of more than ten tasks the tree is cut, and another division may bring more"
    )
    at_most = f"At most {of['models']} models" if of["models"] > 1 else "One model"
    unknown = of["pairs"] - of["known"]
    which = f", as of {unknown} of {of['pairs']} pairs" if unknown else ""
    fewer = f" {count} models bring" if count > 1 else " One model brings"
    clear = any(pair["verdict"] in scores.CLEAR for pair in found["pairs"])
    chance = "" if clear else " No pair is clearly helped or hindered: this division may be chance."
    return (
        f"{at_most}, each task in one: {how}. A group's worth is, for each of its tasks, the mean of what the others"
        f" bring it; a task alone has 0, and so has what is not known{which}."
        f"{'' if count == of['models'] else f'{fewer} the most.'}{chance}"
    )


def verified(given: Mapping[str, Any] | None) -> str:
    """Return how it was measured what training the pairs brought, and what is not known of it."""
    if not given:
        return "Whether the scores above hold here was not measured."
    return (
        f"Here every pair and every task alone was trained for {100 * given['fraction']:g}% of the budget, once, so"
        " that a gain has no interval and one of a few percent may be chance. The rank"
        " correlation of each score with the gain of the second task by the first one's company, over both directions"
        " of all pairs, with the 95% interval over pairs, of six or more (1 ranks them alike, 0 says nothing)."
        f"{''.join(f' {each}' for each in missing(given))}"
    )


RANKS = ["score", "Spearman", "Kendall"]
GAINS = ["pair", "gain of the first, %", "gain of the second, %"]


def gains(given: Mapping[str, Any]) -> list[list[Any]]:
    """Return the rows of the table of what pairs gained."""
    return [
        [", ".join(pair["tasks"]), *(None if gain is None else 100 * gain for gain in pair["gains"])]
        for pair in given["pairs"]
    ]


def missing(given: Mapping[str, Any]) -> list[str]:
    """Return sentences of what is not known of the gains, or is not measured alike."""
    said, directions = [], [gain for pair in given["pairs"] for gain in pair["gains"]]
    if unknown := directions.count(None):
        said.append(
            f"{unknown} of {len(directions)} gains are not known: every metric of the task alone is 0, or was not"
            " measured."
        )
    if len(directions) - unknown < LEAST:
        said.append(f"Of fewer than {LEAST} gains there is nothing to rank.")
    if fewer := given.get("fewer"):
        said.append(f"Trained for fewer steps, as their sources have fewer pictures: {'; '.join(fewer)}.")
    return said


def ranks(given: Mapping[str, Any]) -> list[list[str]]:
    """Return the rows of the table of rank correlations."""
    kinds = ("spearman", "kendall")
    return [[SCORES[name], *(correlation(of[kind]) for kind in kinds)] for name, of in given["ranks"].items()]


def correlation(of: Mapping[str, float | None]) -> str:
    """Return a correlation with its interval."""
    if of["value"] is None:
        return "-"
    if of["low"] is None or of["high"] is None:
        return f"{of['value']:+.2f}"
    return f"{of['value']:+.2f} [{of['low']:+.2f}, {of['high']:+.2f}]"


def commands(folder: Path, found: Mapping[str, Any]) -> str:
    """Return the commands that made this, and that go on from it."""
    again = f"# Make it again\n{found['command']}"
    if not found["recipes"]:
        return again
    groups = range(1, len(found["groupings"][LOOKAHEAD]["groups"]) + 1)
    train = "\n".join(f"visionmtl train {shlex.quote(str(folder / f'group-{number}.yaml'))}" for number in groups)
    return f"{again}\n\n# Train the groups\n{train}"


def terminal(found: Mapping[str, Any]) -> str:
    """Return what is printed in the end."""
    lines = [tables.table(charts.HEADER, charts.verdicts(found)), "", sentence(found)]
    for number, group in enumerate(found["groupings"][LOOKAHEAD]["groups"], 1):
        lines.append(f"  {recipe_name(found, number)}: {', '.join(group)}")
    if coarse(found):
        lines += ["", f"Precision {coarse(found)}"]
    if given := found.get("verified"):
        lines += ["", f"Gains of pairs trained for {100 * given['fraction']:g}% of the budget:"]
        lines += [tables.table(GAINS, gains(given)), "", "Rank correlation with the gains:"]
        lines += [tables.table(RANKS, ranks(given)), *missing(given)]
    return "\n".join(lines)
