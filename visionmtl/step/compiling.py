"""What XLA compiles of a training step, and what is said where it cannot."""

import contextlib
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from visionmtl.errors import UsageError

SIGNS = ("unsupported operations when trying to compile", "must be a compile-time constant", "XLA_", "tf2xla")


def check(wanted: Any, replicas: int) -> None:
    """Refuse a compiled step of several devices: XLA compiles whole steps, which cannot wait for each other's sums.

    Args:
        wanted: `jit_compile` as it was given to `compile`.
        replicas: how many devices share a batch.

    Raises:
        UsageError: it is True, and there are several.
    """
    if wanted is True and replicas > 1:
        raise UsageError(
            f"jit_compile=True (training.jit) is of one device, as XLA cannot sum over the {replicas} of a strategy"
            " within a step: leave it out, or train on one."
        )


@contextlib.contextmanager
def told(compiled: bool) -> Iterator[None]:
    """Say of a step that XLA could not compile what it was, and what to do.

    Raises:
        UsageError: an operation of the step is not among those that XLA knows, or a shape depends on values.
    """
    try:
        yield
    except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
        if compiled and (sign := next((sign for sign in SIGNS if sign in error.message), None)):
            line = next(line for line in error.message.splitlines() if sign in line).strip()
            raise UsageError(
                f"XLA cannot compile the training step: {line[:300]}. Leave jit_compile (training.jit) out, or what"
                " brings this operation."
            ) from error
        raise
