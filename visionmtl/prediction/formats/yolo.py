"""YOLO, as `visionmtl data convert --to yolo` writes it."""

from pipelines.writers.yolo import Yolo as Writer
from visionmtl.prediction.formats._written import Written


class Yolo(Written):
    """`images/train/`, `labels/train/` of boxes, masks as PNG in `masks/train/`, and `data.yaml`."""

    title, writer = "YOLO", Writer
