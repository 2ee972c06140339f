"""The images of a COCO file with their pictures and masks on the disk."""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path, PurePosixPath

from pipelines.accounts.tree import Tree
from pipelines.contract import Request
from pipelines.errors import DataError
from pipelines.sources.coco.finding import Place
from pipelines.sources.coco.index import Index
from pipelines.sources.coco.locating import Pictures
from pipelines.sources.files import layout
from pipelines.sources.files.entries import Entry


def entered(index: Index, place: Place, request: Request) -> list[Entry]:
    """Find the pictures of an index; an image whose picture cannot be told is lost."""
    tree, account = request.files, request.account
    path = tree.path(place.index)
    pictures = Pictures(tree, place.within, place.without, place.likely, [image.file_name for image in index.images])
    mask_of = _masks(tree, place, pictures.base)
    entries, first = [], dict[str, str]()
    for image in index.images:
        try:
            found = pictures.find(image.file_name)
            if first.setdefault(found, image.file_name) != image.file_name:
                raise ValueError(f"file_name '{image.file_name}' and '{first[found]}' both are '{found}'")
        except ValueError as error:
            account.lose(f"'{path}': images: {error}.", annotations=len(image.objects))
            continue
        entries.append(
            Entry(
                image=tree.path(found),
                index=path,
                size=image.size,
                objects=image.objects,
                relative=index.relative and image.size is None,
                place="annotations: id {}",
                number=image.file_name,
                mask=mask_of and mask_of(found),
                lost=image.file_name in index.lost,
            )
        )
    if len(entries) > 1 and not any(entry.image.exists() for entry in entries):
        raise DataError(
            f"'{path}': none of its {len(entries):,} pictures is in '{tree.path(place.within)}', as "
            f"'{entries[0].number}': put them there, or give the folder that they lie in together."
        )
    pictures.warn(path)
    return entries


def note_unlisted(request: Request, entries: Mapping[str, list[Entry]], places: Iterable[Place]) -> None:
    """Note the pictures beside those of the indices that none lists."""
    tree, account = request.files, request.account
    used = {str(entry.image) for own in entries.values() for entry in own}
    left = tuple(f"{folder}{os.sep}" for folder in account.below)
    for place in places:
        others = tuple(f"{folder}/" for folder in place.without)
        for name in layout.pictures_in(tree, place.within):
            path = tree.path(name)
            if not name.startswith(others) and str(path) not in used and not os.path.abspath(path).startswith(left):
                account.note_loss("a picture that no annotations list", path)


def _masks(tree: Tree, place: Place, base: str) -> Callable[[str], Path] | None:
    """Return the function from a picture to its mask, also where letters are of another case; None without masks."""
    if place.masks is None:
        return None
    there = {name.lower(): name for name in tree.within(place.masks)}
    there |= {name: name for name in there.values()}
    start = f"{base}/" if base else ""

    def mask(picture: str) -> Path:
        inner = PurePosixPath(picture.removeprefix(start)).with_suffix(".png")
        name = f"{place.masks}/{inner}"
        return tree.path(there.get(name) or there.get(name.lower()) or name)

    return mask
