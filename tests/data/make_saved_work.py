"""Makes saved work: models, packs and run folders as a version of visionmtl leaves them.

`saved_work.tar.xz` holds what version 0.1.0 left. Run this once with a version that is to be remembered, from its root,
and pack what it wrote; from then on that stays as it is:

    PYTHONPATH=. python tests/data/make_saved_work.py OUT
    tar -C OUT -cJf tests/data/saved_work.tar.xz models packs runs

Everything is made with a toy backbone of eight channels, registered under the name "toy", to keep the files small.
"""

import contextlib
import json
import os
import shutil
import sys
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from PIL import Image

import pipelines
import visionmtl
from visionmtl import backbones, recipe, training
from visionmtl.backbones.architecture import Architecture

SIZE = 64
PAIRS = (  # of a way to share and one to balance: together all that keep something in a file
    ("hard", {"method": "upgrad", "scope": "features"}),
    ("hierarchical", "uncertainty"),
    ("cross_stitch", "bayesian"),
    ("sluice", "learned"),
    ("nddr", "dwa"),
    ("mtan", "gradnorm"),
    ("experts", "imtl_l"),
    ("task_tokens", "famo"),
    ("cascade", "excess_mtl"),
    ("distillation", "stch"),
    ("fusion", {"method": "cagrad", "update_every": 2}),
    ({"name": "soft", "tie": "centre"}, "gradvac"),
    ("relation", "graddrop"),
    ("hard", "db_mtl"),
    ("hard", "sdmgrad"),
)
RUN = (
    "data.image_size=[64, 64]", "data.batch_size=4", "data.options={train: 8, validation: 4, test: 4}",
    "model.backbone=toy", "model.weights=null", "model.neck.channels=4", "training.epochs=3", "training.verbose=0",
    "balancing.watch=1", "balancing.method=cagrad", "model.sharing=cross_stitch",
)  # fmt: skip


def toy(image, imagenet=None):
    """A backbone of five convolutions."""
    x, features = keras.layers.Rescaling(1 / 128, offset=-1)(image), {}
    for level in range(1, 6):
        x = keras.layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
        x = keras.layers.ReLU()(keras.layers.BatchNormalization()(x))
        features[f"P{level}"] = x
    return {level: features[level] for level in ("P2", "P3", "P4", "P5")}


def register_toy() -> None:
    """Let models name the toy backbone."""
    backbones.REGISTRY["toy"] = Architecture("toy", "tests", 0.0, "", toy)


def batch(images: int = 4) -> tuple:
    """Random images, labels and weights of the four tasks of `model`."""
    random = np.random.default_rng(0)
    corner = random.uniform(0, 30, (images, 3, 2))
    boxes = np.concatenate([corner, corner + random.uniform(6, 30, (images, 3, 2))], axis=-1).astype("float32")
    classes = random.integers(0, 2, (images, 3)).astype("int32")
    boxes[:, 2], classes[:, 2] = 0, -1
    labels = {
        "scene": random.integers(0, 3, images).astype("int32"),
        "objects": {"boxes": boxes, "classes": classes},
        "ground": random.integers(0, 3, (images, SIZE, SIZE)).astype("int32"),
        "depth": random.uniform(1, 9, (images, SIZE, SIZE)).astype("float32"),
    }
    return (
        random.integers(0, 256, (images, SIZE, SIZE, 3)).astype("float32"),
        labels,
        {name: np.ones(images, "float32") for name in labels},
    )


def model(sharing, balancing) -> keras.Model:
    """A model of one task of each kind, after one step of training."""
    keras.utils.set_random_seed(0)
    tasks = [
        visionmtl.Classification("scene", ["indoor", "outdoor", "other"]),
        visionmtl.Detection("objects", ["cat", "dog"], depth=1),
        visionmtl.Segmentation("ground", 3),
        visionmtl.Depth("depth"),
    ]
    made = visionmtl.MultiTaskModel(tasks, "toy", (SIZE, SIZE, 3), sharing, neck={"channels": 4})
    made.compile(keras.optimizers.SGD(0.01), balancing=balancing, jit_compile=False)
    step(made, 2)
    return made


def step(made: keras.Model, epochs: int) -> keras.callbacks.History:
    """Train a model for some epochs of one batch."""
    return made.fit(tf.data.Dataset.from_tensors(batch()), epochs=epochs, verbose=0)


