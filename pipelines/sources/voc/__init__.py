"""The source "voc": Pascal VOC's XML.

From outside comes the one class below; `roots.py`, `places.py`, `lists.py` and `splits.py` find its files, `xml.py` and
`objects.py` read annotations, `labelmap.py` CVAT's classes. What it may be told is a field of that class.
"""

from pipelines.sources.voc.source import Voc

__all__ = ["Voc"]
