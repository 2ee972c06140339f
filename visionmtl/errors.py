"""The one exception a user's own mistake raises, its sentence, and the checks of names and numbers that raise it."""

import errno
import math
from collections.abc import Collection, Sequence
from functools import partial
from numbers import Integral, Real
from typing import Any

from pipelines import errors, files
from pipelines.errors import closest, nearest

__all__ = [
    "UsageError",
    "WorkerGoneError",
    "check_flag",
    "check_number",
    "closest",
    "nearest",
    "one_of",
    "own_mistake",
    "shape_of",
    "some_of",
]

# as TensorFlow, CUDA and its libraries tell it under errors of many kinds
_NO_MEMORY = (
    "OOM when allocating",
    "CUDA_ERROR_OUT_OF_MEMORY",
    "out of memory",
    "std::bad_alloc",
    "RESOURCE_EXHAUSTED",
    "failed to allocate memory",
    "Dst tensor is not initialized",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "MemoryError: ",
)


class UsageError(ValueError):
    """A user's mistake, told in one sentence: what was given, what was expected, what to do.

    The command line prints the message alone and exits with status 2.
    """


class WorkerGoneError(UsageError):
    """The end of a worker without which the others cannot go on; its sentence says how all do.

    Attributes:
        status: what a command exits with: 75, as where a signal stopped it, to be gone on with.
    """

    status = 75


one_of = partial(errors.one_of, error=UsageError)


def some_of(given: str | Sequence[str], valid: Collection[str], what: str) -> list[str]:
    """Return the names that are given, if each is valid and given once.

    Args:
        given: one name or several, in a list or parted by commas.
        valid: the names there are.
        what: they are names of.

    Raises:
        UsageError: one is unknown, or named twice, or none is named.

    Example:
        >>> some_of("onnx, litert", ["savedmodel", "onnx", "litert"], "export format")
        ['onnx', 'litert']
    """
    parted = given.split(",") if isinstance(given, str) and given.strip() else given
    names = [each.strip() for each in parted]
    if not names:
        raise UsageError(f"No {what} was named: name one or several of {', '.join(valid)}.")
    for name in names:
        if names.count(one_of(name, valid, what)) > 1:
            raise UsageError(f"The {what} '{name}' was named twice: name each once.")
    return names


def check_number(
    owner: str,
    option: str,
    value: Any,
    *,
    at_least: float | None = None,
    above: float | None = None,
    up_to: float | None = None,
    below: float | None = None,
    whole: bool = False,
) -> Any:
    """Return `value` if it is a finite number in a range, a whole one if `whole`.

    Raises:
        UsageError: it is not; the message says that `owner`, such as "sharing 'soft'", was given it for `option`.

    Example:
        >>> check_number("sharing 'soft'", "strength", 0.5, at_least=0)
        0.5
    """
    if isinstance(value, Integral if whole else Real) and not isinstance(value, bool) and math.isfinite(value):
        number = float(value)
        low = (at_least is None or number >= at_least) and (above is None or number > above)
        if low and (up_to is None or number <= up_to) and (below is None or number < below):
            return value
    bounds = {"of at least": at_least, "above": above, "up to": up_to, "below": below}
    limits = " and ".join(f"{words} {bound:g}" for words, bound in bounds.items() if bound is not None)
    raise UsageError(f"{owner} was given {option}={value!r}: expected a {'whole ' * whole}number {limits}.")


def check_flag(owner: str, option: str, value: Any) -> bool:
    """Return `value` if it is true or false.

    Raises:
        UsageError: it is not; the message says that `owner` was given it for `option`.
    """
    if isinstance(value, bool):
        return value
    raise UsageError(f"{owner} was given {option}={value!r}: expected true or false.")


def shape_of(tensor: Any) -> str:
    """Return the shape of a batch's tensor or array in words: B for the samples, "?" for a size that is not known."""
    sizes = ["?" if size is None else str(size) for size in tensor.shape]
    return f"[{', '.join(['B', *sizes[1:]] if sizes else [])}]"


def own_mistake(error: Exception) -> str | None:
    """Return the sentence for a user's own mistake, or None for a fault of ours, whose stack trace is wanted."""
    if isinstance(error, UsageError):
        return str(error)
    if sentence := errors.sentence_of(error):
        return sentence
    number, name = getattr(error, "errno", None), getattr(error, "filename", None)
    if number in (errno.EACCES, errno.EPERM):
        return f"There is no permission to read or write '{name}'." if name else f"{error}."
    reason = files.why_not_written(error)
    if reason in files.REASONS.values():
        what = f" '{name}'" if name else ""
        return f"Cannot write{what}: {reason}. {files.ADVICE}"
    if out_of_memory(error):
        return "the device is out of memory; try a smaller data.batch_size or data.image_size."
    return None


def out_of_memory(error: BaseException) -> bool:
    """Return whether a device or the machine had no memory left; of a full disk TensorFlow says much the same."""
    if files.why_not_written(error) == files.REASONS[errno.ENOSPC] or isinstance(error, UsageError | errors.DataError):
        return False
    known = isinstance(error, MemoryError) or type(error).__name__ == "ResourceExhaustedError"
    return known or any(words in str(error) for words in _NO_MEMORY)
