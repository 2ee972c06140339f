"""The head of a model card: YAML as model hubs read it."""

from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from visionmtl.model import MultiTaskModel

LICENCE = "unknown"  # as hubs call a licence that nobody has said


def written(
    model: MultiTaskModel, name: str, formats: Sequence[str], source: str | None, figures: Mapping[str, Any]
) -> str:
    """Return the head of a card, between its lines of dashes.

    Args:
        model: that was exported.
        name: of it.
        formats: in which, by what they are called.
        source: of the data, as the recipe names it.
        figures: `{task: {metric: {split: value}}}`.

    Reference: the metadata of Hugging Face's model cards, `modelcard.md` of its documentation.
    """
    purposes = {task: made.purpose or made.kind for task, made in model.tasks.items()}
    distinct = list(dict.fromkeys(purposes.values()))
    head: dict[str, Any] = {"license": LICENCE}
    if len(distinct) == 1:
        head["pipeline_tag"] = distinct[0]
    head["tags"] = ["visionmtl", "multi-task", *distinct, *dict.fromkeys(each.partition(" ")[0] for each in formats)]
    if figures:
        head["metrics"] = list(dict.fromkeys(metric for of in figures.values() for metric in of))
        results = [
            {
                "task": {"type": purposes[task], "name": task},
                "dataset": {"type": source or LICENCE, "name": source or LICENCE, "split": split},
                "metrics": [
                    {"type": metric, "name": metric, "value": values[split]}
                    for metric, values in of.items()
                    if split in values
                ],
            }
            for task, of in figures.items()
            for split in dict.fromkeys(split for values in of.values() for split in values)
        ]
        head["model-index"] = [{"name": name, "results": results}]
    return f"---\n{yaml.safe_dump(head, sort_keys=False, allow_unicode=True)}---"


def source(recipe: Mapping[str, Any] | None) -> str | None:
    """Return the name of the data that a recipe reads, of several sources all; None where there is no recipe."""
    data = (recipe or {}).get("data") or {}
    return data.get("source") or ", ".join(data.get("sources") or {}) or None