def save_models(folder: Path) -> None:
    """Write a model of each pair, and what each says."""
    folder.mkdir(parents=True)
    said = {}
    for sharing, balancing in PAIRS:
        name = f"{_name(sharing, 'name')}-{_name(balancing, 'method')}"
        made = model(sharing, balancing)
        made.save(folder / f"{name}.keras")
        outputs = made.predict_on_batch(batch()[0])
        raw = made(batch()[0], training=False)
        said[name] = {
            "outputs": {key: float(np.abs(value).mean()) for key, value in sorted(raw.items())},
            "predictions": sorted(outputs),
            # The next step: balancer, optimizer and all.
            "losses": step(made, 1).history,
            "after": float(np.mean([np.abs(value).mean() for value in made.get_weights()])),
        }
    (folder / "said.json").write_text(json.dumps(said, indent=1))


def _name(given, key: str) -> str:
    return given if isinstance(given, str) else given[key]


def save_packs(folder: Path) -> None:
    """Write packs of every kind of label: one that is whole and one that was interrupted."""
    pictures = folder.parent / "pictures"
    random = np.random.default_rng(1)
    rows, notes = ["image,label"], {"images": [], "annotations": [], "categories": [{"id": 1, "name": "cat"}]}
    for number in range(6):
        for part in ("images", "masks"):
            (pictures / "train" / part).mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (16, 24, 3)).astype("uint8")
        Image.fromarray(pixels).save(pictures / "train" / "images" / f"{number}.png")
        Image.fromarray(random.integers(0, 2, (16, 24)).astype("uint8")).save(
            pictures / "train" / "masks" / f"{number}.png"
        )
        notes["images"].append({"id": number, "file_name": f"{number}.png", "width": 24, "height": 16})
        box = [int(v) for v in random.integers(1, 8, 4)]
        notes["annotations"].append({"id": number + 1, "image_id": number, "category_id": 1, "bbox": box, "iscrowd": 0})
        rows.append(f"train/images/{number}.png,{'tom' if number % 2 else 'cat'}")
    (pictures / "train" / "annotations.json").write_text(json.dumps(notes))
    (pictures / "classes.csv").write_text("\n".join(rows))
    pipelines.pack("coco", folder / "coco", pictures, ["train"])
    pipelines.pack("csv", folder / "csv", pictures / "classes.csv", ["train"])
    read = {}
    for name in ("coco", "csv"):
        data = pipelines.load("packed", (16, 24), 1, path=folder / name, splits=["train"], shuffle=False)
        read[name] = [
            {key: np.asarray(value).ravel()[:8].tolist() for key, value in flat(labels).items()}
            | {"pixels": float(np.asarray(images).mean())}
            for images, labels, _ in data.train
        ]
    (folder / "read.json").write_text(json.dumps(read, indent=1))


def flat(tree, prefix=""):
    if not isinstance(tree, dict):
        return {prefix: tree}
    return {k: v for key, inner in tree.items() for k, v in flat(inner, f"{prefix}/{key}").items()}


def save_runs(folder: Path) -> None:
    """Write a run that is finished, and the same as it stood when it was interrupted after the second epoch."""
    folder.mkdir(parents=True)
    plan = recipe.load("garments", RUN)
    training.train(plan, folder / "finished")
    whole = visionmtl.callbacks.History.on_epoch_end

    def stop(self, epoch, logs=None):
        whole(self, epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt

    visionmtl.callbacks.History.on_epoch_end = stop
    with contextlib.suppress(KeyboardInterrupt):
        training.train(plan, folder / "interrupted")
    for run in ("finished", "interrupted"):  # what is large, and read by nobody
        shutil.rmtree(folder / run / "samples", ignore_errors=True)
        shutil.rmtree(folder / run / "tensorboard", ignore_errors=True)
        shutil.rmtree(folder / run / "plots", ignore_errors=True)
        (folder / run / "report.html").unlink(missing_ok=True)
    shutil.rmtree(folder / "finished" / "checkpoints")
    (folder / "finished" / "last.keras").unlink()


if __name__ == "__main__":
    out = Path(sys.argv[1]).absolute()
    register_toy()
    save_models(out / "models")
    save_packs(out / "packs")
    save_runs(out / "runs")
