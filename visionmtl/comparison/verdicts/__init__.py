"""Did sharing pay: tables, charts, a page and verdicts, from what a comparison has measured.

From outside comes `write`. What tells a comparison in another form is one file here, and one line in `writing.py`.
"""

from visionmtl.comparison.verdicts.writing import write

__all__ = ["write"]
