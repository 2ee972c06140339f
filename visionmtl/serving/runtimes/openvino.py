"""OpenVINO models run by OpenVINO, in float32 as they were exported."""

import os
from pathlib import Path
from typing import ClassVar

import numpy as np

from visionmtl.serving import rows
from visionmtl.serving.runtimes._looking import IMAGES
from visionmtl.serving.runtimes._pixels import OfPixels
from visionmtl.serving.runtimes.runtime import TYPES, Arrays, Labels, Tensor

NAMES = {np.dtype(kind): name for name, kind in TYPES.items()}
EXACT = {"INFERENCE_PRECISION_HINT": "f32"}  # where a processor has bfloat16, it would take that, and answer otherwise


class OpenVino(OfPixels):
    """OpenVINO."""

    rank = 4
    files: ClassVar = {"float32": "model.xml", "float16": "model.float16.xml"}
    extra = "openvino"
    needs = ("openvino",)
    wishes = False

    def __init__(self, file: Path, labels: Labels):
        import openvino

        self.model = openvino.Core().compile_model(os.fspath(file), "CPU", EXACT)
        size = self.model.input(IMAGES).get_partial_shape()[0]
        self.one = size.is_static and size.get_length() == 1  # exported with a batch of 1
        self.describe({each.get_any_name(): _tensor(each) for each in self.model.outputs}, labels)

    def answer(self, images: np.ndarray, confidence: float | None) -> Arrays:
        batches = np.split(images, len(images)) if self.one else [images]
        return rows.joined([self._run(batch) for batch in batches], ())  # all are of one size

    def _run(self, images: np.ndarray) -> Arrays:
        answered = self.model({IMAGES: images}).items()
        return {output.get_any_name(): np.array(values) for output, values in answered}  # its own are overwritten


def _tensor(given: object) -> Tensor:
    """Return an output as it is described, of as many rows as there are pictures."""
    sizes = [-1 if size.is_dynamic else size.get_length() for size in given.get_partial_shape()]  # type: ignore[attr-defined]
    kind = given.get_element_type().to_dtype()  # type: ignore[attr-defined]
    return Tensor(NAMES[np.dtype(kind)], (-1, *sizes[1:]), given.get_any_name())  # type: ignore[attr-defined]
