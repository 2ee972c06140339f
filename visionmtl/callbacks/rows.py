"""Rows of a CSV file that a training goes on with."""

import csv
from pathlib import Path
from typing import Any


def rows_before(path: Path, epoch: int) -> list[dict[str, Any]]:
    """Return the rows of a CSV file that were written before this epoch, counted from 0; none if there is no file."""
    earlier = list(csv.DictReader(path.open(encoding="utf-8"))) if epoch and path.exists() else []
    return [row for row in earlier if int(row["epoch"]) <= epoch]
