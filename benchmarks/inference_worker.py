"""One runtime in a process of its own: it answers to pictures by turns, and says what that cost."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from visionmtl.export import FORMATS
from visionmtl.export.format import Format

# One core, which every runtime takes for all there are; Python and NumPy are there before the first measurement.
PROGRAM = """
import io, json, os, sys, time
os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
import numpy as np
from PIL import Image
folder, pictures = sys.argv[1:]
files = [open(each, "rb").read() for each in pictures.split(os.pathsep)]
def pixels(encoded):
    return np.stack([np.asarray(Image.open(io.BytesIO(each)).convert("RGB")) for each in encoded])
"""
LOOP = """
for given in sys.stdin:
    batch, start = int(given), time.process_time()
    for place in range(0, len(files), batch):
        answer_files(files[place : place + batch])
    seconds = (time.process_time() - start) / len(files)
    peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024
    print(json.dumps({"seconds": seconds, "megabytes": peak}), flush=True)
"""
# ONNX Runtime takes as many threads as the machine has cores, whose spinning on the one core would count as work.
ONE_THREAD = """
import functools, onnxruntime
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 1
onnxruntime.InferenceSession = functools.partial(onnxruntime.InferenceSession, sess_options=options)
"""
PIXELS = """
def answer_files(encoded):
    if one_by_one:
        return [answer(pixels([each])) for each in encoded]
    return answer(pixels(encoded))
"""
SERVING_BYTES = """
import tensorflow as tf
serving = tf.saved_model.load(folder).signatures["serving_bytes"]
def answer_files(encoded):
    return serving(encoded=tf.constant(encoded))
"""
NETWORK = """
import tensorflow as tf
from visionmtl.training import runs
model = runs.load_model(folder)[0]
forward = tf.function(lambda images: model(images, training=False))
def answer_files(encoded):
    return forward(tf.zeros((len(encoded), *model.image_size, 3)))
"""


def from_pixels(format: Format) -> str:
    """Return the program of a runtime that takes pixels; LiteRT takes those of one picture at a time."""
    one_by_one = isinstance(format, FORMATS["litert"])
    before = ONE_THREAD if isinstance(format, FORMATS["onnx"]) else ""
    return f"file, one_by_one = {format.file!r}, {one_by_one}\n{before}{format.runner}{PIXELS}"


class Worker:
    """A process that answers by one runtime.

    Args:
        program: Python that defines `answer_files`, from a list of encoded pictures; `folder`, `np`, `pixels` and `sys`
            are there.
        folder: of the model.
        pictures: JPEG files, of one size.
    """

    def __init__(self, program: str, folder: Path, pictures: list[Path]) -> None:
        command = [sys.executable, "-c", PROGRAM + program + LOOP, str(folder), ":".join(map(str, pictures))]
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)
        self.megabytes = 0.0  # the most that it has held

    def seconds(self, batch: int) -> float:
        """Return the seconds of CPU that a picture costs, in batches of this size."""
        process: Any = self._process
        process.stdin.write(f"{batch}\n")
        process.stdin.flush()
        said = process.stdout.readline()
        if not said:
            raise SystemExit(f"A runtime ended with status {process.wait()}.")
        self.megabytes = json.loads(said)["megabytes"]
        return json.loads(said)["seconds"]

    def stop(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.wait()
