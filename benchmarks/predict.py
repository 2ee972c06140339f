"""What `visionmtl predict` costs beside the network that it runs, from JPEG files to all that it writes.

PYTHONPATH=. python benchmarks/predict.py --size 128 128 --picture 360 480
"""

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import interleaved
import numpy as np
import tensorflow as tf
from PIL import Image

import visionmtl
from visionmtl import prediction
from visionmtl.prediction.journal import Journal
from visionmtl.prediction.network import Network
from visionmtl.prediction.predict import Options, Work
from visionmtl.prediction.writing import Writing
from visionmtl.report import tables

CLASSES = 11  # of the masks


def photographs(folder: Path, size: tuple[int, int], count: int) -> None:
    """Write smooth pictures of a height and width as JPEG files."""
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    pixels = np.asarray(small.resize(size[::-1]))
    for number in range(count):
        Image.fromarray(np.roll(pixels, 7 * number, axis=1)).save(folder / f"{number}.jpg", quality=90)


def sides(model: visionmtl.MultiTaskModel, folder: Path, out: Path, batch: int) -> dict[str, Callable[[], object]]:
    """Return what is compared: each goes once over all pictures of a folder."""
    network, options = Network(model, "stretch"), Options(batch_size=batch)
    wanted = prediction.on_disk([folder])
    forward = tf.function(lambda images: model(images, training=False))
    images = tf.zeros((batch, *model.image_size, 3))
    rounds = iter(range(1 << 30))

    def raw() -> None:
        for _ in range(0, len(wanted.files), batch):
            forward(images)

    def with_decoding() -> None:
        for path in wanted.files:
            tf.io.decode_jpeg(tf.io.read_file(path), channels=3, dct_method="INTEGER_ACCURATE")
        raw()

    def predicting(overlays: int | None) -> Callable[[], None]:
        def predict() -> None:
            place = out / str(next(rounds))
            writing = Writing(model, wanted, place, {"objects": dict.fromkeys("abc", 0.3)}, overlays)
            Work(network, writing, Journal(place / "predictions.jsonl"), options).run()

        return predict

    return {
        "network alone": raw,
        "network, and JPEGs decoded": with_decoding,
        "predict --overlays none": predicting(0),
        "predict --overlays all": predicting(None),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, nargs=2, default=(128, 128), metavar=("H", "W"), help="of the network")
    parser.add_argument("--picture", type=int, nargs=2, default=(360, 480), metavar=("H", "W"))
    parser.add_argument("--pictures", type=int, default=64)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    tasks = [
        visionmtl.Classification("scene", 3),
        visionmtl.Detection("objects", ["a", "b", "c"]),
        visionmtl.Segmentation("ground", CLASSES),
    ]
    model = visionmtl.MultiTaskModel(tasks, image_shape=(*options.size, 3))
    with tempfile.TemporaryDirectory() as root:
        folder, out = Path(root, "photographs"), Path(root, "out")
        folder.mkdir()
        photographs(folder, options.picture, options.pictures)
        compared = sides(model, folder, out, options.batch)
        taken = interleaved.seconds(compared, options.repeats, warm=1, clock=time.process_time)
    network, decoded = list(taken.values())[:2]
    rows = []
    for name, seconds in taken.items():
        each = f"{1000 * statistics.median(seconds) / options.pictures:.1f}"
        rows.append([name, each, *(f"{interleaved.ratio(floor, seconds):.2f}" for floor in (network, decoded))])
    (height, width), (tall, wide) = options.size, options.picture
    title = f"efficientnet_lite0, {height} x {width}, batch {options.batch}, pictures of {tall} x {wide}"
    print(tables.table([title, "CPU ms a picture", "of the network's speed", "with JPEGs decoded"], rows))


if __name__ == "__main__":
    main()
