"""Which images belong to which split: by folders, by lists, or by a division."""

from pathlib import Path, PurePosixPath

from pipelines.accounts.account import Account
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.voc import roots
from pipelines.sources.voc.lists import Lists, find_lists, images_in, read_list
from pipelines.sources.voc.places import Place, read_place
from pipelines.splits import SPLITS, split_named

Splits = dict[str, tuple[Place, list[str]]]  # where each is, and its images by their names there
DEVKIT = ("local", "results", "VOCcode")


def find_splits(request: Request, lists: str, divide: bool | None) -> Splits:
    """Find the splits asked for.

    Args:
        request: what is asked for.
        lists: the folder in `ImageSets/` that has the lists.
        divide: whether data without splits are divided; `layout.fractions` explains it.

    Raises:
        DataError: the folder is of another layout, or lacks a split.
    """
    tree, account = request.files, request.account
    found = roots.find(tree)
    if not found:
        raise DataError(
            f"Folder '{tree.root}' is no Pascal VOC data set: expected Annotations/*.xml or SegmentationClass/*.png, "
            "and JPEGImages/, or XML files beside the pictures."
        )
    if None not in found:
        nested = {str(split): tree.root / found[split] for split in SPLITS if split in found}
        asked = layout.asked(tree.root, nested, request)
        places = {name: read_place(tree, found[name], account) for name in asked}
        for place in places.values():
            _lose_orphans(place, account)
        return {name: (place, list(place.images)) for name, place in places.items()}
    place = read_place(tree, found[None], account)
    for name in DEVKIT if place.root != tree.root else ():
        account.leave_below(place.root.parent / name, "of VOC's development kit")
    known = find_lists(tree, place, lists, account)
    if known and known.everything and not (known.splits or known.trainval):
        chosen = read_list(known.everything, place, account)
        _leave_rest(place, set(chosen), account)
        return _divided(place, chosen, request, divide)
    if known:
        return {name: (place, names) for name, names in _by_lists(place, known, request).items()}
    _lose_orphans(place, account)
    return _by_folders(place, request) or _divided(place, list(place.images), request, divide)


def _by_lists(place: Place, lists: Lists, request: Request) -> dict[str, list[str]]:
    """Return the images of each split that is listed."""
    account, listed = request.account, dict(lists.splits)
    if "train" not in listed and lists.trainval:
        listed["train"] = lists.trainval
    elif lists.trainval:
        account.leave(lists.trainval, "a list of train and validation together")
    if lists.everything:
        account.leave(lists.everything, "a list that is no split")
    listed = {split: listed[split] for split in SPLITS if split in listed}
    result = {}
    for name, path in layout.asked(place.root, listed, request).items():
        result[name] = read_list(path, place, account)
        if path == lists.trainval and "validation" in listed:
            held_back = images_in(listed["validation"], place)
            result[name] = [image for image in result[name] if image not in held_back]
    known = {name for names in result.values() for name in names}
    for split, path in listed.items():
        if split not in result:
            others = images_in(path, place) - known
            place.leave([name for name in place.images if name in others], f"of split {split}, not asked for", account)
            known |= others
    _leave_rest(place, known, account)
    return result


def _leave_rest(place: Place, known: set[str], account: Account) -> None:
    """Set aside what no list names."""
    rule = "in no list of a split"
    place.leave([name for name in place.images if name not in known], rule, account)
    for path in place.orphans:
        account.leave(path, rule)


def _by_folders(place: Place, request: Request) -> Splits:
    """Return the splits of images that all lie in folders of splits, as `images/train/` and `annotations/train/`."""
    found: dict[str, list[str]] = {}
    for name in place.images:
        parts = PurePosixPath(name).parts
        split = split_named(parts[0]) if len(parts) > 1 else None
        if split is None:
            return {}
        found.setdefault(split, []).append(name)
    ordered = {split: found[split] for split in SPLITS if split in found}
    asked = layout.asked(place.root, ordered, request)
    for split, names in ordered.items():
        if split not in asked:
            place.leave(names, f"of split {split}, not asked for", request.account)
    return {split: (place, names) for split, names in asked.items()}


def _divided(place: Place, names: list[str], request: Request, divide: bool | None) -> Splits:
    named: dict[str, Path] = {name: place.images[name] for name in names}
    return {split: (place, list(own)) for split, own in layout.divided(place.root, named, request, divide).items()}


def _lose_orphans(place: Place, account: Account) -> None:
    """Report XML files and masks without an image, where no list says what is wanted."""
    for path in place.orphans:
        account.lose(f"'{path}' has no image of its name.", path)
