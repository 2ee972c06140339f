"""Several sources that label the same pictures, as one: their pictures are matched by the names of their files."""

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from pipelines.accounts.account import USED, Account
from pipelines.contract import Request, Source
from pipelines.errors import DataError
from pipelines.joining.combining import Member, expected_specs, merged_specs, renamed
from pipelines.joining.mapping import mapper
from pipelines.joining.zipping import Labeller, zipped
from pipelines.kinds.spec import LabelSpec
from pipelines.sources.files import layout
from pipelines.splits import SPLITS


@dataclass
class Picture:
    """A picture that some sources label.

    Attributes:
        name: of its file, as the first of them has it.
        split: that it belongs to; None where no source says.
        place: by source, its split there and its index in that.
    """

    name: str
    split: str | None = None
    place: dict[str, tuple[str, int]] = field(default_factory=dict)


def match(
    members: Mapping[str, Member], whole: frozenset[str], request: Request, expected: Sequence[LabelSpec] | None
) -> Source:
    """Return one source whose pictures have the labels of all; a task that does not label a picture has weight 0.

    Two files are the same picture if they are one file, or have one name; where a name comes more than once, the
    folders before it count too.

    Args:
        members: the sources by name.
        whole: names of those without splits, whose one split is all of them.
        request: which splits are asked for.
        expected: the tasks with their classes, as of a trained model; None for those of the sources.

    Raises:
        DataError: two sources label the same task, have a picture in different splits or sizes, or none in common.
    """
    sources = {name: renamed(name, member) for name, member in members.items()}
    _refuse_same_tasks(sources)
    pictures = _matched(sources, whole)
    parted = _parted(pictures, sources, request)
    specs = merged_specs(members, sources) if expected is None else expected_specs(sources, expected)
    tasks = {name: tuple(spec for spec in specs if spec.name in _tasks(source)) for name, source in sources.items()}
    converts = {name: mapper(source, tasks[name], members[name].classes) for name, source in sources.items()}
    splits = {}
    for key, own in parted.items():
        good = _of_one_size(own, sources, request.account)
        if not good:
            raise DataError(f"Split '{key}' is empty: none of its {len(own)} images has one size in all its sources.")
        labellers = [
            Labeller(name, split, converts[name], tasks[name], _indices(good, name, part))
            for name, source in sources.items()
            for part, split in source.splits.items()
            if any(picture.place.get(name, ("",))[0] == part for picture in good)
        ]
        splits[key] = zipped(labellers, specs, request.max_boxes)
    accounts = [account for source in sources.values() for account in source.accounts]
    _recount(pictures, parted, {name: sources[name] for name in whole})
    _settle(accounts)
    return Source(specs, splits, accounts=tuple(accounts))


def _tasks(source: Source) -> set[str]:
    return {spec.name for spec in source.specs}


def _refuse_same_tasks(sources: Mapping[str, Source]) -> None:
    """Refuse two sources that label one task: whose label of a picture held could not be told."""
    first: dict[str, str] = {}
    for name, source in sources.items():
        for spec in source.specs:
            other = first.setdefault(spec.name, name)
            if other != name:
                raise DataError(
                    f"Task '{spec.name}' is labelled by '{other}' and '{name}', which are joined: take it from one of "
                    f"them, as tasks: [...], or give it another name in '{name}', as tasks: {{{spec.name}: {name}}}."
                )


def _matched(sources: Mapping[str, Source], whole: frozenset[str]) -> list[Picture]:
    """Return the pictures of all sources, those of one file or name as one."""
    pictures: list[Picture] = []
    by_file: dict[str, Picture] = {}
    for name, source in sources.items():
        known = _by_ends(pictures)
        own = [
            (split.name(index), key, index)
            for key, split in source.splits.items()
            for index in range(len(split.shapes))
        ]
        twice = _twice([file for file, _, _ in own])
        for file, key, index in own:
            real = os.path.realpath(file)
            picture = by_file.get(real) or _same(file, known, twice, name)
            if picture is None:
                picture = Picture(file)
                pictures.append(picture)
            if name in picture.place:
                raise DataError(f"Source '{name}' has two pictures for '{picture.name}' of the others: '{file}'.")
            by_file[real] = picture
            picture.place[name] = (key, index)
            split = None if name in whole else key
            if split and picture.split and picture.split != split:
                raise DataError(
                    f"'{file}' is in split {split} of '{name}', but in {picture.split} of another that is joined."
                )
            picture.split = picture.split or split
    _tell_partners(pictures, sources)
    return pictures


def _by_ends(pictures: Sequence[Picture]) -> dict[str, list[Picture]]:
    """Return pictures by the ends of their paths: the name, and the name with one folder, or two, before it."""
    found: dict[str, list[Picture]] = {}
    for picture in pictures:
        for end in _ends(picture.name):
            found.setdefault(end, []).append(picture)
    return found


def _ends(file: str) -> list[str]:
    """Return the ends of a path, the longest first."""
    parts = Path(file).parts
    return ["/".join(parts[-count:]) for count in (4, 3, 2, 1) if len(parts) >= count]


def _twice(files: Sequence[str]) -> set[str]:
    """Return the names that several files have."""
    seen, twice = set[str](), set[str]()
    for file in files:
        last = os.path.basename(file)
        (twice if last in seen else seen).add(last)
    return twice


