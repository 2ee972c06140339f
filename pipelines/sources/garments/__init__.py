"""The source "garments": scenes of Fashion-MNIST garments, which come with the package.

From outside comes the one class below; `scenes.py` composes them, `make_garments.py` made the file.
What it may be told is a field of that class, made by `base.option`.
"""

from pipelines.sources.garments.source import Garments

__all__ = ["Garments"]
