"""The source "coco"."""

from pipelines.sources.coco.source import Coco

__all__ = ["Coco"]
