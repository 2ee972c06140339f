"""The update of Keras's own optimizers in few operations a variable: to the bit what Keras does in thirty.

Keras makes a graph of the whole formula for each variable, with the schedule in it. For a network of some hundred
variables that is most of what there is to trace, to optimise and to start in each step.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.step import rates
from visionmtl.step.optimizing import inner

Hook = Callable[..., None]


def apply_gradients(optimizer: Any, pairs: Iterable[tuple[Any, Any]], summed: bool = False) -> None:
    """Have an optimizer update variables, from pairs of a gradient and a variable, as `optimizer.apply_gradients` does.

    Few operations are made where it is one of Keras's, on one device; any other, a subclass for one, does what it does.
    Gradients that are `summed` over the replicas are not summed again: that is half of what goes over the network.
    """
    with _in_few_operations(inner(optimizer)), _summed(inner(optimizer), summed):
        optimizer.apply_gradients(pairs)


@contextlib.contextmanager
def _summed(optimizer: Any, wanted: bool) -> Iterator[None]:
    """Have an optimizer take gradients as they are within, as if it had summed them over the replicas.

    Replicas are traced in turns from one meeting to the next. All are in here before any meets the others to update,
    and none is out before that: what the first takes away in the end, nobody needs any more.
    """
    own = vars(optimizer)
    if wanted:
        own["_all_reduce_sum_gradients"] = list
    try:
        yield
    finally:
        if wanted:
            own.pop("_all_reduce_sum_gradients", None)


@contextlib.contextmanager
def _in_few_operations(optimizer: Any) -> Iterator[None]:
    """Have an optimizer do its own in few operations within, if it is known how."""
    hooks = _hooks(optimizer) if _plain(optimizer) else {}
    own = vars(optimizer)
    before = {name: own[name] for name in hooks if name in own}
    own.update(hooks)
    try:
        yield
    finally:
        for name in hooks:
            del own[name]
        own.update(before)


def _plain(optimizer: Any) -> bool:
    """Return whether the formula of an optimizer is known, and its variables are nobody's but this device's."""
    known = type(optimizer) in UPDATES and not getattr(optimizer, "amsgrad", False)
    known = known and optimizer.built and not tf.distribute.has_strategy()
    return known and all(variable.dtype == "float32" for variable in optimizer.variables[1:])


def _hooks(optimizer: Any) -> dict[str, Hook]:
    """Return what stands in for an optimizer's own methods, by their names."""
    update = UPDATES[type(optimizer)]

    def step(gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
        for fraction, pairs in rates.grouped(optimizer, variables, gradients).items():
            own, values = zip(
                *((variable, tf.convert_to_tensor(gradient)) for variable, gradient in pairs), strict=True
            )
            update(optimizer, values, own, _part(_scalar(rate), fraction))

    hooks: dict[str, Hook] = {"_backend_update_step": step}
    hooks["_apply_weight_decay"] = lambda variables: _decay(optimizer, variables)
    hooks["_update_model_variables_moving_average"] = lambda variables: _average(optimizer, variables)
    return hooks


def _decay(optimizer: Any, variables: Sequence[Any]) -> None:
    """Take from each variable that decays its product with the decay and the learning rate."""
    decaying = [variable for variable in variables if optimizer._use_weight_decay(variable)]
    if optimizer.weight_decay is None or not decaying:
        return
    # Keras multiplies by one after the other, which TensorFlow turns round: there is less to do.
    decay, rate = _scalar(optimizer.weight_decay), _scalar(optimizer.learning_rate)
    handles = [_handle(variable) for variable in decaying]
    for fraction, pairs in rates.grouped(optimizer, decaying, handles).items():
        product = decay * _part(rate, fraction)
        for _, handle in pairs:
            tf.raw_ops.ResourceApplyGradientDescent(var=handle, alpha=product, delta=_read(handle))


def _average(optimizer: Any, variables: Sequence[Any]) -> None:
    """Move the averages of variables; in the first step they are the variables themselves."""
    momentum = _scalar(tf.cast(optimizer.iterations != 0, tf.float32) * optimizer.ema_momentum)
    rest = 1 - momentum
    for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
        if average is None:
            continue
        kept = tf.raw_ops.Mul(x=momentum, y=_read(_handle(average)))
        new = tf.raw_ops.Mul(x=rest, y=_read(_handle(variable)))
        tf.raw_ops.AssignVariableOp(resource=_handle(average), value=tf.raw_ops.AddV2(x=kept, y=new))


def _adam(optimizer: Any, gradients: Sequence[tf.Tensor], variables: Sequence[Any], rate: tf.Tensor) -> None:
    number = tf.cast(optimizer.iterations + 1, tf.float32)
    # The moments move first and the operation of Adam moves the variable alone: with betas of 1 it leaves the moments,
    # which it would have move by 1 - 0.9 as float32 has it; Keras takes that difference in double precision.
    first, second = _scalar(1 - optimizer.beta_1), _scalar(1 - optimizer.beta_2)
    one = _scalar(1.0)
    common = {
        "beta1_power": tf.pow(_scalar(optimizer.beta_1), number),
        "beta2_power": tf.pow(_scalar(optimizer.beta_2), number),
        "lr": rate,
        "beta1": one,
        "beta2": one,
        "epsilon": _scalar(optimizer.epsilon),
    }
    for gradient, variable in zip(gradients, variables, strict=True):
        place = optimizer._get_variable_index(variable)
        mean, square = _handle(optimizer._momentums[place]), _handle(optimizer._velocities[place])
        _approach(mean, gradient, first)
        _approach(square, tf.raw_ops.Square(x=gradient), second)
        tf.raw_ops.ResourceApplyAdam(var=_handle(variable), m=mean, v=square, grad=gradient, **common)


def _approach(moment: tf.Tensor, value: tf.Tensor, fraction: tf.Tensor) -> None:
    """Move a moment by a fraction of its way to a value."""
    away = tf.raw_ops.Sub(x=_read(moment), y=value)
    tf.raw_ops.ResourceApplyGradientDescent(var=moment, alpha=fraction, delta=away)


def _sgd(optimizer: Any, gradients: Sequence[tf.Tensor], variables: Sequence[Any], rate: tf.Tensor) -> None:
    momentum = _scalar(optimizer.momentum)
    for gradient, variable in zip(gradients, variables, strict=True):
        if not optimizer.momentum:
            tf.raw_ops.ResourceApplyGradientDescent(var=_handle(variable), alpha=rate, delta=gradient)
            continue
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=_handle(variable),
            accum=_handle(optimizer.momentums[optimizer._get_variable_index(variable)]),
            lr=rate,
            grad=gradient,
            momentum=momentum,
            use_nesterov=optimizer.nesterov,
        )


UPDATES = {keras.optimizers.Adam: _adam, keras.optimizers.AdamW: _adam, keras.optimizers.SGD: _sgd}


def _part(rate: tf.Tensor, fraction: float) -> tf.Tensor:
    return rate if fraction == 1.0 else rate * fraction


def _scalar(value: Any) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(value), tf.float32)


def _handle(variable: Any) -> tf.Tensor:
    """Return the resource of a variable of Keras or of TensorFlow."""
    return variable.value.handle if isinstance(variable, keras.Variable) else variable.handle


def _read(handle: tf.Tensor) -> tf.Tensor:
    return tf.raw_ops.ReadVariableOp(resource=handle, dtype=tf.float32)
