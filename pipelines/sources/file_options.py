"""The options that several sources of files have; those of all are fields of `files.format.FileFormat`."""

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


def mask_colours_option() -> Any:
    """Return the option of masks whose classes are colours."""
    return option(
        None,
        "the colour of each class of the masks, as {road: [128, 64, 128]}, or its grey value; null: a palette file",
    )


def ignore_option() -> Any:
    """Return the option of what in masks is neither learnt nor counted."""
    return option(None, "the value of the masks that is ignored, or the name or colour of a class; null: 255, if free")
