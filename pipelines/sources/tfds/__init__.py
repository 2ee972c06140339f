"""The source "tfds": data sets of TFDS by name.

From outside comes the one class below; `adapters.py` says which label is which, `records.py` reads what was prepared.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.tfds.source import Tfds

__all__ = ["Tfds"]
