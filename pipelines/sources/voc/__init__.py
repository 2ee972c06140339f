"""The source "voc": Pascal VOC's XML.

From outside comes the one class below; `xml.py` reads a file of annotations.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.voc.source import Voc

__all__ = ["Voc"]
