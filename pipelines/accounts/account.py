"""`Account`: what a source made of each file and each annotation, and the `Balance` that is drawn from it."""

import os
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from pipelines.accounts.rules import beside
from pipelines.accounts.tree import Tree
from pipelines.errors import Problems

USED, ASIDE, LOST = "used", "set aside", "not understood"
UNCLAIMED = "no part of this layout"


class Fate(NamedTuple):
    """What became of a file: USED, ASIDE or LOST, and as what, by which rule or why."""

    what: str
    words: str


@dataclass
class Account:
    """What becomes of the files and annotations of one source while it is read.

    What is claimed last of a file holds: an image that was to be used is lost once it cannot be decoded. Annotations
    are counted as they are met (`meet`); each is used unless it is set aside or lost.

    Attributes:
        problems: told of all that is lost.
        tree: the files to account for.
        files: fate of each file by its absolute path.
        below: folders of which all that is not claimed otherwise is set aside, and by which rule.
        met: how many annotations the indices have.
        set_aside: how many of them, by rule.
        lost: how many of them, by the sentence that says why.
        altered: how many of those used are not used as they are written, by what was done to them.
        undivided: nothing says which split an image is of, and nothing had to: all were asked for, whichever they are.
    """

    problems: Problems = field(default_factory=Problems)
    tree: Tree = field(default_factory=lambda: Tree(Path(), {}))
    files: dict[str, Fate] = field(default_factory=dict)
    below: dict[str, str] = field(default_factory=dict)
    met: Counter[str] = field(default_factory=Counter)
    set_aside: Counter[str] = field(default_factory=Counter)
    lost: Counter[str] = field(default_factory=Counter)
    altered: Counter[str] = field(default_factory=Counter)
    undivided: bool = False

    def use(self, file: Path, words: str) -> None:
        """Note that a file is used, `words` saying as what: "image of train", "labels", "class names"."""
        self.files[os.path.abspath(file)] = Fate(USED, words)

    def leave(self, file: Path, rule: str) -> None:
        """Note that a file is set aside, by a rule such as "of split test, not asked for"."""
        self.files[os.path.abspath(file)] = Fate(ASIDE, rule)

    def leave_below(self, folder: Path, rule: str) -> None:
        """Note that all in a folder that nothing else is said of is set aside."""
        self.below[os.path.abspath(folder)] = rule

    def meet(self, count: int = 1, what: str = "annotations") -> None:
        """Count annotations of an index; `what` they are is for the balance: "boxes", "rows", "polygons"."""
        self.met[what] += count

    def leave_annotations(self, rule: str, count: int = 1) -> None:
        """Count annotations that are set aside by a rule."""
        self.set_aside[rule] += count

    def alter(self, words: str, count: int = 1) -> None:
        """Count annotations that are used, but not as they are written: "cut at the picture's edge"."""
        self.altered[words] += count

    def lose(self, message: str, file: Path | None = None, annotations: int = 0) -> None:
        """Report what cannot be used: a file, or so many annotations, or both.

        Args:
            message: a whole sentence, naming the file and the place in it.
            file: an image, mask or index that is left out with all that is in it.
            annotations: how many annotations are left out.

        Raises:
            DataError: problems are to stop the reading.
        """
        self.problems.report(message)
        self.note_loss(message, file, annotations)

    def note_loss(self, message: str, file: Path | None = None, annotations: int = 0) -> None:
        """Note that what was reported already cannot be used; `lose` has the arguments."""
        if file is not None:
            self.files[os.path.abspath(file)] = Fate(LOST, message)
        if annotations:
            self.lost[message] += annotations

    def loss(self, file: Path) -> str | None:
        """Return why a file cannot be used, or None."""
        fate = self.files.get(os.path.abspath(file))
        return fate.words if fate and fate.what == LOST else None

    def balance(self) -> "Balance":
        """Return the fates of all files of the tree: those that nothing was said of were not understood."""
        tree, result = self.tree, Balance(self.tree.root, annotations=Counter(self.met))
        root = os.path.abspath(tree.root)
        known = {os.path.join(root, name): name for name in tree.names}
        for path, name in known.items():
            result.add(name, self._fate(path, name))
        for name, rule in tree.aside.items():
            result.add(name, Fate(ASIDE, rule))
        for name, reason in tree.broken.items():
            result.add(name, Fate(LOST, reason))
        for path, fate in self.files.items():
            if path not in known:
                result.elsewhere[fate.words if fate.what == USED else fate.what] += 1
        result.annotations_aside.update(self.set_aside)
        result.annotations_lost.update(self.lost)
        result.annotations_altered.update(self.altered)
        return result

    def _fate(self, path: str, name: str) -> Fate:
        if path in self.files:
            return self.files[path]
        if self.below:
            folder = os.path.dirname(path)
            while len(folder) > 1:
                if folder in self.below:
                    return Fate(ASIDE, self.below[folder])
                folder = os.path.dirname(folder)
        rule = beside(name)
        return Fate(ASIDE, rule) if rule else Fate(LOST, UNCLAIMED)


@dataclass
class Balance:
    """The files beneath a folder and the annotations in them, each under what became of it.

    Attributes:
        root: the folder.
        used: how many files are used, by what they are used as.
        aside: names of the files set aside, by rule.
        lost: names of the files that were not understood, each with the reason.
        elsewhere: files outside the folder that were used, by what as.
        annotations: how many there are, by what they are; `annotations_aside` of them by rule, `annotations_lost` by
            the sentence that says why; `annotations_altered` of those used, by what was done to them.
    """

    root: Path
    used: Counter[str] = field(default_factory=Counter)
    aside: dict[str, list[str]] = field(default_factory=dict)
    lost: dict[str, str] = field(default_factory=dict)
    elsewhere: Counter[str] = field(default_factory=Counter)
    annotations: Counter[str] = field(default_factory=Counter)
    annotations_aside: Counter[str] = field(default_factory=Counter)
    annotations_lost: Counter[str] = field(default_factory=Counter)
    annotations_altered: Counter[str] = field(default_factory=Counter)

    def add(self, name: str, fate: Fate) -> None:
        """Enter a file."""
        if fate.what == USED:
            self.used[fate.words] += 1
        elif fate.what == ASIDE:
            self.aside.setdefault(fate.words, []).append(name)
        else:
            self.lost[name] = fate.words

    @property
    def files(self) -> int:
        """How many files there are: those used, set aside and not understood."""
        return self.used.total() + sum(map(len, self.aside.values())) + len(self.lost)

    @property
    def annotations_used(self) -> int:
        """How many annotations are neither set aside nor lost."""
        return self.annotations.total() - self.annotations_aside.total() - self.annotations_lost.total()

    @property
    def sentence(self) -> str | None:
        """One line that says how much was not understood; None where all was."""
        lost = [_count(len(self.lost), "file"), _count(self.annotations_lost.total(), "annotation")]
        told = " and ".join(words for words in lost if words)
        if not told:
            return None
        first = next(iter(self.lost.items()), None)
        example = f", as {printable(first[0])}" if first else ""
        return f"Not understood: {told} in '{self.root}'{example}; `visionmtl data inspect {self.root}` lists them."


def printable(name: str) -> str:
    """Return a name that can be printed, whatever bytes it has on the disk."""
    return name.encode("utf-8", "backslashreplace").decode()


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'s' if number > 1 else ''}" if number else ""
