"""Runtimes that decode no pictures: the signatures of a SavedModel made of one function of pixels."""

from collections.abc import Collection, Mapping, Sequence
from typing import ClassVar

import numpy as np

from pipelines import DataError
from pipelines.pixels import encoded
from visionmtl.serving import rows
from visionmtl.serving.limits import Limits
from visionmtl.serving.runtimes._looking import CONFIDENCE, ENCODED, ERRORS, IMAGES, pixels_of
from visionmtl.serving.runtimes.runtime import Arrays, Labels, Prepared, Runtime, Signature, Tensor

NOTHING = np.zeros((1, 1, 3), np.uint8)  # in place of a picture that cannot be read


class OfPixels(Runtime):
    """A runtime that answers pixels; encoded pictures are decoded before, by what `predict` does.

    A subclass calls `describe` and has `answer`.

    Attributes:
        wishes: whether a confidence is taken with a request, where tasks find objects.
    """

    wishes: ClassVar[bool] = True
    labels: Labels

    def describe(self, outputs: Mapping[str, Tensor], labels: Labels) -> None:
        """Make the signatures.

        Args:
            outputs: of `serving_default`, by name.
            labels: of `labels.json`.
        """
        self.labels = labels
        given = {
            "serving_default": ({IMAGES: Tensor("DT_UINT8", (-1, -1, -1, 3))}, outputs),
            "serving_bytes": ({ENCODED: Tensor("DT_STRING", (-1,))}, {**outputs, ERRORS: Tensor("DT_STRING", (-1,))}),
        }
        self.signatures = {name: Signature(*sides) for name, sides in given.items()}
        if self.wishes and any(f"{task}_boxes" in outputs for task in labels):
            wish = {CONFIDENCE: Tensor("DT_FLOAT", (-1,))}
            more = {f"{name}_confidence": Signature(ins | wish, outs) for name, (ins, outs) in given.items()}
            self.signatures |= more

    def answer(self, images: np.ndarray, confidence: float | None) -> Arrays:
        """Return the outputs for pictures of one size.

        Args:
            images: uint8 `[B, H, W, 3]`.
            confidence: of all classes; None for that of the export.
        """
        raise NotImplementedError

    def prepare(self, inputs: Arrays, limits: Limits) -> Prepared:
        if ENCODED not in inputs:
            return Prepared(inputs, pixels_of(inputs, limits))
        pictures, faults = np.empty(len(inputs[ENCODED]), np.object_), dict[int, str]()
        for row, content in enumerate(inputs[ENCODED]):
            try:
                pictures[row] = encoded.decode(content, encoded.inspect(content, limits.pixels))
            except DataError as error:
                pictures[row], faults[row] = None, str(error)
        largest = max((each.shape[0] * each.shape[1] for each in pictures if each is not None), default=0)
        return Prepared({**inputs, ENCODED: pictures}, largest, faults)

    def run(self, signature: str, inputs: Arrays) -> Arrays:
        maps = self.signatures[signature].maps
        pictures = list(inputs[IMAGES] if IMAGES in inputs else inputs[ENCODED])
        wishes = inputs[CONFIDENCE].tolist() if CONFIDENCE in inputs else [None] * len(pictures)
        alike: dict[tuple, list[int]] = {}
        for row, (picture, wish) in enumerate(zip(pictures, wishes, strict=True)):
            key = (None, None) if picture is None else (picture.shape, wish)
            alike.setdefault(key, []).append(row)
        if len(alike) == 1 and pictures[0] is not None:  # which is most often so, and quicker
            outputs = dict(self.answer(np.stack(pictures), wishes[0]))
        else:
            outputs = self._apart(pictures, alike, maps)
        if IMAGES not in inputs:
            outputs[ERRORS] = np.full(len(pictures), "", np.object_)
        return outputs

    def _apart(self, pictures: Sequence, alike: Mapping[tuple, Sequence[int]], maps: Collection[str]) -> dict:
        """Return the outputs for pictures of several sizes or confidences, and for those that cannot be read.

        Args:
            pictures: uint8 `[H, W, 3]`, or None for one that cannot be read.
            alike: the rows of those that can be answered together, by their shape and confidence.
            maps: the names of the outputs that have a value for each pixel.
        """
        found: dict[int, Arrays] = {}
        for (shape, wish), places in alike.items():
            if shape is None:
                found |= dict.fromkeys(places, self._nothing(maps))
                continue
            answered = self.answer(np.stack([pictures[row] for row in places]), wish)
            found |= {row: rows.part(answered, place, place + 1, maps) for place, row in enumerate(places)}
        return rows.joined([found[row] for row in range(len(pictures))], maps)

    def _nothing(self, maps: Collection[str]) -> dict[str, np.ndarray]:
        """Return what stands for a picture that cannot be read: no object, no pixel, zeros."""
        nothing = {name: np.zeros_like(values) for name, values in self.answer(NOTHING[None], None).items()}
        for task in self.labels:
            if f"{task}_boxes" in nothing:
                nothing[f"{task}_classes"] -= 1
        return nothing | {name: nothing[name][:, :0, :0] for name in maps}
