"""Predictions on films: each frame through the model, objects followed over frames, drawn and recorded."""

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from os import cpu_count
from pathlib import Path, PurePath
from typing import BinaryIO

import numpy as np

from pipelines import DataError
from pipelines.pixels.rules import RESIZES
from visionmtl import stopping
from visionmtl.errors import UsageError, one_of
from visionmtl.files import written_whole
from visionmtl.model import MultiTaskModel
from visionmtl.model.seeing import Looks
from visionmtl.prediction import confidences as scores
from visionmtl.prediction import finishing, numbering, pictures, places, results, settings
from visionmtl.prediction.asked import Options
from visionmtl.prediction.confidences import Confidences
from visionmtl.prediction.finishing import Done
from visionmtl.prediction.journal import Journal, Record
from visionmtl.prediction.network import Network, Predictions, alike
from visionmtl.prediction.overlays import drawn
from visionmtl.prediction.progress import Progress
from visionmtl.prediction.reading import Sample, fitting
from visionmtl.prediction.video import encoding, needed
from visionmtl.prediction.video.film import Film, Frame
from visionmtl.prediction.video.frames import Telling
from visionmtl.prediction.video.keys import Key
from visionmtl.prediction.video.sides import Sides
from visionmtl.prediction.wanted import Wanted
from visionmtl.tasks.views import Views

VIDEOS, FRAMES = "videos", "frames"  # folders of films, and of records of their frames


def check(options: Options) -> None:
    """Refuse what films cannot have, before anything is loaded.

    Raises:
        UsageError: an option is of pictures alone, or PyAV is missing.
    """
    of_pictures = {"format": options.format, "link": options.link, "shard": options.shard}
    for name, value in of_pictures.items():
        if value:
            raise UsageError(f"--{name} is of pictures, and videos were given: leave it out.")
    if options.overlays:
        raise UsageError(
            f"--overlays is {options.overlays}, and of a video all frames are drawn on, or none: give one of both."
        )
    needed.check()
    if options.overlays is None:
        needed.encoder()


def run(model: MultiTaskModel, paths: Sequence[Path], out: str | Path, options: Options) -> Done:
    """Predict on films, print what was done, and return it; `predict` has the arguments.

    Raises:
        UsageError: none can be read, or `out` holds other predictions.
        Stopped: a signal stopped it; the same with `resume` goes on with the film that it was at, from its beginning.
    """
    check(options)
    out, tasks = Path(out), model.tasks
    resize = one_of(options.resize or model.resize, RESIZES, "resize")
    views = None if options.tta is None else Views.parsed(options.tta)
    confidences = scores.chosen(tasks.values(), model.confidences, options.confidence)
    names = pictures.told_apart([PurePath(path.name) for path in paths])
    wanted = Wanted([str(path) for path in paths], names, _unread, numbering.counted(len(paths)), list(paths))
    made = {
        "resize": resize,
        "confidences": confidences,
        "overlays": options.overlays,
        "format": None,
        "link": False,
        "tta": None if views is None else str(views),
        "smooth": options.smooth,
        "maps": options.maps,
    }
    made = settings.of(model, wanted, made)
    looks = None if views is None else Looks(model, views)
    if looks is not None and looks.told():
        print(looks.told(), flush=True)
    categories, _ = wanted.ids.of_classes(tasks.values())
    with places.held(out, made, results.labels(tasks, categories), options) as journal:
        Work(Network(model, resize, looks), wanted, out, confidences, journal, options).run()
    done = finishing.summed(Journal(journal.path))
    if done.pictures == done.unreadable:
        none = f"None of {done.pictures} videos can be read: {done.sentences[0]}"
        raise UsageError(done.sentences[0] if done.pictures < 2 else none)
    print(_text(Journal(journal.path), out), flush=True)
    return done


def _unread(place: int) -> np.ndarray:
    raise NotImplementedError


def _text(journal: Journal, out: Path) -> str:
    """Return what was done with each film, as lines of text."""
    lines = []
    for record in journal:
        if "error" in record:
            lines.append(f"Could not read: {record['error']}")
            continue
        written = ", ".join(str(out / record[key]) for key in ("video", "records") if key in record)
        frames = "1 frame" if record["frames"] == 1 else f"{record['frames']:,} frames"
        lines.append(f"Predicted on {frames} of '{record['file_name']}': {written}")
        lines += [f"  {fault}" for fault in record["faults"]]
    return "\n".join(lines)


