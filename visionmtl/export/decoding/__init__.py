"""Encoded pictures decoded in a graph of TensorFlow's operations alone, as `pipelines.pixels` decodes files.

From outside come `inspect`, `decode`, which may fail, and `attempts`. A further format is one file, whose `header`
returns what was `Found` in one, and a line in `formats.FORMATS`.
"""

from visionmtl.export.decoding.attempts import DAMAGED, attempts
from visionmtl.export.decoding.formats import HEADER, Header, decode, inspect

__all__ = ["DAMAGED", "HEADER", "Header", "attempts", "decode", "inspect"]
