"""The source "labelme": labelme's JSON, a file an image.

From outside comes the one class below; `places.py` finds files and their pictures, `page.py` reads a file, `shapes.py`
turns what was drawn into boxes and outlines. What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.labelme.source import Labelme

__all__ = ["Labelme"]
