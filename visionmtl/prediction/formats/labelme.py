"""labelme: a JSON file of rectangles beside each picture, to be corrected by hand."""

import json
from pathlib import Path
from typing import Any

from visionmtl.files import written_whole
from visionmtl.prediction.formats.format import DataSet, Record, Records

OWN = "__ignore__", "_background_"  # labels that labelme begins each list with


class Labelme(DataSet):
    """A JSON file of rectangles beside each picture, which labelme opens; the score is in the description."""

    title = "labelme"
    holds = ("detection",)

    def folder(self) -> Path:
        return self.root

    def finish(self, records: Records) -> list[str]:
        task = self.task("detection")
        assert task is not None  # else the format would have refused the model
        for record in records:
            path = self.root / Path(record["picture"]).with_suffix(".json")
            with written_whole(path, durable=False) as partial:
                partial.write_text(json.dumps(self._page(record), ensure_ascii=False, indent=2), encoding="utf-8")
        with written_whole(self.root / "labels.txt") as partial:
            partial.write_text("".join(f"{name}\n" for name in (*OWN, *task.classes)), encoding="utf-8")
        return []

    def _page(self, record: Record) -> dict[str, Any]:
        task = self.task("detection")
        shapes: list[dict[str, Any]] = [
            {
                "label": each.category,
                "points": [list(each.box[:2]), list(each.box[2:])],
                "group_id": None,
                "description": f"{each.number:.3f}",
                "shape_type": "rectangle",
                "flags": {},
            }
            for each in (self.objects(record, task) if task else ())
        ]
        name = Path(record["picture"]).name
        size = {"imageHeight": record["height"], "imageWidth": record["width"]}
        return {"version": "5.4.1", "flags": {}, "shapes": shapes, "imagePath": name, "imageData": None, **size}
