"""What all records together give once every picture is there: COCO's results, the labels of a data set, the sum."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.prediction import formats, results, settings
from visionmtl.prediction.formats.format import DataSet, Records
from visionmtl.prediction.journal import Journal

RECORDS = "predictions.jsonl"
TOLD = 20  # pictures that could not be read, of which the sentence is printed


@dataclass(frozen=True)
class Named:
    """A task as `labels.json` tells of it."""

    name: str
    kind: str
    classes: tuple[str, ...]


@dataclass(frozen=True)
class Done:
    """What was predicted.

    Attributes:
        path: the records, a line a picture.
        pictures: how many there are, of them unreadable.
        unreadable: how many could not be read, and are recorded with the sentence why.
        sentences: the first of these.
        written: further files and folders.
        notes: what could not be written as it was.
    """

    path: Path
    pictures: int
    unreadable: int = 0
    sentences: list[str] = field(default_factory=list)
    written: list[Path] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def text(self) -> str:
        """Return it as lines of text."""
        read = self.pictures - self.unreadable
        count = f"{read:,} of {self.pictures:,}" if self.unreadable else f"{read:,}"
        noun = "picture" if self.pictures == 1 else "pictures"
        lines = [f"Predicted on {count} {noun}: {', '.join(map(str, (self.path, *self.written)))}"]
        lines += [f"Not written as it was: {note}" for note in self.notes]
        if self.unreadable:
            more = self.unreadable - len(self.sentences)
            lines += [f"Could not read {self.unreadable:,}:", *(f"  {each}" for each in self.sentences)]
            lines += [f"  and {more:,} more, in {self.path}"] if more else []
        return "\n".join(lines)


def data_set(folder: Path, tasks: Mapping[str, Any], made: Mapping[str, Any]) -> DataSet | None:
    """Return the data set that predictions are also written as, by what they were made with; None for none."""
    if made["format"] is None:
        return None
    split = made["split"] or "train"
    return formats.get(made["format"])(folder / made["format"], tasks, split, made["confidences"], made["link"])


def summed(journal: Journal) -> Done:
    """Return how many pictures there are, and which could not be read."""
    sentences, unreadable = list[str](), 0
    for record in journal:
        if "error" in record:
            unreadable += 1
            if len(sentences) < TOLD:
                sentences.append(record["error"])
    return Done(journal.path, len(journal), unreadable, sentences)


def finish(folder: Path) -> Done:
    """Write what all records of a folder together give.

    Raises:
        UsageError: none of the pictures could be read, or a file cannot be written.
    """
    made, journal = settings.read(folder) or {}, Journal(folder / RECORDS)
    told = json.loads((folder / settings.LABELS).read_text(encoding="utf-8"))
    done = summed(journal)
    if done.pictures == done.unreadable:
        first = done.sentences[0] if done.sentences else "There is none."
        raise UsageError(first if done.pictures < 2 else f"None of {done.pictures:,} pictures can be read: {first}")
    categories = {name: task["category_ids"] for name, task in told.items() if "category_ids" in task}
    done.written.extend(results.write(folder, journal, categories))
    tasks = {name: Named(name, task["kind"], tuple(task["classes"])) for name, task in told.items()}
    if also := data_set(folder, tasks, made):
        done.notes.extend(also.finish(Records(journal)))
        done.notes.extend(f"'{name}', as {also.title} has no place for it" for name in also.left)
        done.written.append(also.root)
    return done
