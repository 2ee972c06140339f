"""What an update does with one variable: written out, or as a function in graph that is traced and optimised once.

A network has some hundred variables. Written out for each, an update is a third of the operations of a training step,
and each is paid for several times before the first step: as it is traced, optimised and placed. A function is one
operation a variable. It does nothing unless `go`, so that no branch around them all takes in every variable twice.
"""

import functools
from collections.abc import Callable

import tensorflow as tf

GO, HANDLE = tf.TensorSpec([], tf.bool), tf.TensorSpec([], tf.resource)
NUMBER, VALUES = tf.TensorSpec([], tf.float32), tf.TensorSpec(None, tf.float32)
APART = {"_noinline": True}  # inlined they would be written out again


def _once(*signature: tf.TensorSpec) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return a decorator, by which a function takes `go` before all else: bool `[]`, or None to be written out."""

    def decorate(change: Callable[..., None]) -> Callable[..., None]:
        def waiting(go: tf.Tensor, *given: tf.Tensor) -> None:
            def done() -> tf.Tensor:
                change(*given)
                return tf.constant(True)

            tf.cond(go, done, lambda: tf.constant(False))

        traced = tf.function(waiting, (GO, *signature), autograph=False, experimental_attributes=APART)

        @functools.wraps(change)
        def changed(go: tf.Tensor | None, *given: tf.Tensor) -> None:
            if go is None:
                change(*given)
            else:
                traced(go, *given)

        return changed

    return decorate


@_once(HANDLE, HANDLE, HANDLE, VALUES, *[NUMBER] * 7)
def adam(
    variable: tf.Tensor,
    mean: tf.Tensor,
    square: tf.Tensor,
    gradient: tf.Tensor,
    first: tf.Tensor,
    second: tf.Tensor,
    first_power: tf.Tensor,
    second_power: tf.Tensor,
    rate: tf.Tensor,
    one: tf.Tensor,
    epsilon: tf.Tensor,
) -> None:
    """Move a variable as Adam does, and its moments by the fractions `first` and `second`.

    The moments move first and the operation of Adam moves the variable alone: with betas of 1 it leaves the moments,
    which it would have move by 1 - 0.9 as float32 has it; Keras takes that difference in double precision.
    """
    _approach(mean, gradient, first)
    _approach(square, tf.raw_ops.Square(x=gradient), second)
    tf.raw_ops.ResourceApplyAdam(
        var=variable,
        m=mean,
        v=square,
        grad=gradient,
        beta1_power=first_power,
        beta2_power=second_power,
        lr=rate,
        beta1=one,
        beta2=one,
        epsilon=epsilon,
    )


@_once(HANDLE, VALUES, NUMBER)
def descend(variable: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor) -> None:
    """Move a variable against its gradient."""
    tf.raw_ops.ResourceApplyGradientDescent(var=variable, alpha=rate, delta=gradient)


@_once(HANDLE, HANDLE, VALUES, NUMBER, NUMBER)
def roll(variable: tf.Tensor, speed: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor, momentum: tf.Tensor) -> None:
    """Move a variable by momentum."""
    _roll(variable, speed, gradient, rate, momentum, nesterov=False)


@_once(HANDLE, HANDLE, VALUES, NUMBER, NUMBER)
def roll_ahead(
    variable: tf.Tensor, speed: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor, momentum: tf.Tensor
) -> None:
    """Move a variable by the momentum of Nesterov."""
    _roll(variable, speed, gradient, rate, momentum, nesterov=True)


@_once(HANDLE, NUMBER)
def decay(variable: tf.Tensor, fraction: tf.Tensor) -> None:
    """Take a fraction of a variable from it."""
    tf.raw_ops.ResourceApplyGradientDescent(var=variable, alpha=fraction, delta=_read(variable))


@_once(HANDLE, HANDLE, NUMBER, NUMBER)
def average(variable: tf.Tensor, mean: tf.Tensor, kept: tf.Tensor, rest: tf.Tensor) -> None:
    """Move the running mean of a variable, of which the fraction `kept` stays."""
    old, new = tf.raw_ops.Mul(x=kept, y=_read(mean)), tf.raw_ops.Mul(x=rest, y=_read(variable))
    tf.raw_ops.AssignVariableOp(resource=mean, value=tf.raw_ops.AddV2(x=old, y=new))


def _approach(moment: tf.Tensor, value: tf.Tensor, fraction: tf.Tensor) -> None:
    """Move a moment by a fraction of its way to a value."""
    away = tf.raw_ops.Sub(x=_read(moment), y=value)
    tf.raw_ops.ResourceApplyGradientDescent(var=moment, alpha=fraction, delta=away)


def _roll(
    variable: tf.Tensor, speed: tf.Tensor, gradient: tf.Tensor, rate: tf.Tensor, momentum: tf.Tensor, nesterov: bool
) -> None:
    tf.raw_ops.ResourceApplyKerasMomentum(
        var=variable, accum=speed, lr=rate, grad=gradient, momentum=momentum, use_nesterov=nesterov
    )


def _read(handle: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)
