"""What an exported version says of itself, without the model that it was made of."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionmtl import tasks
from visionmtl.errors import UsageError
from visionmtl.prediction import confidences as scores
from visionmtl.prediction.beam import storage
from visionmtl.prediction.beam.needed import FileSystems
from visionmtl.prediction.confidences import Asked, Confidences
from visionmtl.prediction.finishing import Named
from visionmtl.tasks import Task

MODEL, LABELS, WEIGHTS = "saved_model.pb", "labels.json", "variables/variables.data-00000-of-00001"


@dataclass(frozen=True)
class Exported:
    """An exported SavedModel.

    Attributes:
        version: its folder.
        labels: what `labels.json` says of each task, by name.
        tasks: by name; they write what was predicted.
    """

    version: str
    labels: dict[str, Any]
    tasks: dict[str, Task]

    @classmethod
    def read(cls, export: str) -> "Exported":
        """Return the export in a folder, or the last of its versions.

        Raises:
            UsageError: there is none, or one of its tasks is not known here.
        """
        version = _version(export)
        try:
            labels = json.loads(storage.read(storage.joined(version, LABELS)))
        except (OSError, ValueError):
            raise UsageError(
                f"'{export}' is no exported SavedModel: expected a folder with {MODEL} and {LABELS}, as `visionmtl"
                " export` writes."
            ) from None
        named = {name: Named(name, told["kind"], tuple(told["classes"])) for name, told in labels.items()}
        return cls(version, labels, {name: tasks.from_spec(each) for name, each in named.items()})

    def chosen(self, confidence: Asked) -> Confidences:
        """Return from which score on objects count, by task and class: as asked, or as the export says.

        Raises:
            UsageError: there is no such class, or a number is none.
        """
        kept = {name: _by_class(told) for name, told in self.labels.items() if "confidences" in told}
        return scores.chosen(self.tasks.values(), kept, confidence)

    def sum(self) -> str:
        """Return a sum of what it is, by which it is told from others."""
        total = hashlib.sha256()
        for name in (LABELS, MODEL, WEIGHTS):
            total.update(storage.read(storage.joined(self.version, name)))
        return total.hexdigest()


def _by_class(told: dict[str, Any]) -> dict[str, float] | None:
    """Return the confidence of each class that `labels.json` has, as a number for all or by name; None for none."""
    kept = told["confidences"]
    return dict.fromkeys(told["classes"], kept) if isinstance(kept, int | float) else kept


def _version(export: str) -> str:
    """Return the folder of a version: this one, or of several in it the last."""
    if storage.is_remote(export):
        if FileSystems.exists(storage.joined(export, MODEL)):
            return export
        found = FileSystems.match([storage.joined(export, f"*/{MODEL}")])[0].metadata_list
        versions = [each.path.removesuffix(f"/{MODEL}") for each in found]
    elif Path(export, MODEL).is_file():
        return export
    else:
        versions = [str(path.parent) for path in Path(export).glob(f"*/{MODEL}")]
    numbered = {int(number): path for path in versions if (number := path.rpartition("/")[2]).isdecimal()}
    return numbered[max(numbered)] if numbered else export
