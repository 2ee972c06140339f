"""The splits asked for, with the pictures and text files of each, whichever way a data set tells them."""

import warnings

from pipelines.accounts.tree import Tree
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.yolo import finding
from pipelines.sources.yolo.finding import Place, Places
from pipelines.sources.yolo.gathering import Gathered, Gatherer
from pipelines.sources.yolo.labels import LabelFiles
from pipelines.sources.yolo.layouts import homes
from pipelines.sources.yolo.paths import Paths
from pipelines.sources.yolo.settings import Settings
from pipelines.splits import SPLITS


def find_splits(
    tree: Tree,
    settings: Settings | None,
    apart: dict[str, tuple[str, ...]],
    request: Request,
    divide: bool | None,
    masked: bool,
) -> dict[str, Gathered]:
    """Return the pictures of the splits asked for, and set aside those of others.

    Args:
        tree: the files.
        settings: what data.yaml says, if there is one.
        apart: text files that are no labels.
        request: the splits asked for.
        divide: whether to divide what has no splits.
        masked: whether pictures may have masks, and need no text files.

    Raises:
        DataError: there are no pictures, or not those of a split that must be there.
    """
    if not any(layout.pictures_in(tree)):
        raise DataError(
            f"Folder '{tree.root}' has labels and no pictures: export it with its images, or put these into images/."
        )
    paths, account = Paths(tree), request.account
    gatherer = Gatherer(tree, paths, LabelFiles(tree, apart), account)
    gatherer.leave_plots()
    places = _places(tree, paths, settings, request)
    if "" in places or not places:
        return _divided(tree, gatherer, places.get("") or finding.whole(tree), request, divide)
    asked = layout.asked(tree.root, {split: places[split] for split in SPLITS if split in places}, request)
    splits = {split: gatherer.gather(places[split]) for split in asked}
    others = {split: gatherer.gather(places[split]) for split in places if split not in asked}
    gatherer.pair_prefixed({**splits, **others})
    for split, own in others.items():
        gatherer.leave(own, f"of split {split}, not asked for")
    gatherer.tell_unmatched(splits, others)
    for own in splits.values():
        gatherer.tell_unusable(own)
    return splits if masked else _with_labels(splits, gatherer, request)


def _places(tree: Tree, paths: Paths, settings: Settings | None, request: Request) -> Places:
    """Find the places of the splits: named, listed, or told by folders; those without a split are under ""."""
    if settings and settings.places:
        for home in homes(tree):
            for name in tree.like("*.data", home):
                request.account.leave(tree.path(name), f"splits, which {settings.path.name} has")
        return finding.by_settings(settings, paths, request)
    return (
        finding.by_data_file(tree, paths, request.account)
        or finding.by_lists(tree)
        or finding.by_folders(tree, request.account)
    )


def _divided(
    tree: Tree, gatherer: Gatherer, places: list[Place], request: Request, divide: bool | None
) -> dict[str, Gathered]:
    own = gatherer.gather(places)
    gatherer.pair_prefixed({"": own})
    gatherer.tell_unmatched({"": own}, {})
    gatherer.tell_unusable(own)
    parts = layout.parted(tree.root, own.labels, request, divide)
    splits = {split: Gathered(labels, own.folders, own.lists) for split, labels in parts.items()}
    rest = {name: text for name, text in own.labels.items() if not any(name in part for part in parts.values())}
    gatherer.leave(Gathered(rest), layout.OTHER_SPLIT)
    return splits


def _with_labels(splits: dict[str, Gathered], gatherer: Gatherer, request: Request) -> dict[str, Gathered]:
    """Leave out splits of which no picture has a text file, as a test set that nobody labelled."""
    kept = {}
    for split, own in splits.items():
        bare = own.labels and not any(own.labels.values())
        others = any(any(other.labels.values()) for other in splits.values())
        if not bare or not others:
            kept[split] = own
            continue
        message = (
            f"Split '{split}' of '{request.path}' has no labels: none of its {len(own.labels)} images has a text file"
        )
        if split == "train":
            raise DataError(f"{message}.")
        warnings.warn(f"{message}; it is left out.", stacklevel=2)
        gatherer.leave(own, f"of split {split}, which has no labels")
    return kept
