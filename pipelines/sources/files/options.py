"""The options that sources of files share."""

from typing import Any

from pipelines.sources.base import option

CHECKS = ("full", "headers")


def divide_option() -> Any:
    """Return the option of what has no splits."""
    return option(
        None,
        "whether data without splits is divided 80/10/10 by a hash of the file names; null divides it unless one split"
        " alone is asked for, which is then all of it",
    )


def check_option() -> Any:
    """Return the option of how closely files are looked at."""
    return option(
        "full",
        "full decodes every file when loading; headers reads only headers and end markers of what is not kept in"
        " memory, for large data known to be sound, and ignores mask values that are no class",
        CHECKS,
    )
