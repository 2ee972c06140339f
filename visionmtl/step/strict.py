"""StrictModel: a Keras model that takes no argument in silence."""

import inspect
from typing import Any

import keras

from visionmtl.errors import UsageError, nearest
from visionmtl.step import arrays
from visionmtl.step.given import NO_BATCH, named
from visionmtl.step.plain_words import plain_words

FUNCTIONAL = ("inputs", "outputs", "name")  # arguments of a functional model of Keras


class StrictModel(keras.Model):
    """What of `BalancedModel` is about being given: Keras passes over what it does not know, or trains on it.

    It is made with arguments of its class alone, and looks at what it is given to learn from or to measure.

    Raises:
        UsageError: an argument is none of the class's.
    """

    faults: Any

    def __init__(self, *args: Any, **kwargs: Any):
        own = inspect.signature(type(self).__init__).parameters.values()
        names = [each.name for each in own if each.kind not in (each.VAR_KEYWORD, each.VAR_POSITIONAL)]
        known = [*(names[1:] or FUNCTIONAL), "trainable"]
        for name in kwargs:
            if name not in {*known, *FUNCTIONAL}:
                raise UsageError(
                    f"{type(self).__name__} has no argument '{name}'.{nearest(name, known)} "
                    f"Arguments: {', '.join(known)}."
                )
        super().__init__(*args, **kwargs)

    def evaluate(self, x: Any = None, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Measure as Keras does, on NumPy labels and weights by task too."""
        given = named("evaluate", args, kwargs)
        y = arrays.prepare(self, given, x, y)
        with plain_words(x), self.faults.told_first():
            logs = super().evaluate(x, y, **given)
        self.faults.tell()
        if isinstance(logs, dict | list) and not logs:
            raise UsageError(NO_BATCH.format("measure"))
        return logs

    def train_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does; what is wrong with the values of the batch is told at once, as no epoch ends."""
        return self._on_batch(super().train_on_batch, "train_on_batch", x, y, args, kwargs)

    def test_on_batch(self, x: Any, y: Any = None, *args: Any, **kwargs: Any) -> Any:
        """Measure as Keras does; what is wrong with the values of the batch is told."""
        return self._on_batch(super().test_on_batch, "test_on_batch", x, y, args, kwargs)

    def _on_batch(self, step: Any, name: str, x: Any, y: Any, args: Any, kwargs: Any) -> Any:
        given = named(name, args, kwargs)
        y = arrays.prepare(self, given, x, y)
        with self.faults.told_first():
            logs = step(x, y, **given)
        self.faults.tell()
        return logs

    def save(self, filepath: Any, *args: Any, **kwargs: Any) -> None:
        """Save as Keras does, but for a whole model as HDF5, which Keras would write and not read again.

        Raises:
            UsageError: the file's name ends as those of HDF5 do.
        """
        if str(filepath).endswith((".h5", ".hdf5")):
            raise UsageError(
                f"'{filepath}' would be a model as HDF5, which Keras does not read again with such classes: save"
                " it as a file that ends in .keras, or its weights by save_weights as one that ends in .weights.h5."
            )
        super().save(filepath, *args, **kwargs)
