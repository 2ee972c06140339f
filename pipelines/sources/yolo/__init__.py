"""The source "yolo"."""

from pipelines.sources.yolo.source import yolo

__all__ = ["yolo"]
