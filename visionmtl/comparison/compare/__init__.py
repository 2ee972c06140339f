"""`visionmtl compare`: arms and the baseline of each task, trained at the same seeds, cell by cell, in a folder.

From outside come `compare` and the `Request` of a command line that it takes. What an arm trains next is for
`planning.py` to say; who reads the figures finds their form in `figures.py`.
"""

from visionmtl.comparison.compare.asking import Request
from visionmtl.comparison.compare.comparing import compare

__all__ = ["Request", "compare"]
