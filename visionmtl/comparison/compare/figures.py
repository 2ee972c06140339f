"""`comparison.json`: what has come of a comparison so far.

Beside what the design of a comparison has (recipe, split, budget, seeds, searched, lower, commands, tasks, arms), an
arm has `failed`, `{"0": sentence}`, of the seeds that could not be trained; `left_out`, a sentence for each key of the
recipe that it has no place for; a seed has `cores`, those of its processes; and where another split was measured in the
end, a seed has `validation` too: its metrics there, by which it was chosen.
"""

import json
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from visionmtl import known_by
from visionmtl.comparison.compare.arms import Arm
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.planning import Known, Outlook
from visionmtl.comparison.compare.surveying import Survey
from visionmtl.files import write_text
from visionmtl.recipe import Recipe


def write(
    folder: Path,
    recipe: Recipe,
    asked: Asked,
    survey: Survey,
    budget: Mapping[str, Any],
    outlooks: Sequence[tuple[Arm, Sequence[Outlook]]],
    known: Known,
    split: str,
) -> dict[str, Any]:
    """Write the figures of a comparison, whole or not at all, and return them.

    Args:
        folder: the comparison's.
        recipe: of all arms.
        asked: what it is of.
        survey: of its data.
        budget: what all arms have the same of, and how much.
        outlooks: each arm, and how far each of its parts is.
        known: what has come of its cells.
        split: which split's metrics; a cell that was not measured there is left out.
    """
    first = recipe.training.seed
    seeds = list(range(first, first + asked.seeds))
    whole = {
        "recipe": recipe.name,
        "split": split,
        "budget": dict(budget),
        "seeds": seeds,
        "searched": asked.search,
        "lower": survey.lower,
        "commands": asked.commands,
        "tasks": survey.tasks,
        "arms": [_arm(arm, parts, seeds, known, split) for arm, parts in outlooks],
    }
    write_text(folder / known_by.COMPARED, json.dumps(_plain(whole), indent=1) + "\n")
    return whole


def _arm(arm: Arm, parts: Sequence[Outlook], seeds: Sequence[int], known: Known, split: str) -> dict[str, Any]:
    taken = [(part.task or "", of.chosen) for part, of in zip(arm.parts, parts, strict=True)]
    chosen = {task: flat(settings) for task, settings in taken if settings is not None}
    made, failed = {}, {}
    for seed in seeds:
        found = [known.figures(of.cells[seed]) if seed in of.cells else None for of in parts]
        whole = [each for each in found if each is not None and split in each]
        whys: dict[str, list[str]] = {}
        for part, of in zip(arm.parts, parts, strict=True):
            if why := _why(of, seed, seeds, known):
                whys.setdefault(why, []).append(part.name)
        if len(whole) == len(parts):
            made[str(seed)] = _seed(whole, split)
        elif whys:
            each = (f"{', '.join(names)}: {why}" * (len(names) < len(parts)) or why for why, names in whys.items())
            failed[str(seed)] = " ".join(each)
    return {
        "name": arm.name,
        "alone": arm.alone,
        "changes": dict(arm.changes),
        "chosen": chosen if arm.alone else chosen.get("", {}),
        "seeds": made,
        **({"failed": failed} if failed else {}),
        **({"left_out": list(arm.left_out)} if arm.left_out else {}),
    }


def flat(chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings of a candidate by full keys."""
    weighed = {f"balancing.{key}": value for key, value in chosen.get("balancing", {}).items() if key != "watch"}
    return weighed | {key: value for key, value in chosen.items() if key != "balancing"}


def _why(of: Outlook, seed: int, seeds: Sequence[int], known: Known) -> str | None:
    """Return why a seed of a part failed; None where it did not."""
    if seed in of.cells:
        cell = of.cells[seed]
        return known.failed.get(cell.hash) or (known.before(cell) if known.figures(cell) is None else None)
    if seed != seeds[0]:
        return None
    before = [known.before(cell) for cell in of.ready]  # where none is trained that the others could give way to
    return of.failed or (before[0] if before and all(before) and not any(map(known.figures, of.tried)) else None)


def _seed(found: Sequence[Mapping[str, Any]], split: str) -> dict[str, Any]:
    """Return the metrics and costs of an arm's models together."""

    def total(name: str) -> Any:
        values = [each.get(name) for each in found]
        return None if None in values else sum(values)

    memory = [each["memory"] for each in found if each.get("memory")]
    made = {
        "metrics": _metrics(found, split),
        "steps": round(sum(each.get("steps") or 0 for each in found) / len(found)),
        "seconds": total("seconds"),
        "step": total("step_seconds"),
        "memory": max(memory, default=None),
        "cores": min((each["cores"] for each in found if each.get("cores")), default=None),
        "parameters": total("parameters"),
    }
    return made if split == "validation" else made | {"validation": _metrics(found, "validation")}


def _metrics(found: Sequence[Mapping[str, Any]], split: str) -> dict[str, dict[str, Any]]:
    """Return the metrics of every task, without those of single classes."""
    return {
        task: {name: value for name, value in values.items() if "/" not in name}
        for each in found
        for task, values in each[split].items()
    }


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: null for NaN."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
