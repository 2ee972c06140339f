"""Values that cannot be, where nothing counts them: the step that meets one breaks off, and says its sentence."""

import contextlib
import re
from collections.abc import Iterator

import tensorflow as tf

from visionmtl.errors import UsageError
from visionmtl.step.faults import Found

BEGIN, END = "visionmtl says: ", " (end)"


def asserted(found: Found) -> list[tf.Operation]:
    """Return what must run before a step, and breaks it off where a fault is found, in graph."""
    return [
        tf.debugging.Assert(~there, [tf.strings.format(f"{BEGIN}{sentence}{END}", [value][: sentence.count("{}")])])
        for sentence, (there, value) in found.items()
    ]


@contextlib.contextmanager
def told() -> Iterator[None]:
    """Raise the sentence of what broke a step off within as a UsageError."""
    try:
        yield
    except tf.errors.InvalidArgumentError as error:
        said = re.search(f"{re.escape(BEGIN)}(.*?){re.escape(END)}", str(error), re.DOTALL)
        if said is None:
            raise
        raise UsageError(said[1]) from None
