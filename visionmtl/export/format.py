"""What every export format is: a sentence about it, what it needs, and what it writes of a model."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from visionmtl.errors import UsageError
from visionmtl.model import MultiTaskModel

FLOAT32 = "float32"  # the precision that every format has
PRECISIONS = (FLOAT32, "float16", "dynamic", "int8")


@dataclass(frozen=True)
class Serving:
    """How an exported model is to be used, where nothing else is said with a picture.

    Attributes:
        resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox".
        confidences: by task, what `Task.confident` takes: objects that score less are left out; None leaves out none.
        batch: how many pictures there are in a batch; None for any number.
    """

    resize: str = "stretch"
    confidences: Mapping[str, Any] | None = None
    batch: int | None = None


class Tensor(NamedTuple):
    """One that goes in or comes out.

    Attributes:
        name: by which it is given or asked for.
        dtype: of NumPy, or "string".
        shape: its sizes; -1 for one that differs.
    """

    name: str
    dtype: str
    shape: Sequence[int]


class Signature(NamedTuple):
    """One way to ask a model.

    Attributes:
        inputs: what goes in.
        outputs: what comes out.
        optional: the names of the inputs that may be left out.
    """

    inputs: Sequence[Tensor]
    outputs: Sequence[Tensor]
    optional: Sequence[str] = ()


class Format:
    """A form in which a trained model is shipped, chosen by its file's name.

    The first line of a subclass's docstring says what it is good for.

    Args:
        precision: of the network, one of `precisions`.
        calibration: uint8 `[h, w, 3]`, pictures by which the ranges of whole numbers are chosen, where it takes some.

    Attributes:
        extra: of visionmtl that brings what it needs; "" for none.
        needs: the modules that are imported to write it.
        precisions: that it has, the first of them "float32".
        runner: Python that defines `answer(images, least=None)`, which returns predictions by name for uint8
            `[B, H, W, 3]`, by the runtime alone, with the objects that score at least `least` where that is given;
            `folder`, `file`, `np` and `sys` are there.
        files: the names that it may write; the first, which are those of the precisions, in their order, each always
            where it is written in that precision. No other format has one of them.
    """

    extra: ClassVar[str] = ""
    needs: ClassVar[tuple[str, ...]] = ()
    precisions: ClassVar[tuple[str, ...]] = (FLOAT32,)
    files: ClassVar[tuple[str, ...]]
    runner: ClassVar[str]

    def __init__(self, precision: str = FLOAT32, calibration: Sequence[np.ndarray] = ()):
        self.precision, self.calibration = precision, calibration

    @property
    def file(self) -> str:
        """The name of the file that it always writes."""
        return self.files[self.precisions.index(self.precision)]

    @classmethod
    def check(cls, name: str) -> None:
        """Refuse a format that cannot be written here.

        Args:
            name: of this format.

        Raises:
            UsageError: a package is not installed.
        """
        missing = [module for module in cls.needs if find_spec(module) is None]
        if missing:
            raise UsageError(
                f"Export format '{name}' needs the package {missing[0]}, which is not there: pip install"
                f" 'visionmtl[{cls.extra}]'."
            )

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        """Write a model into a folder, under the names in `files`; `versions.write` does all the rest.

        Args:
            model: what to write.
            folder: where to, beside other formats; it gets its name once it is whole.
            serving: how it is to be used.
        """
        raise NotImplementedError

    def signatures(self, folder: Path) -> dict[str, Signature]:
        """Return what goes into the written model and what comes out, by the name of each way to ask it.

        Args:
            folder: where `write` wrote it.
        """
        raise NotImplementedError

    @contextlib.contextmanager
    def with_all_objects(self, model: MultiTaskModel, folder: Path, serving: Serving) -> Iterator[Path]:
        """Give a folder of which the runner tells all objects, whatever they score, if it is asked for `least=0`.

        Args:
            model: that was written.
            folder: where to.
            serving: how it is to be used.
        """
        yield folder


def least_scores(model: MultiTaskModel, task: str, serving: Serving) -> list[float]:
    """Return the confidence of each class of a task that finds objects `[C]`; 0 for none."""
    classes, value = model.tasks[task].classes, (serving.confidences or {}).get(task)
    by_class: Mapping[str, float] = value if isinstance(value, Mapping) else dict.fromkeys(classes, value or 0.0)
    return [by_class[name] for name in classes]


def refuse_half(model: MultiTaskModel, what: str) -> None:
    """Refuse a model that computes in half precision, of which a converter would make another one in silence.

    Args:
        model: to be exported.
        what: as which, in words.

    Raises:
        UsageError: it does.
    """
    half = {layer.compute_dtype for layer in model._flatten_layers()} & {"bfloat16", "float16"}
    if half:
        raise UsageError(
            f"The model computes in {half.pop()}, and {what} is written of float32 alone: export it as savedmodel, or"
            " train with training.precision=float32."
        )
