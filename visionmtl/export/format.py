"""What every export format is: a sentence about it, and what it writes of a model."""

from pathlib import Path

from visionmtl.model import MultiTaskModel


class Format:
    """A form in which a trained model is shipped, chosen by its file's name.

    The first line of a subclass's docstring says what it is good for.
    """

    def write(self, model: MultiTaskModel, folder: Path, resize: str) -> None:
        """Write a model into an empty folder; `versions.write` does all the rest.

        Args:
            model: what to write.
            folder: where to; it gets its name once it is whole.
            resize: how pictures of another shape are brought to the network's input, "stretch" or "letterbox".
        """
        raise NotImplementedError
