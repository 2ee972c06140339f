"""Images a second of the pipelines, beside a bare loop over the same files and the same augmentation by other means.

    PYTHONPATH=. python benchmarks/pipeline.py ../shared/data/camvid

Every figure is the median of passes that take turns with those of the others, after one pass that does not count. The
processor's time an image, over all cores, is the figure to trust on a machine with other work to do.
"""

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import first_batch
import keras
import keras_cv
import numpy as np
import tensorflow as tf

import pipelines

AUGMENTATION = {"flip": True, "scale": [0.8, 1.4], "colour": 0.2}  # that of camvid.yaml
GEOMETRY = {"flip": True, "scale": [0.8, 1.4]}
BATCH = 8


def measure(title: str, passes: dict[str, Callable[[], int]], repeats: int) -> None:
    """Time passes over data in turn; print images a second, their ratio to the first, and processor time an image."""
    seconds: dict[str, list[tuple[float, float]]] = {name: [] for name in passes}
    images = {name: run() for name, run in passes.items()}
    for _ in range(repeats):
        for name, run in passes.items():
            start = time.perf_counter(), time.process_time()
            run()
            seconds[name].append((time.perf_counter() - start[0], time.process_time() - start[1]))
    print(f"\n{title}\n{'':50} images/s  ratio  CPU ms/image")
    base = None
    for name, taken in seconds.items():
        elapsed, worked = (statistics.median(times) for times in zip(*taken, strict=True))
        rate = images[name] / elapsed
        base = base or rate
        print(f"{name:50} {rate:8.0f}  {rate / base:5.2f}  {1000 * worked / images[name]:12.2f}", flush=True)


def walk(dataset: tf.data.Dataset, batches: int = -1) -> Callable[[], int]:
    """Return the function that passes over a data set and counts its images."""

    def images(batch: tf.Tensor | tuple | dict) -> tf.Tensor:
        return batch["images"] if isinstance(batch, dict) else tf.nest.flatten(batch)[0]

    def run() -> int:
        return sum(len(images(batch)) for batch in dataset.take(batches))

    return run


