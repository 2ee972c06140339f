"""Encoded pictures decoded in a graph of TensorFlow's operations alone, as `pipelines.pixels` decodes files.

From outside come `decode` and `attempt`. A further format is one file, whose `header` returns what was `Found` in one,
and a line in `formats.FORMATS`.
"""

from visionmtl.export.decoding.attempts import DAMAGED, attempt
from visionmtl.export.decoding.formats import decode

__all__ = ["DAMAGED", "attempt", "decode"]
