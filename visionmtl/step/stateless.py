"""Files of a model without what its optimizer keeps: written so, and read without a warning."""

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator
from typing import Any

from visionmtl.step.optimizing import inner

LEFT = "_visionmtl_left"  # where an optimizer notes that a file had nothing for it, out of the sight of what saves it


@contextlib.contextmanager
def without_state(model: Any) -> Iterator[None]:
    """Save a compiled model within, without what its optimizer keeps: of Adam two thirds of a file.

    Such a file predicts, is evaluated and exported, and gives its weights as any other; trained on, its optimizer
    starts anew, with no moments and at the beginning of its schedule.

    Example:
        >>> with without_state(model):
        ...     model.save("small.keras")
    """
    own = _both(model.optimizer)
    for each in own:
        vars(each)["save_own_variables"] = _nothing
    try:
        yield
    finally:
        for each in own:
            del vars(each)["save_own_variables"]


def accept_none(model: Any) -> None:
    """Have a compiled model load files without its optimizer's state, which then keeps what it has.

    Keras warns of each such file that its optimizer has another number of variables, as if the file were wrong.
    """
    for each in _both(model.optimizer):
        if "load_own_variables" not in vars(each):
            vars(each)["load_own_variables"] = functools.partial(_load, each, each.load_own_variables)


def expect_restart(model: Any) -> None:
    """Take it as known that an optimizer has nothing of the file before: who loads weights alone wants no more."""
    vars(inner(model.optimizer)).pop(LEFT, None)


def tell_restart(model: Any) -> None:
    """Warn where a model from a file without its optimizer's state begins to train: its optimizer starts anew."""
    own = vars(inner(model.optimizer))
    if own.pop(LEFT, False) and not model.steps_behind:
        warnings.warn(
            "The file that the model was loaded from keeps no state of its optimizer, as a run's best.keras: it starts"
            " anew, at the first step of its learning rate's schedule. To go on with a run: visionmtl train --resume.",
            stacklevel=2,
        )


def _both(optimizer: Any) -> list[Any]:
    """Return an optimizer and the one that it wraps, if it does."""
    return list({id(each): each for each in (optimizer, inner(optimizer))}.values())


def _nothing(store: Any) -> None:
    """Save nothing."""


def _load(optimizer: Any, load: Callable[[Any], None], store: Any) -> None:
    """Load what a file keeps of an optimizer, if it keeps anything."""
    if len(store.keys()):
        load(store)
    else:
        vars(optimizer)[LEFT] = True