@dataclass
class Work:
    """The films of one call, one after the other."""

    network: Network
    wanted: Wanted
    out: Path
    confidences: Confidences
    journal: Journal
    options: Options
    pool: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(cpu_count() or 1))

    def run(self) -> None:
        """Predict on all films that are not done yet."""
        for record in list(filter(self._is_wanting, self.journal)):
            self.journal.forget(record["number"])
        for place, name in enumerate(self.wanted.files):
            if place + 1 in self.journal:
                print(f"'{name}' is done: going on with the others.", flush=True)
                continue
            begun: Record = {"number": place + 1, "file_name": name, "name": self.wanted.names[place]}
            try:
                with Film(Path(name)) as film:
                    self.journal.add([begun | self._film(film, self.wanted.names[place])])
            except DataError as error:
                self.journal.add([begun | {"error": str(error)}])

    def _is_wanting(self, record: Record) -> bool:
        paths = [self.out / record[key] for key in ("video", "records") if key in record]
        return "error" in record or not all(path.is_file() for path in paths)

    def _film(self, film: Film, name: str) -> Record:
        """Predict on one film, and return its record."""
        video, records = Path(VIDEOS, f"{name}.mp4"), Path(FRAMES, f"{name}.jsonl")
        progress = Progress(film.expected, 0, sys.stdout, "frames")
        count, last = 0, 0.0
        try:
            with written_whole(self.out / records) as partial, open(partial, "wb") as lines:
                if self.options.overlays is None:
                    with encoding.written(self.out / video, film) as writer:
                        for frame, pixels in self._told(film, name, lines):
                            writer.add(frame, pixels)
                            count, last = count + 1, frame.seconds
                            progress.add(1)
                else:
                    for frame, _ in self._told(film, name, lines):
                        count, last = count + 1, frame.seconds
                        progress.add(1)
        except KeyboardInterrupt as stopped:
            sentence = (
                f"'{film.path}' is begun anew, and had {count:,} frames: --resume goes on with it and what follows."
            )
            raise stopping.saying(stopped, sentence, resumable=True) from None
        finally:
            progress.close()
        height, width = film.size or (0, 0)
        told: Record = {
            "width": width,
            "height": height,
            "frames": count,
            "rate": str(film.rate),
            "seconds": round(last, 6),
        }
        told["records"] = records.as_posix()
        if self.options.overlays is None:
            told["video"] = video.as_posix()
        return told | {"faults": film.faults()}

    def _told(self, film: Film, name: str, lines: BinaryIO) -> Iterator[tuple[Frame, np.ndarray]]:
        """Record each frame of a film; yield them, each with what is to be shown in its place."""
        tasks = self.network.model.tasks
        telling: Telling | None = None
        sides: Sides | None = None
        key, frames = Key(tasks), iter(film)
        while batch := list(islice(frames, self.options.batch_size)):
            if telling is None or sides is None:
                size = batch[0].pixels.shape[:2]
                telling = Telling(tasks, self.confidences, size, self.out, name, self.options)
                sides = Sides(tasks, size)
            found = [telling.followed(frame, each) for frame, each in zip(batch, self._predicted(batch), strict=True)]
            for line in self.pool.map(telling.line, batch, found):
                lines.write(line)

            def show(frame: Frame, predictions: Predictions) -> np.ndarray:
                return key.below(drawn(tasks, frame.pixels, predictions, self.confidences), predictions)

            if self.options.overlays is None:
                yield from zip(batch, self.pool.map(show, batch, list(map(sides.kept, found))), strict=True)
            else:
                yield from ((frame, frame.pixels) for frame in batch)

    def _predicted(self, batch: Sequence[Frame]) -> list[Predictions]:
        """Return what the network predicts on frames of one size."""
        fit = fitting(self.network.model.image_size, self.network.resize)

        def sample(frame: Frame) -> Sample:
            fitted, window = (np.asarray(each) for each in fit(frame.pixels))
            return Sample(frame.number, "", frame.pixels.shape[:2], frame.pixels[:0], fitted, window)

        samples = list(self.pool.map(sample, batch))
        outputs = self.network.outputs(samples)
        groups = alike(samples, -(-len(samples) // (cpu_count() or 1)))
        decoded = self.pool.map(lambda group: self.network.decoded(outputs, group, samples[group[0]]), groups)
        return [each for group in decoded for each in group]
