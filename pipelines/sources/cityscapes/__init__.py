"""The source "cityscapes": street scenes with a class for every pixel and a number for every object.

From outside comes the one class below; `labels.py` has the official table of ids, `instances.py` the boxes of objects.
"""

from pipelines.sources.cityscapes.source import Cityscapes

__all__ = ["Cityscapes"]
