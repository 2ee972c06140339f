"""What an export's proof is told as: a line for each format, of how near it is to the model."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

RECORD = "export.json"


def told(version: Path) -> list[str]:
    """Return a line for each format of an exported version that was proven; none where nothing was.

    Args:
        version: from `export.save`.
    """
    path = version / RECORD
    record = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {"formats": {}}
    changes = record.get("changes", {})
    return [
        f"{label}: {_cost(changes[label]) if label in changes else _near(outputs)}"
        for label, outputs in (
            record["formats"] | {label: [] for label in changes.keys() - record["formats"].keys()}
        ).items()
    ]


def _cost(change: Mapping[str, Any]) -> str:
    """Return what a reduced precision changes in the metrics."""
    tasks = [
        f"{each['task']} {each['metric']} {_figure(each['model'])} to {_figure(each['export'])}"
        for each in change["tasks"]
    ]
    return f"{', '.join(tasks)} on {change['pictures']} pictures, where {change['bound']:g} may be lost"


def _figure(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.3f}"


def _near(outputs: list[Mapping[str, Any]]) -> str:
    """Return how near a format's outputs are to the model's, at worst."""
    if any(each["bound"] is None for each in outputs):
        return "runs; what its precision costs was not measured"
    apart = [each for each in outputs if each["value"]]
    ties = sum({each["output"].rpartition("_")[0]: each["ties"] for each in outputs}.values())
    tied = f"; {ties} objects at a threshold are in one answer alone" if ties else ""
    if not apart:
        return f"says what the model says, to the last digit{tied}"
    return "says what the model says, up to " + ", ".join(_worst(each) for each in apart) + tied


def _worst(output: Mapping[str, Any]) -> str:
    return f"{output['value']:.2g} {output['unit']} of {output['output']}"
