"""What the numbers of an export mean: the tasks' kinds, classes and confidences, beside every format."""

import json
from pathlib import Path

from visionmtl import tasks
from visionmtl.export.format import Serving
from visionmtl.model import MultiTaskModel


def write(model: MultiTaskModel, folder: Path, serving: Serving) -> None:
    """Write `labels.json`: each task's kind and classes, and the confidences of classes of objects, null for none."""
    labels = tasks.described(model.tasks)
    for name in model.confidences:
        labels[name]["confidences"] = (serving.confidences or {}).get(name)
    (folder / "labels.json").write_text(json.dumps(labels, indent=2) + "\n", encoding="utf-8")
