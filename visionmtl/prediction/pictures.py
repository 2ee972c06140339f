"""Pictures on disk: found, with every other file accounted for, read, and named apart."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from threading import Lock

import numpy as np
import tensorflow as tf

from pipelines import DataError
from pipelines.accounts import accounting
from pipelines.accounts.account import Account, Balance
from pipelines.accounts.rules import PREDICTED, beside, of_a_run
from pipelines.accounts.tree import Tree
from pipelines.pixels import pictures
from pipelines.pixels.encoded import without_options
from pipelines.pixels.headers import Header, Trait
from pipelines.pixels.rules import SUFFIXES
from pipelines.sources.files.notes import TRAITS
from visionmtl.errors import UsageError

NO_PICTURE, FILM = "no picture by its name", "a video, which is to be named itself"
FILMS = (
    *(
        ".3gp",
        ".asf",
        ".avi",
        ".flv",
        ".m2ts",
        ".m4v",
        ".mjpeg",
        ".mkv",
        ".mov",
        ".mp4",
        ".mpeg",
        ".mpg",
        ".mts",
        ".mxf",
    ),
    *(".ogv", ".ts", ".vob", ".webm", ".wmv", ".y4m"),
)
ROOM = 250  # bytes of a name without a suffix, of which that of a picture has five at most


@dataclass(frozen=True)
class Found:
    """The pictures among some paths.

    Attributes:
        files: each once, in the order of the paths and of the alphabet.
        names: of each, its path within the folder where it was found, or its file's name.
        balances: of each folder, what became of all files in it.
    """

    files: list[Path] = field(default_factory=list)
    names: list[PurePath] = field(default_factory=list)
    balances: list[Balance] = field(default_factory=list)

    def told(self) -> str:
        """Return the accounts of the folders in which not every file is a picture, as text; empty for none."""
        telling = (each for each in self.balances if each.aside or each.lost)
        return "\n".join(f"'{each.root}': {accounting.files(each)}" for each in telling)


def find(paths: Sequence[str | Path]) -> list[Path]:
    """Return the image files among `paths` and in the folders among them; `found` has the rules."""
    return found(paths).files


def films(paths: Sequence[str | Path]) -> list[Path]:
    """Return the videos among paths, each once; none where no path is one by its name.

    Raises:
        UsageError: other paths are there too, or a video is not.
    """
    chosen = list(
        dict.fromkeys(path for path in map(Path, paths) if path.suffix.lower() in FILMS and not path.is_dir())
    )
    other = next((path for path in map(Path, paths) if path not in chosen), None)
    if chosen and other is not None:
        raise UsageError(
            f"'{chosen[0]}' is a video and '{other}' is none: predict on videos and on pictures one by one."
        )
    for path in chosen:
        if not path.is_file():
            raise UsageError(f"There is no video '{path}'.")
    return chosen


def found(paths: Sequence[str | Path], out: str | Path | None = None) -> Found:
    """Return the pictures among `paths`: files whatever they are called, and in folders what is a picture by its name.

    In folders hidden files are set aside, what systems left, runs, and what was predicted before or is to be now.

    Args:
        paths: files, and folders that are looked through at any depth.
        out: where predictions are written.

    Raises:
        UsageError: a path is not there, a folder holds no picture, or is where predictions are to be written.
    """
    result, seen = Found(), set[Path]()
    for given in paths:
        path = Path(given)
        if path.is_dir():
            inside, balance = _inside(path, None if out is None else Path(out).resolve())
            result.balances.append(balance)
        elif path.is_file():
            inside = [(path, PurePath(path.name))]
        else:
            raise UsageError(_missing(os.fspath(given)))
        for file, name in inside:
            if (place := file.absolute()) not in seen:
                seen.add(place)
                result.files.append(file)
                result.names.append(name)
    return result


def _missing(given: str) -> str:
    """Say what a path is where there is neither a file nor a folder."""
    path = Path(given)
    if "://" in given:
        return f"'{given}' is an address: fetch it first, for pictures are read from a disk."
    if given == "-":
        return "Pictures are not read from standard input, '-': name files or folders."
    if path.is_symlink():
        return f"'{given}' is a link to '{os.readlink(path)}', where no picture is: mend the link."
    if path.exists():
        return f"'{given}' is no file that pictures are read from, but a pipe or a device: name files or folders."
    if any(sign in given for sign in "*?["):
        return f"There is no picture '{given}': a pattern is filled in by the shell, without quotes, if a file fits it."
    return f"There is no picture '{given}'."


def _inside(root: Path, out: Path | None) -> tuple[list[tuple[Path, PurePath]], Balance]:
    """Return the pictures in a folder, each with its path there, and the account of all files."""
    if out == root.resolve():
        raise UsageError(
            f"The predictions are to be written to '{root}', where the pictures are: name another folder by --out."
        )
    tree = Tree.of(root)
    account, chosen = Account(tree=tree), []
    written = _is_written(root)
    for folder, files in tree.folders.items():
        own = written or (out is not None and (root / folder).resolve().is_relative_to(out) and _holds(root, out))
        for file in files:
            path, name = root / folder / file, PurePath(folder, file)
            if own:
                account.leave(path, PREDICTED)
            elif path.suffix.lower() in SUFFIXES:
                account.use(path, "pictures")
                chosen.append((path, name))
            elif beside(name.as_posix()) is None:
                account.leave(path, FILM if path.suffix.lower() in FILMS else NO_PICTURE)
    balance = account.balance()
    if not chosen:
        there = f" It has {accounting.files(balance)}" if balance.files else ""
        raise UsageError(f"The folder '{root}' holds no picture ({', '.join(sorted(SUFFIXES))}).{there}")
    return chosen, balance


def _is_written(root: Path) -> bool:
    """Whether a folder is one of predictions."""
    return of_a_run("", {path.name for path in root.iterdir()}) == PREDICTED


def _holds(root: Path, out: Path) -> bool:
    """Whether the folder to write lies within that of the pictures; where it is around it, a user knows."""
    return out.is_relative_to(root.resolve())


class Reader:
    """Reads pictures by their places, by several threads at once, and counts what of them is left out.

    Args:
        files: the pictures.
    """

    def __init__(self, files: Sequence[Path]):
        self.files = files
        self.met: dict[Trait, set[int]] = {}
        self.lock = Lock()

    def __call__(self, place: int) -> np.ndarray:
        """Return a picture as `read` does."""
        with without_options():
            header = pictures.inspect(self.files[place])
        if header.traits:
            with self.lock:
                for trait in header.traits:
                    self.met.setdefault(trait, set()).add(place)
        return _decoded(self.files[place], header)

    def notes(self) -> list[str]:
        """Return a sentence for each thing that pictures have and that is not used, or not as it is."""
        told = []
        for trait, places in sorted(self.met.items()):
            words, _, _ = TRAITS[trait].partition(", unless")  # what only a source of labelled pictures takes
            which = f"{len(places):,} pictures have" if len(places) > 1 else "1 picture has"
            told.append(f"{which} {words} (the first: '{self.files[min(places)]}').")
        return told


def read(path: Path) -> np.ndarray:
    """Return a picture, upright, uint8 `[H, W, 3]`.

    Raises:
        pipelines.DataError: the file is missing, truncated or no picture, or nothing says what is white in it.
    """
    with without_options():
        header = pictures.inspect(path)
    return _decoded(path, header)


def _decoded(path: Path, header: Header) -> np.ndarray:
    turn = header.orientation != 1
    slow = turn or not header.fast
    with without_options():
        return _pixels(path, slow, turn)


def _pixels(path: Path, slow: bool, turn: bool) -> np.ndarray:
    try:
        if slow:
            return np.asarray(pictures.decode(tf.constant(str(path)), tf.constant(slow), tf.constant(turn)))
        return np.asarray(pictures.from_bytes(tf.io.read_file(str(path))))  # as it lies there: `numpy` copies
    except (tf.errors.OpError, OSError, ValueError) as error:
        raise DataError(pictures.fault(path, slow) or f"Image '{path}' cannot be decoded.") from error


def distinct_names(files: Iterable[Path]) -> dict[Path, str]:
    """Return a name for what is written about each file: its stem; the second of one name is "tom-2"."""
    files = list(files)
    return dict(zip(files, told_apart([PurePath(file.name) for file in files]), strict=True))


def told_apart(names: Iterable[PurePath]) -> list[str]:
    """Return what is written about each picture is called: its path without the suffix, as "cats/tom".

    Of several that would be called alike, in whatever case of letters, the first is, the second is "cats/tom-2". A name
    that leaves no room for that and a suffix, of the 255 bytes that file systems have, is cut.
    """
    given, taken = list[str](), set[str]()
    for name in names:
        plain = name.with_suffix("").as_posix()
        chosen, number = _cut(plain), 1
        while chosen.casefold() in taken:
            number += 1
            chosen = _cut(plain, f"-{number}")
        taken.add(chosen.casefold())
        given.append(chosen)
    return given


def _cut(name: str, ending: str = "") -> str:
    """Return a name with an ending, cut where it would be longer than a file system has room for beside a suffix."""
    folder, slash, last = name.rpartition("/")
    room, encoded = ROOM - len(ending), os.fsencode(last)
    last = last if len(encoded) <= room else encoded[:room].decode(errors="ignore")
    return f"{folder}{slash}{last}{ending}"