def bare(files: list[str], size: tuple[int, int], masks: list[str] | None = None) -> tf.data.Dataset:
    """Decode, resize, batch: no labels, nothing checked, or with the masks decoded and resized too."""

    def image(path: tf.Tensor) -> tf.Tensor:
        return tf.image.resize(tf.io.decode_jpeg(tf.io.read_file(path), channels=3), size)

    def both(path: tf.Tensor, mask: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        decoded = tf.io.decode_png(tf.io.read_file(mask), channels=1)
        return image(path), tf.image.resize(decoded, size, method="nearest")

    if masks is None:
        data = tf.data.Dataset.from_tensor_slices(files).map(image, tf.data.AUTOTUNE)
    else:
        data = tf.data.Dataset.from_tensor_slices((files, masks)).map(both, tf.data.AUTOTUNE)
    return data.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def camvid(path: Path, size: tuple[int, int], repeats: int) -> None:
    """CamVid's training split, 480 x 360, with boxes and masks."""
    files = sorted(str(file) for file in (path / "train" / "images").glob("*.jpg"))
    masks = [file.replace("/images/", "/masks/").replace(".jpg", ".png") for file in files]

    def ours(augmentation: dict | None, cache: bool) -> Callable[[], int]:
        data = pipelines.load(
            "coco", size, BATCH, path=path, splits=["train"], augmentation=augmentation, cache=cache, check="headers"
        )
        return walk(data.train)

    def load_and_pass() -> int:
        data = pipelines.load("coco", size, BATCH, path=path, splits=["train"], augmentation=AUGMENTATION)
        return walk(data.train)()

    measure(
        f"CamVid, {len(files)} images to {size[0]} x {size[1]}",
        {
            "bare loop: decode, resize, batch (no masks)": walk(bare(files, size)),
            "bare loop, with masks": walk(bare(files, size, masks)),
            "pipelines, from files": ours(None, False),
            "pipelines, from files, flip + scale + colour": ours(AUGMENTATION, False),
            "pipelines, first epoch: load, check, keep, pass": load_and_pass,
            "pipelines, later epochs": ours(None, True),
            "pipelines, later epochs, flip": ours({"flip": True}, True),
            "pipelines, later epochs, flip + colour": ours({"flip": True, "colour": 0.2}, True),
            "pipelines, later epochs, flip + scale": ours(GEOMETRY, True),
            "pipelines, later epochs, flip + scale + colour": ours(AUGMENTATION, True),
            "pipelines, later epochs, flip + scale + rotate": ours(GEOMETRY | {"rotate": 15}, True),
            "pipelines, later epochs, all + hue + tint": ours(AUGMENTATION | {"hue": 10, "tint": 0.1}, True),
            **{
                f"pipelines, later epochs, all + {name} of each": ours(AUGMENTATION | {name: 1.0}, True)
                for name in ("mosaic", "copy_paste", "cut_mix", "erase")
            },
        },
        repeats,
    )


def layers(path: Path, size: tuple[int, int], repeats: int) -> None:
    """The same flip and zoom of images, boxes and masks by Keras and keras-cv layers, all fed from memory."""
    kept = pipelines.load("coco", size, BATCH, path=path, splits=["train"]).train.take(20).cache()
    geometry = pipelines.load("coco", size, BATCH, path=path, splits=["train"], augmentation=GEOMETRY).train

    def to_keras(images: tf.Tensor, labels: dict, _: dict) -> dict:
        boxes = {"boxes": labels["detection"]["boxes"], "labels": labels["detection"]["classes"]}
        masks = labels["segmentation"][..., None]
        return {"images": tf.cast(images, tf.float32), "bounding_boxes": boxes, "segmentation_masks": masks}

    def to_keras_cv(images: tf.Tensor, labels: dict, _: dict) -> dict:
        boxes = {key: tf.cast(value, tf.float32) for key, value in labels["detection"].items()}
        masks = tf.cast(labels["segmentation"][..., None], tf.float32)
        return {"images": tf.cast(images, tf.float32), "bounding_boxes": boxes, "segmentation_masks": masks}

    keras_layers = [
        keras.layers.RandomFlip("horizontal", bounding_box_format="xyxy"),
        keras.layers.RandomZoom((-0.29, 0.25), bounding_box_format="xyxy"),
    ]
    cv_layers = [
        keras_cv.layers.RandomFlip("horizontal", bounding_box_format="xyxy"),
        keras_cv.layers.JitteredResize(size, (0.8, 1.4), bounding_box_format="xyxy"),
    ]
    mosaic = [keras_cv.layers.Mosaic(bounding_box_format="xyxy")]

    def through(convert: Callable, steps: list) -> Callable[[], int]:
        data = kept.map(convert, tf.data.AUTOTUNE)
        for step in steps:
            data = data.map(lambda batch, step=step: step(batch, training=True), tf.data.AUTOTUNE)
        return walk(data.prefetch(tf.data.AUTOTUNE))

    measure(
        f"Flip and zoom of images, boxes and masks at {size[0]} x {size[1]}, from memory",
        {
            "pipelines, flip + scale": walk(geometry, 20),
            "Keras, RandomFlip": through(to_keras, keras_layers[:1]),
            "Keras, RandomFlip + RandomZoom": through(to_keras, keras_layers),
            "keras-cv, RandomFlip": through(to_keras_cv, cv_layers[:1]),
            "keras-cv, RandomFlip + JitteredResize": through(to_keras_cv, cv_layers),
            "keras-cv, Mosaic": through(to_keras_cv, mosaic),
        },
        max(repeats - 2, 1),
    )


def samplers(size: tuple[int, int], repeats: int) -> None:
    """One zoomed crop of a 360 x 480 picture, by every sampler TensorFlow has."""
    pictures = tf.constant(np.random.default_rng(0).integers(0, 256, (64, 360, 480, 3)), tf.uint8)
    target = tf.constant(size)

    def slice_resize(picture: tf.Tensor) -> tf.Tensor:
        window = tf.slice(picture, [30, 40, 0], [300, 400, 3])
        return tf.raw_ops.ResizeBilinear(images=window[None], size=target, half_pixel_centers=True)[0]

    def scale_and_translate(picture: tf.Tensor) -> tf.Tensor:
        scale = [size[0] / 300, size[1] / 400]
        shift = [-30 * scale[0], -40 * scale[1]]
        return tf.raw_ops.ScaleAndTranslate(
            images=picture[None], size=target, scale=scale, translation=shift, kernel_type="triangle", antialias=False
        )[0]

    def crop_and_resize(picture: tf.Tensor) -> tf.Tensor:
        return tf.image.crop_and_resize(picture[None], [[30 / 359, 40 / 479, 329 / 359, 439 / 479]], [0], size)[0]

    def projective(picture: tf.Tensor) -> tf.Tensor:
        matrix = [[400 / size[1], 0.0, 40.0, 0.0, 300 / size[0], 30.0, 0.0, 0.0]]
        return tf.raw_ops.ImageProjectiveTransformV3(
            images=picture[None],
            transforms=matrix,
            output_shape=target,
            fill_value=0.0,
            interpolation="BILINEAR",
            fill_mode="CONSTANT",
        )[0]

    def through(sample: Callable) -> Callable[[], int]:
        data = tf.data.Dataset.range(512).map(lambda i: sample(pictures[i % 64]), tf.data.AUTOTUNE)
        return walk(data.batch(BATCH))

    names = {"slice, ResizeBilinear": slice_resize, "ScaleAndTranslate": scale_and_translate}
    names |= {"crop_and_resize": crop_and_resize, "ImageProjectiveTransformV3": projective}
    passes = {name: through(sample) for name, sample in names.items()}
    measure(f"Samplers, 360 x 480 to {size[0]} x {size[1]}", passes, repeats)


def garments(size: tuple[int, int], repeats: int) -> None:
    """The embedded scenes, against a bare loop over the same scenes as JPEG files."""
    options = {"splits": ["train"], "train": 2000}

    def ours(augmentation: dict | None, cache: bool) -> Callable[[], int]:
        return walk(pipelines.load("garments", size, BATCH, augmentation=augmentation, cache=cache, **options).train)

    with tempfile.TemporaryDirectory() as folder:
        files = []
        for images, _, _ in pipelines.load("garments", size, BATCH, shuffle=False, **options).train:
            for image in images:
                files.append(f"{folder}/{len(files)}.jpg")
                tf.io.write_file(files[-1], tf.io.encode_jpeg(image, quality=95))
        measure(
            f"garments, {len(files)} scenes at {size[0]} x {size[1]}",
            {
                "bare loop: decode, resize, batch (no masks)": walk(bare(files, size)),
                "pipelines, drawn anew": ours(None, False),
                "pipelines, later epochs": ours(None, True),
                "pipelines, later epochs, flip (garments.yaml)": ours({"flip": True}, True),
                "pipelines, later epochs, flip + colour": ours({"flip": True, "colour": 0.2}, True),
                "pipelines, later epochs, flip + scale + colour": ours(AUGMENTATION, True),
            },
            repeats,
        )


def first_of_pack(count: int, repeats: int) -> None:
    """The time from `load` to the first batch of a folder of many files, and of its pack."""
    with tempfile.TemporaryDirectory() as folder:
        for label in "ab":
            place = Path(folder, "many", "train", label)
            place.mkdir(parents=True)
            pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
            tf.io.write_file(str(place / "0.jpg"), tf.io.encode_jpeg(pixels))
            for number in range(1, count // 2):
                os.link(place / "0.jpg", place / f"{number}.jpg")
        many, packed = Path(folder, "many"), Path(folder, "packed")
        start = time.perf_counter()
        pipelines.pack("folder", packed, many, ["train"])
        print(f"\nFirst batch of {count:,} files (packed once in {time.perf_counter() - start:.0f} s)")

        def first(source: str, path: Path, **options) -> float:
            start = time.perf_counter()
            data = pipelines.load(source, (64, 64), 32, path=path, splits=["train"], cache=False, **options)
            next(iter(data.train))
            return time.perf_counter() - start

        for name, run in {
            "folder, headers read": lambda: first("folder", many, check="headers"),
            "packed, checksums and source compared": lambda: first("packed", packed),
            "packed, source compared": lambda: first("packed", packed, verify="size"),
            "packed, elsewhere than its source": lambda: first("packed", packed, verify="size", changed="ignore"),
        }.items():
            print(f"{name:50} {statistics.median(run() for _ in range(repeats)):8.2f} s", flush=True)


def memory(path: Path, size: tuple[int, int]) -> None:
    """The memory of the process after each of ten epochs, from files and from memory."""
    for name, cache in (("from files", False), ("kept in memory", True)):
        data = pipelines.load("coco", size, BATCH, path=path, splits=["train"], augmentation=AUGMENTATION, cache=cache)
        held = []
        for _ in range(10):
            walk(data.train)()
            status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
            held.append(int(status["VmRSS"].split()[0]) / 1e3)
        print(f"\nMB held after each of ten epochs, {name}: {' '.join(f'{one:.0f}' for one in held)}", flush=True)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("camvid", type=Path, nargs="?", default=Path("../shared/data/camvid"), help="the CamVid folder")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--files", type=int, default=100_000, help="files of the data set whose first batch is timed")
    parser.add_argument("--first-batch", type=int, metavar="FILES", help="time the first batch of so many photographs")
    parser.add_argument(
        "--photographs", type=Path, default=Path("../shared/data/coco128"), help="annotations.json and images/ of these"
    )
    arguments = parser.parse_args()
    versions = f"TensorFlow {tf.__version__}, Keras {keras.__version__}, keras-cv {keras_cv.__version__}"
    print(f"{versions}, {os.cpu_count()} CPUs")
    if arguments.first_batch:
        return first_batch.first_batch(arguments.first_batch, arguments.photographs, arguments.repeats)
    garments((128, 128), arguments.repeats)
    samplers((288, 384), arguments.repeats)
    if arguments.camvid.is_dir():
        camvid(arguments.camvid, (288, 384), arguments.repeats)
        layers(arguments.camvid, (288, 384), arguments.repeats)
        memory(arguments.camvid, (288, 384))
    first_of_pack(arguments.files, arguments.repeats)


if __name__ == "__main__":
    main()
