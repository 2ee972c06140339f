"""What all pictures together give: COCO's results for each task that finds objects."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from visionmtl import tasks
from visionmtl.files import written_whole
from visionmtl.prediction.numbering import Key


def write(
    folder: Path, records: Iterable[Mapping[str, Any]], categories: Mapping[str, Mapping[str, Key]]
) -> list[Path]:
    """Write `detections.json`, which `pycocotools.coco.COCO.loadRes` takes; `detections_<task>.json` of several tasks.

    Args:
        folder: where to.
        records: of the journal; gone through once for each task, and never held together.
        categories: category ids by task and class.
    """
    paths = []
    for task, ids in categories.items():
        name = f"detections_{task}.json" if len(categories) > 1 else "detections.json"
        with written_whole(folder / name) as partial, open(partial, "w", encoding="utf-8") as file:
            file.write("[")
            before = "\n"
            for record in records:
                for found in record.get("objects", {}).get(task, ()):
                    row = {"image_id": record["image_id"], "category_id": ids[found["class"]]}
                    file.write(before + json.dumps(row | {"bbox": found["bbox"], "score": found["score"]}))
                    before = ",\n"
            file.write("\n]\n")
        paths.append(folder / name)
    return paths


def labels(learnt: Mapping[str, Any], categories: Mapping[str, Mapping[str, Key]]) -> dict[str, Any]:
    """Return what `labels.json` says: the kind and classes of each task, and the category ids of those with objects."""
    told = tasks.described(learnt)
    for name, ids in categories.items():
        told[name]["category_ids"] = ids
    return told
