"""In which precisions each format is written."""

from collections.abc import Mapping, Sequence

import numpy as np

from visionmtl.errors import UsageError, some_of
from visionmtl.export.format import FLOAT32, PRECISIONS, Format


def wanted(precision: str | Sequence[str]) -> list[str]:
    """Return the names of the precisions that are asked for, as `errors.some_of` takes them."""
    return some_of(precision, PRECISIONS, "precision")


def check(formats: Mapping[str, type[Format]], precisions: Sequence[str]) -> None:
    """Refuse a precision that none of some formats has.

    Args:
        formats: by name.
        precisions: names of precisions.

    Raises:
        UsageError: there is one.
    """
    for name in precisions:
        if not any(name in kind.precisions for kind in formats.values()):
            have = "; ".join(f"{each} has {', '.join(kind.precisions)}" for each, kind in formats.items())
            raise UsageError(f"Precision {name} was asked for, and no format that is asked for has it: {have}.")


def made(
    formats: Mapping[str, type[Format]], precision: str | Sequence[str], calibration: Sequence[np.ndarray] = ()
) -> dict[str, Format]:
    """Return what is to be written, by what it is called: "litert", "litert int8".

    Each format is written in those of the precisions that it has; one that has none of them, beside others that have,
    in float32, which is printed.

    Args:
        formats: by name.
        precision: one name or several, in a list or parted by commas.
        calibration: uint8 `[h, w, 3]`, pictures by which int8 chooses its ranges.

    Raises:
        UsageError: a precision is unknown, or none of the formats has it.
    """
    names = wanted(precision)
    check(formats, names)
    found = {}
    for format, kind in formats.items():
        own = [name for name in names if name in kind.precisions]
        if not own:
            print(f"{format} has no {' and no '.join(names)}: it is written in {FLOAT32}.")
        for name in own or [FLOAT32]:
            found[format if name == FLOAT32 else f"{format} {name}"] = kind(name, calibration)
    return found
