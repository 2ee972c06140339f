"""Where a pack comes from: the source's files as they were, and what has changed in them since."""

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

Stamp = tuple[int, int]  # bytes, and the time of the last change in nanoseconds


@dataclass(frozen=True)
class Origin:
    """The files of a source.

    Attributes:
        root: the folder they lie in; None of a source that reads no files.
        whole: all that lies in `root` belongs to it, so that a new file is a change.
        files: by the path from `root`, or the whole path of those that lie elsewhere. Hidden ones are left out.
    """

    root: Path | None
    whole: bool
    files: dict[str, Stamp]

    @classmethod
    def of(cls, place: Path | None, samples: Iterable[str]) -> "Origin":
        """Look at the files of a source.

        Args:
            place: the folder or file that it reads.
            samples: what its samples are called; of those that are files, the ones that lie elsewhere count too.
        """
        if place is None:
            return cls(None, False, {})
        whole, path = place.is_dir(), Path(os.path.abspath(place))
        origin = cls(path if whole else path.parent, whole, _below(path) if whole else {})
        for name in {origin.called(sample) for sample in (*(() if whole else (str(path),)), *samples)}:
            if name not in origin.files and (stamp := _stamp(Path(origin.root or "", name))):
                origin.files[name] = stamp
        return origin

    def called(self, sample: str) -> str:
        """Return the name among `files` of a sample that is a file."""
        return os.path.abspath(sample).removeprefix(f"{self.root}{os.sep}") if os.path.isfile(sample) else sample

    @property
    def digest(self) -> str:
        """A short text that is another if any file is."""
        return hashlib.blake2b(json.dumps(sorted(self.files.items())).encode(), digest_size=16).hexdigest()

    def change(self) -> str | None:
        """Say what has changed, as "'train/a.jpg' has changed, and 2 more files".

        Returns:
            None where all is as it was, and where no file is left: packs are taken elsewhere without their sources.
        """
        if self.root is None:
            return None
        now = _below(self.root) if self.whole else {}
        for name in self.files.keys() - now.keys():
            if stamp := _stamp(self.root / name):
                now[name] = stamp
        if not self.files.keys() & now.keys():
            return None
        changes = [f"'{n}' is gone" for n in self.files if n not in now]
        changes += [f"'{n}' has changed" for n, stamp in self.files.items() if n in now and now[n] != stamp]
        changes += [f"'{n}' is new" for n in now if n not in self.files]
        more = {0: "", 1: ", and one more file"}.get(len(changes) - 1, f", and {len(changes) - 1} more files")
        return f"{changes[0]}{more}" if changes else None


def _below(root: Path) -> dict[str, Stamp]:
    """Return all files of a folder and its subfolders, linked ones too."""
    found: dict[str, Stamp] = {}
    waiting, seen = [""], set[str]()
    while waiting:
        inner = waiting.pop()
        real = os.path.realpath(root / inner)
        if real in seen:  # a link that leads back
            continue
        seen.add(real)
        try:
            with os.scandir(root / inner) as place:
                entries = sorted(place, key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if entry.is_dir():
                waiting.append(f"{inner}{entry.name}{os.sep}")
            elif entry.is_file():
                found[f"{inner}{entry.name}"] = _stamped(entry.stat())
    return found


def _stamp(path: Path) -> Stamp | None:
    try:
        return _stamped(path.stat())
    except OSError:
        return None


def _stamped(stat: os.stat_result) -> Stamp:
    return stat.st_size, stat.st_mtime_ns
