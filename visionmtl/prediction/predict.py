"""Predictions on any number of pictures: written one by one as they come, gone on with after whatever stopped them."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from os import cpu_count
from pathlib import Path
from typing import Any

from pipelines.pixels.rules import RESIZES
from visionmtl import stopping
from visionmtl.errors import UsageError, one_of
from visionmtl.model import MultiTaskModel
from visionmtl.model.seeing import Looks
from visionmtl.prediction import confidences as scores
from visionmtl.prediction import finishing, pictures, places, results, settings, video, wanted
from visionmtl.prediction.asked import Options
from visionmtl.prediction.finishing import Done
from visionmtl.prediction.journal import Journal, Record
from visionmtl.prediction.network import Network, alike
from visionmtl.prediction.progress import Progress
from visionmtl.prediction.reading import Sample, samples
from visionmtl.prediction.wanted import Wanted
from visionmtl.prediction.writing import Writing
from visionmtl.tasks.views import Views


def predict(
    model: MultiTaskModel,
    paths: Sequence[str | Path],
    out: str | Path,
    resize: str | None = None,
    *,
    annotations: str | Path | None = None,
    **options: Any,
) -> Path:
    """Predict on pictures of any size, or on videos; everything comes back in the pixels of the picture it is about.

    One that cannot be read is recorded with the sentence why; all others are predicted on.

    Args:
        model: a trained model.
        paths: image files, or folders of them; or video files alone.
        out: the folder to write. `docs/predictions.md` says what is in it: `predictions.jsonl`, a line a picture;
            `detections.json`, COCO's results; `labels.json`; `masks/<task>/*.png` of class ids, `depth/<task>/*.npy` of
            metres, `overlays/*.png`.
        resize: as the model was trained, "stretch" or "letterbox"; None for what the model says of itself.
        annotations: a COCO file that gives images and categories their ids.
        **options: `confidence`, from which score on objects count: a number, or numbers by class, in place of the
            model's own; `overlays`, how many pictures are drawn on, None for all; `format`, a data set to write too,
            one of `formats.names()`, whose pictures are links if `link`; `resume`, to go on with what is in `out`, or
            `replace`, to begin it anew; `shard`, `Shard(1, 4)` for the first of four parts; `batch_size` of the
            network; `tta`, further views of each picture that are merged, as "flip,0.75,1.25", see
            `training.evaluate`; of videos `smooth`, whether objects are followed over frames, and `maps`, whether masks
            and depth of every frame are written.

    Returns:
        The path of the records, `predictions.jsonl`.

    Raises:
        UsageError: there is no picture or none can be read, or `out` holds other predictions.

    Example:
        >>> records = visionmtl.prediction.predict(model, ["photo.jpg"], "predictions")
        Predicted on 1 picture: predictions/predictions.jsonl, predictions/detections.json
        >>> json.loads(records.read_text().splitlines()[0])["width"]
        60
    """
    if not (films := pictures.films(paths)):
        return run(model, wanted.on_disk(paths, out, annotations), out, Options(resize, **options)).path
    if annotations is not None:
        raise UsageError("The frames of videos have no ids in a COCO file: leave annotations out.")
    return video.run(model, films, out, Options(resize, **options)).path


def run(model: MultiTaskModel, there: Wanted, out: str | Path, options: Options) -> Done:
    """Predict on pictures, print what was done, and return it; `predict` has the arguments.

    Raises:
        UsageError: none can be read, or `out` holds other predictions.
        Stopped: a signal stopped it; the same with `resume` goes on.
    """
    out, tasks = Path(out), model.tasks
    resize = one_of(options.resize or model.resize, RESIZES, "resize")
    views = None if options.tta is None else Views.parsed(options.tta)
    confidences = scores.chosen(tasks.values(), model.confidences, options.confidence)
    categories, unknown = there.ids.of_classes(tasks.values())
    made = {
        "resize": resize,
        "confidences": confidences,
        "overlays": options.overlays,
        "format": options.format,
        "link": options.link,
        "tta": None if views is None else str(views),
    }
    made = settings.of(model, there, made)
    also = finishing.data_set(out, tasks, made)
    looks = None if views is None else Looks(model, views)
    for line in filter(None, (there.told, there.ids.told(unknown), looks and looks.told())):
        print(line, flush=True)
    with places.held(out, made, results.labels(tasks, categories), options) as journal:
        writing = Writing(model, there, out, confidences, options.overlays, also)
        Work(Network(model, resize, looks), writing, journal, options).run()
    done = finishing.finish(out) if options.shard is None else finishing.summed(Journal(journal.path))
    done = _with_lost(done, there.lost)
    print("\n".join([*there.notes(), done.text()]), flush=True)
    return done


def _with_lost(done: Done, lost: Sequence[str]) -> Done:
    """Add the pictures of a split that were known beforehand to be unreadable."""
    if not lost:
        return done
    count, sentences = len(lost), [*lost, *done.sentences][: finishing.TOLD]
    return replace(done, pictures=done.pictures + count, unreadable=done.unreadable + count, sentences=sentences)


@dataclass
class Work:
    """The pictures of one call: while the network sees a batch, the one before is written."""

    network: Network
    writing: Writing
    journal: Journal
    options: Options
    pending: list[Future[list[Record]]] = field(default_factory=list)

    def run(self) -> None:
        """Predict on all that is not done yet."""
        of, size = self.writing.wanted, self.network.model.image_size
        own = places.of_shard(len(of.files), self.options.shard)
        self._try_again()
        left = [place for place in own if place + 1 not in self.journal]
        if len(left) < len(own):
            print(f"{len(own) - len(left):,} of {len(own):,} pictures are done: going on with the others.", flush=True)
        self.progress = Progress(len(own), len(own) - len(left), sys.stdout)
        read = samples(left, of.read, size, self.network.resize, self.writing.keeps, self.options.batch_size)
        threads = cpu_count() or 1
        with ThreadPoolExecutor(threads) as pool:
            try:
                for batch in self._batches(read):
                    outputs = self.network.outputs(batch)
                    self._note()
                    groups = alike(batch, -(-len(batch) // threads))
                    self.pending = [pool.submit(self._written, outputs, batch, places) for places in groups]
                self._note()
            except KeyboardInterrupt as stopped:
                self._note()
                sentence = f"{len(self.journal):,} of {len(own):,} pictures are done: --resume goes on with the others."
                raise stopping.saying(stopped, sentence, resumable=True) from None
            finally:
                self.progress.close()

    def _try_again(self) -> None:
        """Forget what could not be read, which may be mended, and what has lost a file, as with the power."""
        for record in list(filter(self._is_wanting, self.journal)):
            self.journal.forget(record["number"])

    def _is_wanting(self, record: Record) -> bool:
        return "error" in record or not self.writing.is_whole(record)

    def _batches(self, read: Iterator[Sample]) -> Iterator[list[Sample]]:
        """Yield batches of the pictures that can be read; note the others."""
        batch: list[Sample] = []
        for sample in read:
            if sample.error:
                self._add([self.writing.unreadable(sample.place, sample.error)])
            else:
                batch.append(sample)
            if len(batch) == self.options.batch_size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _written(self, outputs: Mapping[str, Any], batch: Sequence[Sample], group: Sequence[int]) -> list[Record]:
        """Write pictures of a batch that are alike, and return their records."""
        decoded = self.network.decoded(outputs, group, batch[group[0]])
        return [self.writing.write(batch[place], found) for place, found in zip(group, decoded, strict=True)]

    def _note(self) -> None:
        """Note the batch before as done, once all of it is written."""
        pending, self.pending = self.pending, []
        records: list[Record] = []
        try:
            for future in pending:
                records += future.result()
        finally:
            self._add(sorted(records, key=lambda record: record["number"]))

    def _add(self, records: list[Record]) -> None:
        if records:
            self.journal.add(records)
            self.progress.add(len(records))
