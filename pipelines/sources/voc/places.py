"""`Place`: the images of one Pascal VOC folder, and which XML file and which mask each has."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipelines.accounts.account import Account
from pipelines.accounts.tree import Tree
from pipelines.errors import DataError
from pipelines.sources.files import layout
from pipelines.sources.voc import roots
from pipelines.sources.voc.xml import filename, is_annotation

ASIDE = {  # folders that lie beside those that are read, by the beginnings of their names
    "segmentationobject": "a mask of instances, not read",
    "segmentationclass": "another form of the masks, not read",
    "annotationsvisualization": "a drawing, not read",
    "trimaps": "a trimap, whose values are no classes; data.source=folder reads them",
}


@dataclass
class Place:
    """A folder with a data set, or with a split of one.

    Attributes:
        root: the folder.
        images: by their names in the folder of images, without the suffix.
        xmls: the XML file of each image that has one; masks, its mask.
        orphans: XML files and masks that have no image.
    """

    root: Path
    images: dict[str, Path]
    xmls: dict[str, Path] = field(default_factory=dict)
    masks: dict[str, Path] = field(default_factory=dict)
    orphans: list[Path] = field(default_factory=list)
    stems: dict[str, str] = field(default_factory=dict)  # of names whose last part no other has

    def __post_init__(self) -> None:
        names = [PurePosixPath(name).name for name in self.images]
        counts = Counter(names)
        self.stems = {stem: name for stem, name in zip(names, self.images, strict=True) if counts[stem] == 1}

    def image_of(self, name: str) -> str | None:
        """Return the image that the name of a label file means, both without suffixes."""
        if name in self.images:
            return name
        stem, suffix = os.path.splitext(PurePosixPath(name).name)
        whole = f"{stem}{suffix}"
        return self.stems.get(whole) or (self.stems.get(stem) if layout.is_picture(suffix) else None)

    def leave(self, names: Iterable[str], rule: str, account: Account) -> None:
        """Set images aside, with their XML files and masks."""
        for name in names:
            for files in (self.images, self.xmls, self.masks):
                if name in files:
                    account.leave(files[name], rule)


def read_place(tree: Tree, folder: str, account: Account) -> Place:
    """Find the files of a folder.

    Args:
        tree: that it is in.
        folder: its name in the tree.
        account: told of what has an image that another file of its kind has, and of what is set aside.

    Raises:
        DataError: it has no images.
    """
    root = tree.root / folder
    outer = roots.inner_named(tree, folder, roots.LABELS)
    xmls = _xmls(tree, folder, outer)
    shown = roots.inner_named(tree, folder, roots.IMAGES)
    filled = (own for name in roots.MASKS if (own := roots.inner_named(tree, folder, [name])))
    masks = next((own for own in filled if any(layout.pictures_in(tree, own))), None)  # some have arrays alone
    names = layout.pictures_in(tree, shown) if shown else _beside(tree, folder, xmls, masks)
    images = _by_stem(tree, shown or folder, names, account)
    if not images:
        hint = " CVAT exports them if 'Save images' is chosen." if (root / "labelmap.txt").is_file() else ""
        raise DataError(f"Folder '{root}' lacks its images: expected JPEGImages/, or pictures beside the XML.{hint}")
    place = Place(root, images)
    starts = [start for start in (f"{outer}/xmls" if outer else None, outer, shown, folder) if start]
    _match(place, {_inner(name, starts): tree.root / name for name in xmls}, place.xmls, account)
    if masks:
        files = {_inner(name, [masks]): tree.root / name for name in layout.pictures_in(tree, masks)}
        for file in [file for file in files.values() if file.suffix.lower() != ".png"]:
            account.lose(f"Mask '{file}' is no PNG file.", file)
        _match(place, {name: f for name, f in files.items() if f.suffix.lower() == ".png"}, place.masks, account)
    for inner in tree.folders:
        rule = next((rule for start, rule in ASIDE.items() if roots.is_named(inner, start)), None)
        if rule and inner != masks:
            account.leave_below(tree.root / inner, rule)
    return place


def _xmls(tree: Tree, folder: str, outer: str | None) -> list[str]:
    """Return the XML files of a folder: all in `Annotations/`, and elsewhere those of Pascal VOC's form."""
    named = outer if outer and roots.has_its_name(outer) else None
    return [
        name
        for name in tree.within(folder)
        if name.lower().endswith(".xml")
        and ((named and name.startswith(f"{named}/")) or is_annotation(tree.root / name))
    ]


def _beside(tree: Tree, folder: str, xmls: list[str], masks: str | None) -> Iterator[str]:
    """Return the pictures in the folders of which some picture has the stem of an XML file; of no XML, all."""
    stems = {PurePosixPath(name).stem for name in xmls}
    found: dict[str, list[str]] = {}
    for name in layout.pictures_in(tree, folder):
        if not (masks and name.startswith(f"{masks}/")) and not any(
            roots.is_named(part, start) for part in PurePosixPath(name).parts[:-1] for start in ASIDE
        ):
            found.setdefault(str(PurePosixPath(name).parent), []).append(name)
    if stems:
        found = {key: own for key, own in found.items() if any(PurePosixPath(name).stem in stems for name in own)}
    return (name for own in found.values() for name in own)


def _by_stem(tree: Tree, folder: str, names: Iterable[str], account: Account) -> dict[str, Path]:
    """Return pictures by their names in a folder without the suffix; one whose labels could be another's is lost."""
    found: dict[str, Path] = {}
    for name in names:
        path = tree.path(name)
        first = found.setdefault(_inner(name, [folder]), path)
        if first != path:
            account.lose(f"Image '{path}' has the name of '{first.name}': their labels cannot be told apart.", path)
    return found


def _match(place: Place, files: Mapping[str, Path], found: dict[str, Path], account: Account) -> None:
    """Give each image its file: of its name, or else the one that names the image in <filename>."""
    rest = []
    for name, path in files.items():
        image = place.image_of(name)
        if image is None:
            rest.append(path)
        else:
            _give(image, path, found, account)
    for path in rest:
        named = place.image_of(os.path.splitext(filename(path))[0]) if path.suffix.lower() == ".xml" else None
        if named is None or named in found:
            place.orphans.append(path)
        else:
            found[named] = path


def _give(image: str, path: Path, found: dict[str, Path], account: Account) -> None:
    if image in found:
        account.lose(f"'{path}' and '{found[image]}' both have the name of image '{image}'.", path)
    else:
        found[image] = path


def _inner(name: str, starts: list[str]) -> str:
    """Return a name without its suffix and without the folder that it begins with."""
    name = os.path.splitext(name)[0]
    start = next((start for start in starts if name.startswith(f"{start}/")), "")
    return name[len(start) :].lstrip("/")
