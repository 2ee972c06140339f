"""COCO, as `visionmtl data convert --to coco` writes it."""

from pipelines.writers.coco import Coco as Writer
from visionmtl.prediction.formats._written import Written


class Coco(Written):
    """`train/annotations.json` of boxes, `train/images/`, and masks as PNG in `train/masks/`."""

    title, writer = "COCO", Writer
