"""The YAML file that Ultralytics reads: the names of the classes, where the splits are, the form of keypoints."""

import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.yolo.layouts import homes, settings_files
from pipelines.splits import split_named

NOTHING = ("", "~", "null", "Null", "NULL", "[]")  # a key that is there without a value
USED = {"names", "nc", "path", "kpt_shape", "masks_dir"}
SEMANTIC = "semantic.yaml"  # what `pipelines.convert` writes beside data.yaml, for Ultralytics to train on the masks


@dataclass(frozen=True)
class Settings:
    """What a settings file says.

    Attributes:
        path: the file.
        names: of the classes, in the order of their ids; None where it has none.
        base: what the places are relative to, as it is written.
        places: of each split, its key and the folders or lists that it names.
        keypoints: how many an object has and how many numbers each; None where it has none.
        masks: the folder of masks that takes the place of images/, or None.
        unused: the other keys.
    """

    path: Path
    names: tuple[str, ...] | None
    base: str
    places: dict[str, tuple[str, list[str]]]
    keypoints: tuple[int, int] | None
    masks: str | None
    unused: tuple[str, ...]


def find_settings(tree: Tree, chosen: str | None, account: Account) -> Settings | None:
    """Read the settings file of a data set: the one chosen, else `data.yaml`, else the only one that names classes.

    Raises:
        DataError: it is malformed, or there are several and none is more likely.
    """
    files = _files(tree, chosen)
    if len(files) > 1:
        for path in [path for path in files if path.name == SEMANTIC]:
            files.remove(path)
            account.leave(path, "the same set by its masks alone")
    if not files:
        return None
    if len(files) == 1:
        return read_settings(files[0])
    read: dict[Path, Settings | DataError] = {}
    for path in files:
        try:
            read[path] = read_settings(path)
        except DataError as error:
            read[path] = error
    named = {path: found for path, found in read.items() if isinstance(found, Settings) and found.names}
    data = next((path for path in files if path.stem.lower() == "data"), None)
    best = data if data in named or not named else next(iter(named))
    if best is None:
        return None
    found = read[best]
    if isinstance(found, DataError):
        raise found
    for path, other in named.items():
        differs = other.names != found.names or (best != data and other.places != found.places)
        if differs and best == data:
            warnings.warn(f"'{path}' has other class names than '{data}', which is used.", stacklevel=2)
        elif differs:
            raise DataError(
                f"'{found.path}' and '{path}' both are settings, and differ: keep one, or choose it by the option "
                f"settings={found.path.name}."
            )
    for path in files:
        if path != found.path:
            account.leave(path, "settings that are not used" if path in named else "a YAML file without class names")
    return found


def _files(tree: Tree, chosen: str | None) -> list[Path]:
    """Return the YAML files of the first folder that has some, or the one chosen."""
    if chosen is not None:
        path = tree.root / chosen
        if not path.is_file():
            raise DataError(f"Option settings is '{chosen}', which is missing from '{tree.root}'.")
        return [path]
    inner: dict[str, list[Path]] = {}
    for home in homes(tree):
        found = [tree.path(name) for name in settings_files(tree, home)]
        if not home and found:
            return found
        if found:
            inner[home] = found
    named = [home for home in inner if any(tree.has(part, home) for part in ("**/labels/**/*", "*/images/*"))]
    if len(named) > 1:
        raise DataError(
            f"'{tree.root}' holds several data sets, in '{named[0]}/' and '{named[1]}/': give the folder of one."
        )
    return [path for found in inner.values() for path in found]


def read_settings(path: Path) -> Settings:
    """Read one settings file.

    Raises:
        DataError: it is no YAML, or a key of it is not as Ultralytics has it.
    """
    try:  # every value as it is written: elsewhere `no` is false and 007 is 7, and these are names here
        content = yaml.load(layout.text(path), Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        raise DataError(f"'{path}' is not valid YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, dict):
        raise DataError(f"'{path}' must have keys, 'names' among them.")
    names = _names(content, path)
    places: dict[str, tuple[str, list[str]]] = {}
    for key, value in content.items():
        split = split_named(str(key))
        values = _places(value, f"'{path}': {key}") if split else []
        if not split or not values:
            continue
        if split in places and places[split][1] != values:
            raise DataError(f"'{path}': '{places[split][0]}' and '{key}' both are split '{split}': keep one.")
        places[split] = key, values
    unused = tuple(str(key) for key in content if key not in USED and not split_named(str(key)))
    base = content.get("path", "")
    if not isinstance(base, str):
        raise DataError(f"'{path}': path is {base!r}, expected a folder.")
    return Settings(
        path, names, "" if base in NOTHING else base, places, _keypoints(content, path), _masks(content, path), unused
    )


def _places(value: object, where: str) -> list[str]:
    values = value if isinstance(value, list) else [value]
    places = []
    for each in values:
        if not isinstance(each, str):
            raise DataError(f"{where} is {each!r}, expected a folder or a text file.")
        if each not in NOTHING:
            places.append(each)
    return places


def _names(content: dict[str, Any], path: Path) -> tuple[str, ...] | None:
    names = content.get("names")
    if names is None or names == "":
        return None
    if isinstance(names, dict):
        try:
            by_id = {int(key): name for key, name in names.items()}
        except ValueError:
            by_id = {}
        if sorted(by_id) != list(range(len(names))):
            raise DataError(f"'{path}': names: the ids must be 0 to {len(names) - 1}, each once.")
        names = [by_id[i] for i in range(len(by_id))]
    if not isinstance(names, list) or not names or not all(isinstance(name, str) for name in names):
        raise DataError(f"'{path}': names is {names!r}, expected a list of class names, all different.")
    twice = next((name for i, name in enumerate(names) if name in names[:i]), None)
    if twice is not None:
        raise DataError(
            f"'{path}': names is {str(names)[:200]} with '{twice}' twice, expected a list of class names, "
            "all different."
        )
    count = content.get("nc", str(len(names)))
    try:
        same = float(count) == len(names)
    except (TypeError, ValueError):
        same = False
    if not same:
        raise DataError(f"'{path}': nc is {count}, but there are {len(names)} names.")
    return tuple(names)


def _masks(content: dict[str, Any], path: Path) -> str | None:
    """Return the name of the folder of masks."""
    name = content.get("masks_dir", "")
    if not isinstance(name, str) or "/" in name.strip("/"):
        raise DataError(f"'{path}': masks_dir is {name!r}, expected the name of a folder beside images/.")
    if name in NOTHING:
        return None
    if content.get("label_mapping"):
        raise DataError(
            f"'{path}': label_mapping is not read: write the masks again with the ids of names, and 255 for ignored."
        )
    return name.strip("/")


def _keypoints(content: dict[str, Any], path: Path) -> tuple[int, int] | None:
    shape = content.get("kpt_shape")
    if shape is None or shape in NOTHING:
        return None
    try:
        count, numbers = map(int, shape)
        if count > 0 and numbers in (2, 3):
            return count, numbers
    except (TypeError, ValueError):
        pass
    raise DataError(f"'{path}': kpt_shape is {shape!r}, expected [how many keypoints, 2 or 3].")
