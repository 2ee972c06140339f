"""The source "yolo"."""

from pipelines.sources.yolo.source import Yolo

__all__ = ["Yolo"]