def _same(file: str, known: Mapping[str, list[Picture]], twice: set[str], name: str) -> Picture | None:
    """Return the picture of other sources that a file is, by the longest end of its path that only one has."""
    for end in _ends(file):
        found = known.get(end, [])
        if len(found) == 1 and ("/" in end or end not in twice):
            return found[0]
        if found and "/" not in end:
            raise DataError(
                f"'{file}' of source '{name}' may be '{found[0].name}' or another: several pictures have this name, "
                "and the folders that they lie in have not the same names in both."
            )
    return None


def _tell_partners(pictures: Sequence[Picture], sources: Mapping[str, Source]) -> None:
    """Say of each source how many of its pictures no other has; refuse one that has none in common."""
    for name in sources:
        own = [picture for picture in pictures if name in picture.place]
        alone = [picture for picture in own if len(picture.place) == 1]
        if len(sources) > 1 and len(alone) == len(own):
            raise DataError(
                f"Source '{name}' has no picture in common with those it is joined with: its first is '{own[0].name}'. "
                "Pictures are matched by the names of their files, suffixes too."
            )
        if alone:
            warnings.warn(
                f"Joined: {len(alone)} of the {len(own)} pictures of '{name}' are labelled by no other source, the "
                f"first '{alone[0].name}'.",
                stacklevel=4,
            )


def _parted(pictures: Sequence[Picture], sources: Mapping[str, Source], request: Request) -> dict[str, list[Picture]]:
    """Part the pictures by split: as the sources say, or else by a hash of their names."""
    unknown = [picture for picture in pictures if picture.split is None]
    said = any(picture.split for picture in pictures)
    if unknown and said:
        first = unknown[0]
        raise DataError(
            f"'{first.name}' of '{next(iter(first.place))}' is in no split: of the sources that are joined none that "
            f"has splits has it, nor {len(unknown) - 1} more. Leave them out, or put them into a split."
        )
    if not said:
        ranges = layout.fractions(Path(pictures[0].name).parent, request, None)
        chosen = {
            split: [picture for picture in pictures if layout.holds(own, Path(picture.name).name)]
            for split, own in ranges.items()
        }
        for split, own in chosen.items():
            if not own:
                raise DataError(
                    "The sources that are joined have no splits, and are too small to be divided: of their "
                    f"{len(pictures)} images none falls to '{split}'. Add images, give one of them splits, or ask for "
                    "one split."
                )
        return chosen
    parted: dict[str, list[Picture]] = {}
    for picture in pictures:
        parted.setdefault(str(picture.split), []).append(picture)
    ordered = {split: parted[split] for split in SPLITS if split in parted}
    for split, own in ordered.items():
        if split not in request.splits:
            for file in {file for picture in own for file in _files(picture, sources)}:
                for account in (account for source in sources.values() for account in source.accounts):
                    account.leave(Path(file), f"of split {split}, not asked for")
    return layout.asked(Path(pictures[0].name).parent, ordered, request)


def _files(picture: Picture, sources: Mapping[str, Source]) -> set[str]:
    """Return the files of a picture, of which each source may have one."""
    return {sources[name].splits[key].name(index) for name, (key, index) in picture.place.items()}


def _of_one_size(pictures: Sequence[Picture], sources: Mapping[str, Source], account: Account) -> list[Picture]:
    """Return the pictures that have one height and width in all sources; the others are lost."""
    good = []
    for picture in pictures:
        shapes = {name: sources[name].splits[key].shapes[index] for name, (key, index) in picture.place.items()}
        first = next(iter(shapes))
        other = next((name for name, shape in shapes.items() if (shape != shapes[first]).any()), None)
        if other is None:
            good.append(picture)
            continue
        (height, width), (h, w) = shapes[first], shapes[other]
        message = f"'{picture.name}' is {width} x {height} in '{first}', but {w} x {h} in '{other}'."
        account.problems.report(message)
        for name, (key, index) in picture.place.items():
            sources[name].splits[key].lose(index, message)
    return good


def _indices(pictures: Sequence[Picture], name: str, part: str) -> np.ndarray:
    """Return the index of each picture in a split of a source, int64 `[N]`; -1 where that has it not."""
    places = [picture.place.get(name, ("", -1)) for picture in pictures]
    return np.array([index if key == part else -1 for key, index in places], np.int64)


def _recount(pictures: Sequence[Picture], parted: Mapping[str, list[Picture]], whole: Mapping[str, Source]) -> None:
    """Let the accounts of sources without splits say to which split each picture fell."""
    fell = {id(picture): split for split, own in parted.items() for picture in own}
    for picture in pictures:
        split = fell.get(id(picture))
        for name in picture.place.keys() & whole.keys():
            key, index = picture.place[name]
            file = Path(whole[name].splits[key].name(index))
            for account in whole[name].accounts:
                fate = account.files.get(os.path.abspath(file))
                if fate and fate.what == USED and split:
                    account.use(file, fate.words.replace(f"image of {key}", f"image of {split}"))
                elif fate and fate.what == USED:
                    account.leave(file, layout.OTHER_SPLIT)
    for account in (account for source in whole.values() for account in source.accounts):
        for path, fate in account.files.items():
            if fate.what == USED and fate.words.startswith("mask of "):
                account.files[path] = fate._replace(words="mask")


def _settle(accounts: Sequence[Account]) -> None:
    """Let what one source uses not count as lost or set aside with another whose folder has it too."""
    used = {path: fate for account in accounts for path, fate in account.files.items() if fate.what == USED}
    for account in accounts:
        own = {os.path.abspath(account.tree.path(name)) for name in account.tree.names}
        for path in used.keys() & own:
            if account.files.get(path) is None or account.files[path].what != USED:
                account.files[path] = used[path]
