"""LiteRT models, once of TensorFlow Lite, run by LiteRT."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from visionmtl.serving import rows
from visionmtl.serving.runtimes._looking import IMAGES
from visionmtl.serving.runtimes._pixels import OfPixels
from visionmtl.serving.runtimes.runtime import TYPES, Arrays, Labels, Tensor

NAMES = {np.dtype(kind): name for name, kind in TYPES.items()}
DEFAULT, WISHING = "serving_default", "serving_default_confidence"  # signatures


class LiteRt(OfPixels):
    """LiteRT."""

    rank = 3
    files: ClassVar = {
        "float32": "model.tflite",
        "float16": "model.float16.tflite",
        "dynamic": "model.dynamic.tflite",
        "int8": "model.int8.tflite",
    }
    extra = "litert"
    needs = ("ai_edge_litert",)

    def __init__(self, file: Path, labels: Labels):
        from ai_edge_litert.interpreter import Interpreter

        threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
        interpreter = Interpreter(model_path=os.fspath(file), num_threads=threads)
        self.by_default = interpreter.get_signature_runner(DEFAULT)
        self.by_wish = (
            interpreter.get_signature_runner(WISHING) if WISHING in interpreter.get_signature_list() else None
        )
        given = self.by_wish.get_input_details() if self.by_wish else {}
        self.confidences = {name: each["shape"] for name, each in given.items() if name != IMAGES}
        outputs = {name: _tensor(each) for name, each in self.by_default.get_output_details().items()}
        self.describe(outputs, labels)

    def answer(self, images: np.ndarray, confidence: float | None) -> Arrays:
        return rows.joined([self._one(image[None], confidence) for image in images], ())  # all are of one size

    def _one(self, image: np.ndarray, confidence: float | None) -> Arrays:
        """Return the outputs for a picture: a model takes one at a time."""
        if confidence is None or self.by_wish is None:
            return self.by_default(images=image)
        wishes = {name: np.full(shape, confidence, np.float32) for name, shape in self.confidences.items()}
        return self.by_wish(images=image, **wishes)


def _tensor(details: dict) -> Tensor:
    """Return an output as it is described, of as many rows as there are pictures."""
    return Tensor(NAMES[np.dtype(details["dtype"])], (-1, *details["shape_signature"][1:].tolist()), details["name"])
