"""What every export format is: a sentence about it, and what it writes of a model."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from visionmtl.model import MultiTaskModel


@dataclass(frozen=True)
class Serving:
    """How an exported model is to be used, where nothing else is said with a picture.

    Attributes:
        resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox".
        confidences: by task, what `Task.confident` takes: objects that score less are left out; None leaves out none.
    """

    resize: str = "stretch"
    confidences: Mapping[str, Any] | None = None


class Format:
    """A form in which a trained model is shipped, chosen by its file's name.

    The first line of a subclass's docstring says what it is good for.
    """

    def write(self, model: MultiTaskModel, folder: Path, serving: Serving) -> None:
        """Write a model into an empty folder; `versions.write` does all the rest.

        Args:
            model: what to write.
            folder: where to; it gets its name once it is whole.
            serving: how it is to be used.
        """
        raise NotImplementedError
