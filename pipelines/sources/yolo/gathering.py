"""From places to pictures with their text files, split by split; what belongs to neither is told or set aside."""

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.accounts.account import Account
from pipelines.accounts.rules import beside
from pipelines.accounts.tree import Tree
from pipelines.sources.files import layout
from pipelines.sources.yolo.finding import Place, is_list
from pipelines.sources.yolo.labels import LabelFiles, replaced, without_prefix
from pipelines.sources.yolo.lines import is_label
from pipelines.sources.yolo.paths import OutsideError, Paths

PLOT = re.compile(  # what Ultralytics draws beside data
    r"(labels|labels_correlogram|(train|val)_batch\d+(_labels|_pred)?)\.jpg"
    r"|(results|confusion_matrix(_normalized)?|(\w+_)?curve)\.png",
    re.IGNORECASE,
)


@dataclass
class Gathered:
    """The pictures of one split.

    Attributes:
        labels: of each picture, by its name in the tree, its text file; None where it has none.
        folders: where its labels may be, and what folder of pictures each belongs to.
        lists: the lists that name it.
    """

    labels: dict[str, Path | None] = field(default_factory=dict)
    folders: dict[str, str] = field(default_factory=dict)
    lists: list[Path] = field(default_factory=list)


class Gatherer:
    """Finds the pictures in places, and the text file of each.

    Args:
        tree: the files there are.
        paths: finds those that lists name.
        texts: finds the text files.
        account: told of what cannot be used.
    """

    def __init__(self, tree: Tree, paths: Paths, texts: LabelFiles, account: Account):
        self.tree, self.paths, self.texts, self.account = tree, paths, texts, account

    def gather(self, places: Iterable[Place]) -> Gathered:
        """Return the pictures in some places, without telling anybody what is wrong with what is not asked for."""
        result = Gathered()
        for place in places:
            if place.name in self.tree.folders:
                names = list(layout.pictures_in(self.tree, place.name))
                if place.beside:
                    own = {name.rpartition("/")[0] for name in names if self.texts.of(name)}
                    names = [name for name in names if name.rpartition("/")[0] in own]
                folders = {place.name}
            elif layout.is_picture(place.name):
                names, folders = [place.name], {place.name.rpartition("/")[0]}
            else:
                names = self._listed(place)
                folders = {name.rpartition("/")[0] for name in names}
                result.lists.append(self.tree.path(place.name))
            for folder in folders:
                result.folders[replaced(f"{folder}/x" if folder else "x").rpartition("/")[0]] = folder
                result.folders[folder] = folder
            for name in names:
                result.labels[name] = self.texts.of(name)
        result.labels = {name: text for name, text in result.labels.items() if text or not _is_plot(name)}
        return result

    def leave_plots(self) -> None:
        """Set aside what Ultralytics draws, wherever it lies."""
        for name in layout.pictures_in(self.tree):
            if _is_plot(name) and self.texts.of(name) is None:
                self.account.leave(self.tree.path(name), "a plot of Ultralytics")

    def _listed(self, place: Place) -> list[str]:
        """Read a list: paths relative to it or to the folder, or of another machine."""
        path, found = self.tree.path(place.name), dict[str, None]()
        self.account.use(path, "list of images")
        bases = list(dict.fromkeys([place.name.rpartition("/")[0], ""]))
        for number, line in enumerate(layout.text(path).splitlines(), 1):
            written = line.strip()
            if not written:
                continue
            try:
                name = self.paths.find(written, bases)
                if name in found:
                    raise KeyError
                found[name] = None
            except KeyError:
                self.account.lose(f"'{path}': line {number}: image '{written}' is given twice.")
            except OutsideError:
                self.account.lose(f"'{path}': line {number}: image '{written}' leads out of '{self.tree.root}'.")
            except ValueError:
                self.account.lose(f"'{path}': line {number}: image '{written}' is missing from '{self.tree.root}'.")
        return list(found)

    def pair_prefixed(self, splits: Mapping[str, Gathered]) -> None:
        """Give pictures without labels those whose names have Label Studio's prefix."""
        for own in splits.values():
            bare = [name for name, text in own.labels.items() if text is None]
            if bare:
                used = [text for each in splits.values() for text in each.labels.values() if text]
                pairs = without_prefix(bare, self.texts.unmatched(own.folders, used))
                own.labels.update({image: self.tree.path(text) for image, text in pairs.items()})

    def tell_unusable(self, own: Gathered) -> None:
        """Report and leave out each picture whose name another has but for its suffix, or whose labels lead nowhere."""
        stems: dict[str, str] = {}
        for name, text in list(own.labels.items()):
            broken = self.texts.broken(name) if text is None and self.tree.broken else None
            if broken:
                del own.labels[name]
                self.account.lose(f"{broken}.", self.tree.path(name))
                continue
            first = stems.setdefault(os.path.splitext(name)[0], name)
            if first != name:
                del own.labels[name]
                path = self.tree.path(name)
                self.account.lose(
                    f"Image '{path}' has the name of '{os.path.basename(first)}': their labels cannot be told apart.",
                    path,
                )

    def tell_unmatched(self, asked: Mapping[str, Gathered], others: Mapping[str, Gathered]) -> None:
        """Report text files of the splits asked for that have no picture; set aside what belongs to no split."""
        used = [text for own in (*asked.values(), *others.values()) for text in own.labels.values() if text]
        known = {name for own in (*asked.values(), *others.values()) for name in own.labels}
        self._leave_unlisted(asked, known)
        shallow = [name for name in self.texts.unmatched([""], used) if name.count("/") < 2]
        for path in map(self.tree.path, shallow):
            if os.path.abspath(path) not in self.account.files and is_list(path):
                self.account.leave(path, "a list of images that nothing names")
        folders = {folder: place for own in asked.values() for folder, place in own.folders.items()}
        for name in self.texts.unmatched(folders, used):
            path = self.tree.path(name)
            if os.path.abspath(path) in self.account.files or beside(name):
                continue
            place = max((f for f in folders if not f or name.lower().startswith(f"{f.lower()}/")), key=len, default="")
            if folders[place] != place or is_label(path) is not False:
                images = self.tree.path(folders[place])
                self.account.lose(f"'{path}' has no image of its name in '{images}'.", path)

    def _leave_unlisted(self, asked: Mapping[str, Gathered], known: set[str]) -> None:
        """Set aside the pictures beside those that lists name, with their labels."""
        for own in asked.values():
            if own.lists:
                for folder in dict.fromkeys(own.folders.values()):
                    for name in layout.pictures_in(self.tree, folder):
                        if name not in known:
                            self._leave(name, self.texts.of(name), "in the list of no split")

    def leave(self, own: Gathered, rule: str) -> None:
        """Set aside all of a split: its pictures, their labels, and its lists."""
        for name, text in own.labels.items():
            self._leave(name, text, rule)
        for path in own.lists:
            self.account.leave(path, rule)
        for folder in own.folders:
            if folder:
                self.account.leave_below(self.tree.path(folder), rule)

    def _leave(self, name: str, text: Path | None, rule: str) -> None:
        self.account.leave(self.tree.path(name), rule)
        if text:
            self.account.leave(text, rule)


def _is_plot(name: str) -> bool:
    return PLOT.fullmatch(os.path.basename(name)) is not None
