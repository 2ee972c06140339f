"""A server in this process, of a runtime that computes next to nothing and whose answers tell whose picture it was."""

import contextlib
import io
import json
import threading
import time
from typing import ClassVar

import httpx
import numpy as np
import uvicorn
from PIL import Image

from visionmtl.serving import Limits, runtimes
from visionmtl.serving.runtimes._pixels import OfPixels
from visionmtl.serving.runtimes.runtime import Tensor

LABELS = {
    "scene": {"kind": "classification", "classes": ["red", "green", "blue"]},
    "spots": {"kind": "detection", "classes": ["cat", "dog"], "confidences": {"cat": 0.5, "dog": 0.5}},
    "ground": {"kind": "segmentation", "classes": ["dark", "light"]},
    "range": {"kind": "depth", "classes": []},
}
FILE = "model.toy"


class Toy(OfPixels):
    """Tells the mean of each channel, one dog in the upper left quarter, and what is light."""

    rank = 50
    files: ClassVar = {"float32": FILE}
    seconds = 0.0  # that a batch takes
    came: ClassVar[list[int]] = []  # pictures of each batch that stands at the gate or has passed it
    ran: ClassVar[list[int]] = []  # pictures of each batch
    gate = threading.Event()  # a batch runs only while this is set
    gate.set()

    def __init__(self, file, labels):
        self.offset = json.loads(file.read_text())["offset"]
        outputs = {
            "scene_probabilities": Tensor("DT_FLOAT", (-1, 3)),
            "spots_boxes": Tensor("DT_FLOAT", (-1, 100, 4)),
            "spots_scores": Tensor("DT_FLOAT", (-1, 100)),
            "spots_classes": Tensor("DT_INT32", (-1, 100)),
            "spots_count": Tensor("DT_INT32", (-1,)),
            "ground_classes": Tensor("DT_INT32", (-1, -1, -1)),
            "range_depth": Tensor("DT_FLOAT", (-1, -1, -1)),
            "image_sizes": Tensor("DT_INT32", (-1, 2)),
        }
        self.describe(outputs, labels)

    def answer(self, images, confidence):
        type(self).came.append(len(images))
        assert self.gate.wait(30)
        type(self).ran.append(len(images))
        time.sleep(self.seconds)
        if (images == 13).all((1, 2, 3)).any():
            raise ValueError("an unlucky picture, /somewhere/secret.py")
        count, height, width = images.shape[:3]
        boxes, scores = np.zeros((count, 100, 4), "f"), np.zeros((count, 100), "f")
        classes = np.full((count, 100), -1, "i")
        if confidence is None or confidence <= 0.75:
            boxes[:, 0], scores[:, 0], classes[:, 0] = (0, 0, width / 2, height / 2), 0.75, 1
        return {
            "scene_probabilities": (images.mean((1, 2)) / 255 + self.offset).astype("f"),
            "spots_boxes": boxes,
            "spots_scores": scores,
            "spots_classes": classes,
            "spots_count": (classes >= 0).sum(1).astype("i"),
            "ground_classes": (images[..., 0] > 127).astype("i"),
            "range_depth": images[..., 1].astype("f") / 10,
            "image_sizes": np.full((count, 2), (height, width), "i"),
        }


def register():
    """Make the toy a runtime; it is one of no export format."""
    runtimes.RUNTIMES["toy"] = Toy


def write(folder, number=1, offset=0.0, labels=LABELS):
    """Write a version of a model of the toy; it appears whole."""
    partial = folder / f".{number}.partial"
    partial.mkdir(parents=True)
    (partial / FILE).write_text(json.dumps({"offset": offset}))
    (partial / "labels.json").write_text(json.dumps(labels))
    partial.rename(folder / str(number))
    return folder


def png(level, size=(6, 8)):
    """A picture of one level, or of three; its height and width may be given."""
    pixels = np.empty((*size, 3), np.uint8)
    pixels[:] = level
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


@contextlib.contextmanager
def served(folder, every=0.05, **limits):
    """A client of a server of a folder, `client.server` and `client.state`, `client.told` what it printed."""
    from visionmtl.serving import server
    from visionmtl.serving.answering import Desk
    from visionmtl.serving.batching import Line
    from visionmtl.serving.metrics import Metrics
    from visionmtl.serving.versions import Versions
    from visionmtl.serving.web import application
    from visionmtl.serving.web.state import State

    register()
    limits, metrics, told = Limits(**limits), Metrics(), []
    versions, line = Versions(folder, None, None, limits, metrics, told.append), Line(limits, metrics)
    state = State(versions, Desk(line, limits, metrics), limits, metrics)
    with server.listening("127.0.0.1", 0) as listener:
        config = uvicorn.Config(application(state), lifespan="off", ws="none", log_config=None, access_log=False)
        running = server.Server(config, state)
        thread = threading.Thread(target=running.run, args=([listener],), daemon=True)
        thread.start()
        versions.watch(every)
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with httpx.Client(base_url=address, timeout=30) as client:
            client.state, client.server, client.told = state, running, told
            try:
                yield client
            finally:
                Toy.gate.set()
                running.should_exit = True
                client.close()
                thread.join(20)
                versions.close()
                line.close()
