"""An exported SavedModel as Beam runs it: encoded pictures in, each one's predictions or the sentence why not."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from pipelines import DataError
from pipelines.pixels import encoded
from pipelines.pixels.opening import limit
from pipelines.pixels.pictures import png
from visionmtl.drawing.samples import of_task
from visionmtl.prediction import pictures
from visionmtl.prediction.beam import storage
from visionmtl.prediction.beam.needed import ModelHandler, PredictionResult
from visionmtl.prediction.beam.picture import Picture
from visionmtl.tasks import Task

SIGNATURE = "serving_bytes"
MOST = 1 << 30  # pixels, where Pillow has no limit
Answer = dict[str, Any]  # "error", a sentence; or "size" and "predictions" by task


class Served(ModelHandler):
    """Runs an exported model on pictures; needs TensorFlow and what was exported, and no Keras model.

    Args:
        version: the folder of the exported version.
        tasks: as its `labels.json` tells of them, by name.
        least: from which score on objects are told; None for what the export says.
        batch_size: the most pictures at once.
    """

    def __init__(self, version: str, tasks: Mapping[str, Task], least: float | None = None, batch_size: int = 8):
        super().__init__(max_batch_size=batch_size)
        self.version, self.tasks, self.least = version, dict(tasks), least

    def load_model(self) -> Any:
        return tf.saved_model.load(self.version)

    def get_num_bytes(self, batch: Sequence[Picture]) -> int:
        return sum(len(picture.encoded or b"") for picture in batch)

    def run_inference(
        self, batch: Sequence[Picture], model: Any, inference_args: Mapping[str, Any] | None = None
    ) -> Iterator[PredictionResult]:
        """Yield the answer for each picture: one that cannot be read costs no other."""
        read = [_read(picture) for picture in batch]
        answers = self._answers(model, [content for content, _ in read])
        for picture, (content, fault), answer in zip(batch, read, answers, strict=True):
            if fault:
                answer = {"error": fault}
            elif "error" in answer:
                answer = self._otherwise(model, picture, content, answer)
            yield PredictionResult(picture, answer)

    def _otherwise(self, model: Any, picture: Picture, content: bytes, answer: Answer) -> Answer:
        """Return the answer for a picture that the model does not decode, as TIFF: it is decoded as `predict` does."""
        try:
            pixels = _decoded(picture, content)
        except DataError as error:
            return {"error": str(error).replace(encoded.WHAT, f"Picture '{picture.file_name}'")}
        except (MemoryError, OSError):
            pixels = None
        (again,) = [answer] if pixels is None else self._answers(model, [png(pixels, level=1)])
        return {"error": f"'{picture.file_name}': {again['error']}"} if "error" in again else again

    def _answers(self, model: Any, contents: Sequence[bytes]) -> list[Answer]:
        """Return what the model says of each picture."""
        signature = model.signatures[SIGNATURE if self.least is None else f"{SIGNATURE}_confidence"]
        if signature.structured_input_signature[1]["encoded"].shape[0] == 1:
            return [answer for content in contents for answer in self._batch(signature, [content])]
        return self._batch(signature, contents)

    def _batch(self, signature: Any, contents: Sequence[bytes]) -> list[Answer]:
        """Return what the model says of each picture of a batch."""
        given = {"encoded": tf.constant(list(contents), tf.string)}
        if self.least is not None:
            given["confidence"] = tf.fill([len(contents)], self.least)
        found = {key: np.asarray(value) for key, value in signature(**given).items()}
        sizes, errors = found.pop("image_sizes"), found.pop("errors")
        by_task = {name: of_task(found, name, self.tasks) for name in self.tasks}
        return [
            {"error": error.decode()}
            if error
            else {
                "size": tuple(size),
                "predictions": {name: self._own(name, by_task[name], place, size) for name in by_task},
            }
            for place, (size, error) in enumerate(zip(sizes.tolist(), errors, strict=True))
        ]

    def _own(
        self, name: str, found: Mapping[str, np.ndarray], place: int, size: Sequence[int]
    ) -> dict[str, np.ndarray]:
        """Return a task's predictions of one picture of a batch, maps without what pads them to the largest."""
        maps = self.tasks[name].maps
        return {
            key: value[place, : size[0], : size[1]] if key in maps else value[place] for key, value in found.items()
        }


def _read(picture: Picture) -> tuple[bytes, str]:
    """Return the bytes of a picture, and the sentence why there are none."""
    if picture.encoded is not None:
        return picture.encoded, ""
    try:
        return storage.read(picture.file_name), ""
    except OSError as error:
        return b"", f"File '{picture.file_name}' cannot be read: {error}."


def _decoded(picture: Picture, content: bytes) -> np.ndarray:
    """Return the pixels of a picture as `predict` reads them, uint8 `[h, w, 3]`.

    Raises:
        DataError: it does not, either.
    """
    if picture.encoded is None and not storage.is_remote(picture.file_name):
        return pictures.read(Path(picture.file_name))
    header = encoded.inspect(content, 2 * (limit() or MOST))  # of that, Pillow refuses twice as many
    return encoded.decode(content, header)
