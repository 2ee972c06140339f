"""The source "coco": COCO's JSON.

From outside comes the one class below. `layouts.py` and `finding.py` say which JSON is of which split, `index.py` reads
one, `entries.py` finds its pictures. What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.coco.source import Coco

__all__ = ["Coco"]
