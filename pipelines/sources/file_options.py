"""The options that all sources of files have."""

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


def check_option() -> Any:
    """Return the option of how closely files are looked at; `assembly.assemble` says more."""
    return option(
        "auto",
        "full decodes every file when loading; auto does where that takes seconds, else checks each file when it is "
        "first met; headers checks none, for data known to be sound",
        CHECKS,
    )
