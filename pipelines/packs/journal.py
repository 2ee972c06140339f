"""What of a pack is finished: a line for each shard, so that an interrupted `data pack` goes on with the next."""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pipelines.errors import DataError
from pipelines.files import told, written_whole
from pipelines.packs.shards import FRAME, GOES_ON, Shard

JOURNAL = "journal.jsonl"


class OtherPackError(DataError):
    """A folder that has the beginning of another pack than the one asked for."""


@dataclass(frozen=True)
class Finished:
    """A shard that is written.

    Attributes:
        file: its name.
        checksum: of the file.
        rows: indices in their split of the samples in it.
        lengths: bytes of each record.
        objects: by task of a kind that has objects, the rows of each sample.
        skipped: a sentence for each sample that was left out.
    """

    file: str
    checksum: str = ""
    rows: list[int] = field(default_factory=list)
    lengths: list[int] = field(default_factory=list)
    objects: dict[str, list[int]] = field(default_factory=dict)
    skipped: list[str] = field(default_factory=list)

    @property
    def shard(self) -> Shard:
        """The file that it is."""
        return Shard(self.file, len(self.rows), sum(self.lengths) + FRAME * len(self.rows), self.checksum)


class Journal:
    """The shards of a pack that are finished.

    Args:
        root: the folder of the pack.
        head: what is packed and how; a journal of another head is not gone on with.

    Attributes:
        finished: by file.

    Raises:
        OtherPackError: the folder has the beginning of another pack.
    """

    def __init__(self, root: Path, head: dict[str, Any]):
        self.path, self.finished = root / JOURNAL, dict[str, Finished]()
        lines = self.path.read_text(encoding="utf-8").splitlines() if self.path.is_file() else []
        if not lines:
            with written_whole(self.path, advice=GOES_ON) as partial:
                partial.write_text(json.dumps(head) + "\n", encoding="utf-8")
            return
        if _parsed(lines[0]) != head:
            raise OtherPackError(
                f"'{root}' holds the beginning of another pack, of other data or options, or of the data as it was "
                "before it changed: delete it, or choose another folder."
            )
        for line in lines[1:]:
            if entry := _parsed(line):
                self.finished[entry["file"]] = Finished(**entry)

    def add(self, finished: Finished) -> None:
        """Note a shard that is on the disk."""
        self.finished[finished.file] = finished
        # Not written whole: a line more is all that changes, and one that was cut off is passed over when it is read.
        with told(self.path, advice=GOES_ON), self.path.open("a", encoding="utf-8") as file:
            file.write("\n" + json.dumps(asdict(finished)) + "\n")  # a line that was cut off stays a line of its own
            file.flush()
            os.fsync(file.fileno())


def _parsed(line: str) -> dict[str, Any] | None:
    try:
        return json.loads(line)
    except json.JSONDecodeError:  # the machine stopped while it was written, or it is empty
        return None
