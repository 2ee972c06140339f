"""The source "coco": COCO's JSON.

From outside comes the one class below; `index.py` reads a file of annotations, `layout.py` finds it and the pictures.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.coco.source import Coco

__all__ = ["Coco"]
