"""Formats of data sets that predictions are written in, to be corrected and trained on; one file a format.

From outside come `names` and `get`. A new one is a file with a class on `format.DataSet`, as `labelme.py`, named as
`visionmtl predict --format` names it: the source of that name must read it back.
"""

from pipelines import discovery
from visionmtl.errors import one_of
from visionmtl.prediction.formats.format import DataSet

FORMATS = discovery.classes(__name__, DataSet)


def names() -> list[str]:
    """Return the names of the formats."""
    return list(FORMATS)


def get(name: str) -> type[DataSet]:
    """Return the format of this name.

    Raises:
        UsageError: there is none; the message suggests the nearest name.
    """
    return FORMATS[one_of(name, FORMATS, "format of predictions")]
