"""The source "yolo": YOLO's text files.

From outside comes the one class below; `lines.py` reads a line.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.yolo.source import Yolo

__all__ = ["Yolo"]
