"""From the `file_name` of a COCO file to the picture, also where it was written on another machine."""

import re
import unicodedata
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from urllib.parse import unquote, urlsplit

from pipelines.accounts.tree import Tree, below
from pipelines.sources.files import layout
from pipelines.sources.files.entries import inside

SAMPLE = 200  # names by which the folder that they lie in is known
HASH = re.compile(r"^[0-9a-f]{8}-(?=.)")  # that Label Studio writes before a name


def same(part: str) -> str:
    """Return a part of a path as it is."""
    return part


def alike(part: str) -> str:
    """Return a part of a path without what systems change in it: the case of letters, and how accents are encoded."""
    return unicodedata.normalize("NFC", part).casefold()


def plain(part: str) -> str:
    """Return a part of a path with what is percent-encoded in it decoded."""
    return alike(unquote(part))


def unhashed(part: str) -> str:
    """Return a part of a path without a hash before it."""
    return HASH.sub("", plain(part))


RULES: dict[Callable[[str], str], str] = {  # from the strictest on
    same: "the folders before it are others",
    alike: "its letters are of another case or form",
    plain: "one of them is percent-encoded",
    unhashed: "one of them has a hash before it",
}


class Pictures:
    """The pictures that a COCO file may mean.

    Args:
        tree: of all files.
        within: the folder in it that they lie in, at any depth.
        without: folders in that whose pictures are others.
        likely: the folders that file names most likely lead from, the likeliest first.
        names: the file names of the index.
    """

    def __init__(
        self, tree: Tree, within: str, without: Sequence[str], likely: Sequence[str], names: Sequence[str]
    ) -> None:
        others = tuple(f"{folder}/" for folder in without)
        self.there = set(tree.names)
        self.names = {name for name in layout.pictures_in(tree, within) if not name.startswith(others)}
        self.base = self._base(tree, within, likely, names)
        self.told: Counter[str] = Counter()
        self.examples: dict[str, tuple[str, str]] = {}
        self.tables: dict[Callable[[str], str], dict[str, list[str]]] = {}

    def find(self, name: str) -> str:
        """Return the picture that a file name means, by its name in the tree; where none is there, where it should be.

        Raises:
            ValueError: it could be one of several, or there is none and it leads out of the folder.
        """
        exact = below(self.base, name)
        if exact in self.there:
            return exact
        parts = _parts(name)
        for written, rule in RULES.items() if parts else ():
            if found := self._by(written, name, parts):
                self.told[rule] += 1
                self.examples.setdefault(rule, (name, found))
                return found
        inside(name)
        return exact

    def warn(self, path: Path) -> None:
        """Warn of the names that are not the files', for each rule once."""
        for rule, count in self.told.items():
            name, found = self.examples[rule]
            what = f"file_name of {count:,} images is" if count > 1 else "file_name of one image is"
            warnings.warn(
                f"'{path}': {what} not as the picture lies here, as '{name}' for '{found}': {rule}.", stacklevel=2
            )

    def _base(self, tree: Tree, within: str, likely: Sequence[str], names: Sequence[str]) -> str:
        """Return the folder that most file names lead from."""
        there = [folder for folder in likely if folder in tree.folders]
        holding = dict.fromkeys(name.rpartition("/")[0] for name in sorted(self.names))
        sample = names[:: max(1, len(names) // SAMPLE)]
        best, most = there[0] if there else within, 0
        for folder in dict.fromkeys((*there, *holding)):
            hits = sum(below(folder, name) in self.there for name in sample)
            if hits > most:
                best, most = folder, hits
            if most == len(sample):
                break
        if not most:  # none leads anywhere: the likeliest that has pictures
            best = next(
                (folder for folder in there if any(h == folder or h.startswith(f"{folder}/") for h in holding)), best
            )
        return best

    def _by(self, written: Callable[[str], str], name: str, parts: list[str]) -> str | None:
        """Return the one picture whose path ends as the name does, both written in one way."""
        if written not in self.tables:
            table = self.tables[written] = {}
            for picture in sorted(self.names):
                table.setdefault(written(picture.rpartition("/")[2]), []).append(picture)
        wanted = [written(part) for part in parts]
        candidates = self.tables[written].get(wanted[-1], [])
        if len(candidates) > 1:
            scores = {own: _common(wanted, [written(part) for part in own.split("/")]) for own in candidates}
            candidates = [own for own in candidates if scores[own] == max(scores.values())]
        if len(candidates) > 1 and self.base:
            direct = (
                f"{self.base}/{'/'.join(parts[-_common(wanted, [written(p) for p in candidates[0].split('/')]) :])}"
            )
            candidates = [direct] if direct in candidates else candidates
        if len(candidates) > 1:
            raise ValueError(f"file_name '{name}' could be '{candidates[0]}' or '{candidates[1]}'")
        return candidates[0] if candidates else None


def _parts(name: str) -> list[str]:
    """Return the parts of a path or an address that name something."""
    if "://" in name:
        name = urlsplit(name).path or name
    return [part for part in name.replace("\\", "/").split("/") if part not in ("", ".", "..")]


def _common(one: Sequence[str], other: Sequence[str]) -> int:
    """Count the parts that two paths have in common at their ends."""
    count = 0
    for a, b in zip(reversed(one), reversed(other), strict=False):
        if a != b:
            break
        count += 1
    return count
