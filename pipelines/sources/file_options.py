"""The options that several sources of files have; the fields of the bases in `files.format` are the others."""

from typing import Any

from pipelines.sources.base import option

CHECKS = ("auto", "full", "headers")


def classes_option(those: str = "those") -> Any:
    """Return the option of class names; without it they are `those` of the first split."""
    return option(None, f"the class names in the order of their ids; null for {those} of the first split, sorted")


def divide_option() -> Any:
    """Return the option of data without splits; one split alone is all of it, unless it is to be divided."""
    return option(
        None, "divide data without splits 80/10/10 by a hash of the names; null: unless one alone is asked for"
    )
