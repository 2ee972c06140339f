"""The update of Keras's own optimizers in few operations a variable: to the bit what Keras does in thirty.

Keras makes a graph of the whole formula for each variable, with the schedule in it. For a network of some hundred
variables that is most of what there is to trace, to optimise and to start in each step.
"""

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import tensorflow as tf

from visionmtl.step import accumulating, one_variable, rates
from visionmtl.step.optimizing import inner
from visionmtl.step.replicas import sum_over_replicas

Hook = Callable[..., None]


def apply_gradients(
    optimizer: Any, pairs: Iterable[tuple[Any, Any]], summed: bool = False, go: tf.Tensor | None = None
) -> None:
    """Have an optimizer update variables, from pairs of a gradient and a variable, as `optimizer.apply_gradients` does.

    Few operations are made where it is one of Keras's, on one device; any other, a subclass for one, does what it does.
    Gradients that are `summed` over the replicas are not summed again: that is half of what goes over the network.
    Where an optimizer `can_wait`, it moves nothing unless `go`, bool `[]`.
    """
    own = inner(optimizer)
    if accumulating.over_replicas(own) and not summed:
        pairs, summed = _sums(pairs), True
    with _in_few_operations(own, go), _over_replicas(own, summed):
        optimizer.apply_gradients(pairs)
    if go is not None:  # it has counted the step all the same
        own.iterations.assign_add(tf.cast(go, own.iterations.dtype) - 1)


def can_wait(optimizer: Any, variables: Sequence[Any]) -> bool:
    """Return whether an optimizer can be kept from moving variables, and all that it keeps, by `go`.

    Of what Keras does around the update of each variable there must be nothing that moves anything by itself. And the
    updates must be a CPU's: each becomes a function, and to start hundreds of them may take a GPU longer than they do.
    """
    known = variables and inner(optimizer) is optimizer and _plain(optimizer)
    if not known or tf.config.list_logical_devices("GPU"):
        return False
    around = [optimizer.gradient_accumulation_steps, optimizer.use_ema and optimizer.ema_overwrite_frequency]
    around += [variable.constraint or getattr(variable, "overwrite_with_gradient", False) for variable in variables]
    return not any(around)


def _sums(pairs: Iterable[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return pairs of a gradient that there is, summed over the replicas, and a variable."""
    gradients, variables = zip(*(pair for pair in pairs if pair[0] is not None), strict=True)
    return list(zip(sum_over_replicas(list(gradients)), variables, strict=True))


@contextlib.contextmanager
def _over_replicas(optimizer: Any, summed: bool) -> Iterator[None]:
    """Have an optimizer do within what it is to do otherwise than Keras has it where there are several replicas.

    It takes gradients as they are, where they are summed already, and accumulates them. Replicas are traced in turns
    from one meeting to the next. All are in here before any meets the others to update, and none is out before that:
    what the first takes away in the end, nobody needs any more.
    """
    hooks: dict[str, Any] = {"_all_reduce_sum_gradients": list} if summed else {}
    if accumulating.over_replicas(optimizer):
        hooks["_backend_apply_gradients"] = functools.partial(accumulating.apply, optimizer)
    own = vars(optimizer)
    own.update(hooks)
    try:
        yield
    finally:
        for name in hooks:
            own.pop(name, None)


@contextlib.contextmanager
def _in_few_operations(optimizer: Any, go: tf.Tensor | None) -> Iterator[None]:
    """Have an optimizer do its own in few operations within, if it is known how."""
    hooks = _hooks(optimizer, go) if _plain(optimizer) else {}
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


def _hooks(optimizer: Any, go: tf.Tensor | None) -> dict[str, Hook]:
    """Return what stands in for an optimizer's own methods, by their names."""
    update = UPDATES[type(optimizer)]

    def step(gradients: Sequence[Any], variables: Sequence[Any], rate: Any) -> None:
        for fraction, pairs in rates.grouped(optimizer, variables, gradients).items():
            own, values = zip(
                *((variable, tf.convert_to_tensor(gradient)) for variable, gradient in pairs), strict=True
            )
            update(optimizer, go, values, own, _part(_scalar(rate), fraction))

    hooks: dict[str, Hook] = {"_backend_update_step": step}
    hooks["_apply_weight_decay"] = lambda variables: _decay(optimizer, go, variables)
    hooks["_update_model_variables_moving_average"] = lambda variables: _average(optimizer, go, variables)
    return hooks


def _decay(optimizer: Any, go: tf.Tensor | None, variables: Sequence[Any]) -> None:
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
            one_variable.decay(go, handle, product)


def _average(optimizer: Any, go: tf.Tensor | None, variables: Sequence[Any]) -> None:
    """Move the averages of variables; in the first step they are the variables themselves."""
    momentum = _scalar(tf.cast(optimizer.iterations != 0, tf.float32) * optimizer.ema_momentum)
    rest = 1 - momentum
    for variable, average in zip(variables, optimizer._model_variables_moving_average, strict=True):
        if average is not None:
            one_variable.average(go, _handle(variable), _handle(average), momentum, rest)


def _adam(
    optimizer: Any, go: tf.Tensor | None, gradients: Sequence[tf.Tensor], variables: Sequence[Any], rate: tf.Tensor
) -> None:
    number = tf.cast(optimizer.iterations + 1, tf.float32)
    fractions = [_scalar(1 - optimizer.beta_1), _scalar(1 - optimizer.beta_2)]
    powers = [tf.pow(_scalar(beta), number) for beta in (optimizer.beta_1, optimizer.beta_2)]
    numbers = [*fractions, *powers, rate, _scalar(1.0), _scalar(optimizer.epsilon)]
    for gradient, variable in zip(gradients, variables, strict=True):
        place = optimizer._get_variable_index(variable)
        moments = _handle(optimizer._momentums[place]), _handle(optimizer._velocities[place])
        one_variable.adam(go, _handle(variable), *moments, gradient, *numbers)


def _sgd(
    optimizer: Any, go: tf.Tensor | None, gradients: Sequence[tf.Tensor], variables: Sequence[Any], rate: tf.Tensor
) -> None:
    momentum = _scalar(optimizer.momentum)
    roll = one_variable.roll_ahead if optimizer.nesterov else one_variable.roll
    for gradient, variable in zip(gradients, variables, strict=True):
        if optimizer.momentum:
            speed = _handle(optimizer.momentums[optimizer._get_variable_index(variable)])
            roll(go, _handle(variable), speed, gradient, rate, momentum)
        else:
            one_variable.descend(go, _handle(variable), gradient, rate)


UPDATES = {keras.optimizers.Adam: _adam, keras.optimizers.AdamW: _adam, keras.optimizers.SGD: _sgd}


def _part(rate: tf.Tensor, fraction: float) -> tf.Tensor:
    return rate if fraction == 1.0 else rate * fraction


def _scalar(value: Any) -> tf.Tensor:
    return tf.cast(tf.convert_to_tensor(value), tf.float32)


def _handle(variable: Any) -> tf.Tensor:
    """Return the resource of a variable of Keras or of TensorFlow."""
    return variable.value.handle if isinstance(variable, keras.Variable) else variable.handle
