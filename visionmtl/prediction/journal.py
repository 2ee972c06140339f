"""What was predicted, a line a picture: appended as each is written, so that what is finished is never lost."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from visionmtl.files import told

Record = dict[str, Any]


class Journal:
    """A file of JSON lines, of which a last one that was cut off is as good as not there.

    Nothing of a picture is kept in memory but where its line begins.

    Args:
        path: the file, which need not be there.
    """

    def __init__(self, path: Path):
        self.path = path
        self._starts: dict[int, int] = {}  # by the number of a picture
        self._end = self._look() if path.is_file() else 0

    def _look(self) -> int:
        """Note where each line begins, and return where the last whole one ends."""
        end = 0
        with open(self.path, "rb") as file:
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._note(_parsed(line), end)
                end += len(line)
        return end

    def _note(self, record: Record | None, start: int) -> None:
        if record is not None:
            self._starts[record["number"]] = start

    def __contains__(self, number: int) -> bool:
        return number in self._starts

    def __len__(self) -> int:
        return len(self._starts)

    def __iter__(self) -> Iterator[Record]:
        """Yield the records in the order of their numbers."""
        if not self._starts:
            return
        with open(self.path, "rb") as file:
            for number in self.numbers():
                yield self._read(file, self._starts[number])

    def numbers(self) -> list[int]:
        """Return the numbers of the pictures that are there."""
        return sorted(self._starts)

    def record(self, number: int) -> Record:
        """Return what was predicted of one picture."""
        with open(self.path, "rb") as file:
            return self._read(file, self._starts[number])

    def forget(self, number: int) -> None:
        """Take a picture for one that is not there yet."""
        del self._starts[number]

    def add(self, records: list[Record]) -> None:
        """Append what was predicted on some pictures, and hand it to the system.

        Raises:
            UsageError: the file cannot be written, for example because the disk is full.
        """
        lines = [json.dumps(record).encode() + b"\n" for record in records]
        with told(self.path):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with open(self.path, "r+b" if self.path.exists() else "w+b") as file:
                file.seek(self._end)
                file.truncate()
                file.write(b"".join(lines))
        for record, line in zip(records, lines, strict=True):
            self._note(record, self._end)
            self._end += len(line)

    @staticmethod
    def _read(file: BinaryIO, start: int) -> Record:
        file.seek(start)
        return json.loads(file.readline())


def _parsed(line: bytes) -> Record | None:
    try:
        record = json.loads(line)
    except ValueError:  # the machine stopped while it was written
        return None
    return record if isinstance(record, dict) and isinstance(record.get("number"), int) else None
