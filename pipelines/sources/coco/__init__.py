"""The source "coco"."""

from pipelines.sources.coco.source import coco

__all__ = ["coco"]
