"""A prepared TFDS data set, found without a network, and its records, each read by its number."""

import os
import struct
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from absl import logging

from pipelines.errors import DataError


class Prepared:
    """A TFDS data set that lies prepared in a folder.

    Args:
        name: as TFDS writes it, `"voc"`, `"coco/2017"` or `"voc/2007:5.0.0"`.
        folder: TFDS's `data_dir`; None for its default, `~/tensorflow_datasets`.
        manual: what has to be downloaded by hand before, or nothing.

    Attributes:
        features: TFDS's description of an example.

    Raises:
        DataError: it is not there; the message has the command that prepares it. Nothing is ever downloaded here.
    """

    def __init__(self, name: str, folder: Path | None, manual: str = ""):
        import tensorflow_datasets as tfds  # here, not above: a third of a second that other sources need not wait

        self.name = name
        try:
            self.builder = tfds.core.read_only_builder.builder_from_files(
                name, **({} if folder is None else {"data_dir": str(folder)})
            )
        except tfds.core.DatasetNotFoundError:
            where, option = ("TFDS's own folder", "") if folder is None else (f"'{folder}'", f" --data_dir={folder}")
            first = f" Before that, download {manual} by hand, for --manual_dir." if manual else ""
            raise DataError(
                f"TFDS data set '{name}' is not prepared in {where}: download and prepare it with `tfds build {name}"
                f"{option}`.{first}"
            ) from None
        self.features = self.builder.info.features

    @property
    def place(self) -> Path:
        """The folder of its files."""
        return Path(self.builder.data_path)

    @property
    def splits(self) -> list[str]:
        """The names of its splits."""
        return sorted(self.builder.info.splits)

    def records(self, split: str) -> Sequence[bytes]:
        """Return the serialized examples of a split or a slice of one, such as `"train[:90%]"`.

        Raises:
            DataError: there is no such split, or a file of it is not whole.
        """
        import tensorflow_datasets as tfds

        try:
            instructions = self.builder.info.splits[split].file_instructions
        except (KeyError, ValueError, AssertionError) as error:
            reason = str(error).strip("\"'").partition("\n")[0].rstrip(".")
            raise DataError(
                f"TFDS data set '{self.name}' has no split '{split}' ({reason}); it has: {', '.join(self.splits)}."
            ) from None
        if self.builder.info.file_format in tfds.core.FileFormat.with_random_access():
            return self.builder.as_data_source(split, deserialize_method=tfds.decode.DeserializeMethod.RAW_BYTES)
        return TFRecords([(Path(file.filename), file.skip, file.take) for file in instructions])

    def reduced(self, paths: Iterable[str]) -> Any:
        """Return the features that are named, such as `"objects.bbox"`, as features that parse examples."""
        import tensorflow_datasets as tfds

        wanted: dict = {}
        for path in paths:
            *parents, last = path.split(".")
            inner = wanted
            for parent in parents:
                inner = inner.setdefault(parent, {})
            inner[last] = True
        level = logging.get_verbosity()
        logging.set_verbosity(logging.ERROR)  # TFDS warns of what is deprecated in its own code
        try:
            return tfds.decode.PartialDecoding(wanted).extract_features(self.features)
        finally:
            logging.set_verbosity(level)

    def feature(self, path: str) -> Any:
        """Return one feature by its path, such as `"objects.bbox"`.

        Raises:
            DataError: there is none of this name; the message lists those there are.
        """
        found = self.features
        for name in path.split("."):
            found = getattr(found, "feature", found)  # of a sequence: what it is a sequence of
            if name not in found:
                raise DataError(
                    f"TFDS data set '{self.name}' has no feature '{path}': it has {', '.join(self.paths())}."
                )
            found = found[name]
        return found

    def paths(self) -> list[str]:
        """Return the paths of all features."""

        def walk(features: Any, before: str) -> list[str]:
            features = getattr(features, "feature", features)
            if not hasattr(features, "keys"):
                return [before.removesuffix(".")]
            return [path for key in features for path in walk(features[key], f"{before}{key}.")]

        return sorted(walk(self.features, ""))


class TFRecords(Sequence[bytes]):
    """Records of TFRecord files in random access, of which TFDS has none.

    A record is a length of 8 bytes, 4 of its checksum, the data, and 4 of their checksum. Only the lengths are read to
    find the places of all.

    Args:
        files: of each, its path, how many records to pass over, and how many to take.

    Raises:
        DataError: a file is truncated.
    """

    def __init__(self, files: Sequence[tuple[Path, int, int]]):
        self.files = [path for path, _, _ in files]
        places = [np.empty((0, 3), np.int64)]
        for number, (path, skip, take) in enumerate(files):
            found = _places(path)[skip:][:take]
            if len(found) < take:
                raise DataError(f"File '{path}' has {len(found)} records from {skip} on, expected {take}.")
            places.append(np.insert(found, 0, number, axis=1))
        self.places = np.concatenate(places)  # of each record: its file, where its data begin, and their length

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: Any) -> Any:
        number, start, length = self.places[index]
        with self.files[number].open("rb") as file:
            file.seek(start)
            return file.read(length)


def _places(path: Path) -> np.ndarray:
    """Return where the data of each record of a file begin, and their length: int64 `[N, 2]`."""
    places, size = [], os.path.getsize(path)
    with path.open("rb") as file:
        place = 0
        while place < size:
            file.seek(place)
            head = file.read(8)
            length = struct.unpack("<Q", head)[0] if len(head) == 8 else size
            if place + length + 16 > size:
                raise DataError(f"File '{path}' is truncated: prepare the data set anew.")
            places.append((place + 12, length))
            place += length + 16
    return np.array(places, np.int64).reshape(-1, 2)
