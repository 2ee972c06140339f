"""Predictions for pictures on disk: overlays to look at, class maps, and one COCO-style JSON."""

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from visionmtl import drawing, images
from visionmtl.drawing import samples
from visionmtl.files import write_picture, write_text
from visionmtl.model import MultiTaskModel
from visionmtl.prediction.pictures import distinct_names, find, read

BATCH = 8


def predict(model: MultiTaskModel, paths: Sequence[str | Path], out: str | Path, resize: str = "stretch") -> Path:
    """Predict on pictures of any size; everything comes back in the pixels of the picture it is about.

    Args:
        model: a trained model.
        paths: image files, or folders of them.
        out: the folder to write: `overlays/*.png`, `masks/*.png` of class ids, `depth/*.npy` of metres, `[H, W]`, and
            `predictions.json`: COCO's `images`, `categories` and `annotations` (`bbox` is x, y, width, height),
            each image with its labels' probabilities, its masks and its depth. Every box of a score of 0.01 or more is
            there; overlays show those of 0.3 or more.
        resize: as the model was trained, "stretch" or "letterbox".

    Returns:
        The path of the JSON.

    Raises:
        UsageError: there is no picture.
        pipelines.DataError: a picture cannot be read; the message names it.
    """
    out, files = Path(out), find(paths)
    entries: dict[str, list] = {"images": [], "categories": _categories(model), "annotations": []}
    ids = {(entry["supercategory"], entry["name"]): entry["id"] for entry in entries["categories"]}
    names = distinct_names(files)
    for number, (file, picture, predictions) in enumerate(_predictions(model, files, resize), start=1):
        image = {"id": number, "file_name": str(file), "width": picture.shape[1], "height": picture.shape[0]}
        for name, task in model.tasks.items():
            told = task.describe(predictions[name], out, names[file])
            if told is not None:
                image[name] = told
            for annotation in task.annotations(predictions[name]):
                about = {"id": len(entries["annotations"]) + 1, "image_id": number, "file_name": str(file)}
                about["category_id"] = ids[name, task.classes[annotation["class"]]]
                entries["annotations"].append(about | {"bbox": annotation["bbox"], "score": annotation["score"]})
        entries["images"].append(image)
        write_picture(out / "overlays" / f"{names[file]}.png", _overlay(model, picture, predictions))
    path = out / "predictions.json"
    write_text(path, json.dumps(entries, indent=1) + "\n")
    print(f"Predicted on {len(files)} pictures: {out / 'overlays'}, {path}")
    return path


def _predictions(
    model: MultiTaskModel, files: Sequence[Path], resize: str
) -> Iterator[tuple[Path, np.ndarray, dict[str, dict[str, np.ndarray]]]]:
    """Yield each file with its picture and its predictions by task; the network sees several at a time."""
    forward = tf.function(lambda batch: model(batch, training=False), reduce_retracing=True)
    for start in range(0, len(files), BATCH):
        chunk = [(file, read(file)) for file in files[start : start + BATCH]]
        fitted = [images.fit(tf.constant(picture), model.image_size, resize) for _, picture in chunk]
        outputs = forward(tf.stack([image for image, _ in fitted]))
        for index, ((file, picture), (_, window)) in enumerate(zip(chunk, fitted, strict=True)):
            own = {key: value[index : index + 1] for key, value in outputs.items()}
            decoded = {key: value[0].numpy() for key, value in model.decode(own, picture.shape[:2], window).items()}
            yield file, picture, {name: samples.of_task(decoded, name, model.tasks) for name in model.tasks}


def _overlay(
    model: MultiTaskModel, picture: np.ndarray, predictions: Mapping[str, Mapping[str, np.ndarray]]
) -> np.ndarray:
    """Draw all tasks' predictions on a picture; a small one is enlarged so that labels can be read."""
    factor = max(1, round(samples.READABLE_SIDE / min(picture.shape[:2])))
    drawn, _ = drawing.enlarge(picture, {}, factor)
    for task in samples.drawing_order(model.tasks.values()):
        drawn = task.draw(drawn, drawing.enlarge(picture, predictions[task.name], factor)[1])
    return drawn


def _categories(model: MultiTaskModel) -> list[dict[str, Any]]:
    """Return COCO's categories: the classes of every task that finds objects, numbered from 1."""
    named = [(task.name, name) for task in model.tasks.values() if task.annotates for name in task.classes]
    return [{"id": number, "name": name, "supercategory": task} for number, (task, name) in enumerate(named, start=1)]
