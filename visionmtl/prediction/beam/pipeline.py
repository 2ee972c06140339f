"""All of it: pictures found and counted, a pipeline that predicts on them and writes, and its shards joined."""

import json
import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from pipelines.files import remove_partial
from pipelines.pixels.rules import SUFFIXES
from visionmtl.errors import UsageError
from visionmtl.prediction import merging, numbering, places, results, settings
from visionmtl.prediction.beam import storage
from visionmtl.prediction.beam.needed import FileSystems, beam, check
from visionmtl.prediction.beam.picture import Picture, lines
from visionmtl.prediction.beam.transforms import Predict, Write
from visionmtl.prediction.confidences import Asked
from visionmtl.prediction.finishing import RECORDS, Done
from visionmtl.prediction.pictures import told_apart
from visionmtl.prediction.wanted import Wanted, on_disk

PICTURES = "predictions-listed.jsonl"  # in `out` while the pipeline runs
EACH = 1000  # pictures of a shard


def predict(
    export: str | Path,
    paths: Sequence[str | Path],
    out: str | Path,
    options: Any = None,
    *,
    annotations: str | Path | None = None,
    confidence: Asked = None,
    batch_size: int = 8,
    replace: bool = False,
) -> Done | None:
    """Predict on pictures by a Beam pipeline, with what `visionmtl predict --overlays none` writes in the end.

    Of a pipeline that failed as a whole nothing is lost but time: the same call does it again, over what is there.

    Args:
        export: the folder of an exported SavedModel, or that of its versions, of which the last is taken.
        paths: picture files, folders of them, or patterns of URLs, as "gs://bucket/photographs/**.jpg".
        out: the folder to write, which all workers must have; or a URL.
        options: of the pipeline, `PipelineOptions`, which say where it runs.
        annotations: a COCO file that gives images and categories their ids; for pictures on disk.
        confidence: from which score on objects count: a number, or numbers by class; None for what the export says.
        batch_size: the most pictures at once.
        replace: whether predictions that are in `out` are removed.

    Returns:
        What was predicted; None where `out` is a URL, of which the shards are to be joined on a disk.

    Raises:
        UsageError: Beam is not installed, there is no picture or no export, or `out` holds other predictions.
    """
    check()
    place, transform = str(out), Predict(export, out, confidence, batch_size)
    exported, wanted = transform.exported, _wanted(paths, out, annotations)
    categories, unknown = wanted.ids.of_classes(exported.tasks.values())
    made = {"resize": None, "confidences": transform.confidences, "overlays": 0, "format": None, "link": False}
    made = settings.together(exported.sum(), wanted, made)
    for line in filter(None, (wanted.told, wanted.ids.told(unknown))):
        print(line, flush=True)
    _begin(place, made, results.labels(exported.tasks, categories), replace)
    listing, shards = storage.joined(place, PICTURES), -(-len(wanted.files) // EACH)
    storage.write(listing, lines(wanted))
    with beam.Pipeline(options=options) as pipeline:
        listed = pipeline | "Listing" >> beam.io.ReadFromText(listing) | "Spread" >> beam.Reshuffle()
        listed | "Numbered" >> beam.Map(Picture.read) | "Predict" >> transform | "Write" >> Write(place, shards)
    FileSystems.delete([listing])
    if storage.is_remote(place):
        print(f"Predicted on {len(wanted.files):,} pictures: copy '{place}' to a disk; there, visionmtl predict merge.")
        return None
    remove_partial(Path(place))
    return merging.merge([place])


def _wanted(paths: Sequence[str | Path], out: str | Path, annotations: str | Path | None) -> Wanted:
    """Return the pictures among paths on disk, or of patterns of URLs.

    Raises:
        UsageError: there is none, or both kinds are given.
    """
    remote = [str(path) for path in paths if storage.is_remote(str(path))]
    if not remote:
        return on_disk(paths, out, annotations)
    if len(remote) < len(paths) or annotations is not None:
        raise UsageError(f"'{remote[0]}' is a URL: give pictures of URLs alone, and without annotations.")
    files, names = list[str](), list[PurePosixPath]()
    for pattern in remote:
        root = re.split(r"[*?\[{]", pattern)[0].rpartition("/")[0] + "/"
        for each in sorted(found.path for found in FileSystems.match([pattern])[0].metadata_list):
            if PurePosixPath(each).suffix.lower() in SUFFIXES:
                files.append(each)
                names.append(PurePosixPath(each.removeprefix(root)))
    if not files:
        raise UsageError(f"There is no picture '{remote[0]}'.")
    return Wanted(files, told_apart(names), _elsewhere, numbering.counted(len(files)), [None] * len(files))


def _elsewhere(place: int) -> np.ndarray:
    raise NotImplementedError("a picture of a URL is read where it is predicted on")


def _begin(out: str, made: dict[str, Any], labels: dict[str, Any], replace: bool) -> None:
    """Begin a folder of predictions, or go on with one whose pipeline did not end.

    Raises:
        UsageError: it holds finished predictions, or others.
    """
    if storage.is_remote(out):
        for name, content in ((settings.LABELS, labels), (settings.SETTINGS, made)):
            storage.write(storage.joined(out, name), json.dumps(content, indent=2).encode() + b"\n")
        return
    folder = Path(out)
    if replace and places.is_written(folder):
        places.clear(folder)
    before = settings.read(folder)
    if before is None:
        settings.begin(folder, made, labels)
        return
    settings.refuse_others(folder, before, made)
    if (folder / RECORDS).exists():
        raise UsageError(f"'{out}' holds predictions already: begin anew by replace=True, or name another folder.")
