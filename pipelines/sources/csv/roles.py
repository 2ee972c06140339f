"""What each column of a table is, by its name and by what stands in it; the others are named, and why they are not."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipelines.errors import DataError, one_of
from pipelines.sources.csv import boxes, leftovers
from pipelines.sources.csv.boxes import Box, plain
from pipelines.sources.csv.cells import are_classes
from pipelines.sources.csv.columns import Claim, claims
from pipelines.sources.csv.grid import Grid, is_picture
from pipelines.splits import split_named

IMAGE = ("image", "image_path", "path", "file", "file_name", "filename")  # as messages name them
FILES = (
    *("image", "imagepath", "path", "file", "filename", "filepath", "filepaths", "fname", "img", "imgpath", "imgname"),
    *("imagename", "imagefile", "imagefilename", "imgfile", "picture", "photo", "imageindex", "imageid", "imgid"),
)
KEYS = ("id", "name", "subjectid", "patientid", "sampleid", "key", "uid")  # of a picture, where files are called so
NAMES = (
    *("label", "class", "classname", "category", "categoryname", "labelname", "labels", "tags", "tag", "classes"),
    *("categories", "findinglabels", "findinglabel", "dx", "diagnosis", "breed", "species"),
    *("classid", "labelid", "categoryid", "classindex"),
)
TARGETS = ("target", "y", "groundtruth")  # class names where what NAMES calls so never varies
SPLIT = ("split", "subset", "partition")
VALID = ("isvalid", "isval")  # columns of 1 for validation and 0 for train
CROWDS = ("isgroupof", "iscrowd", "groupof")
WIDTHS, HEIGHTS = ("width", "imagewidth", "imgwidth"), ("height", "imageheight", "imgheight")
FIRST = 50  # rows whose pictures are looked for to tell which column names them


class NoLabelsError(DataError):
    """A table of pictures that says nothing of them."""


@dataclass(frozen=True)
class Given:
    """What is told of a table beforehand, by options; None where it is to be found out.

    Attributes:
        image: the column of the files.
        label: the column of class names.
        labels: the columns that are classes.
        box: the columns of a box; none for a table without.
        one_class: all boxes are of one class, which no column has to name.
    """

    image: str | None = None
    label: str | None = None
    labels: tuple[str, ...] | None = None
    box: tuple[str, ...] | None = None
    one_class: bool = False


@dataclass(frozen=True)
class Roles:
    """What the columns of a table are.

    Attributes:
        image: the files.
        label: the class names, or None.
        labels: those that are classes.
        box: the columns of a box, or None.
        split: the splits, or None; `valid`: its cells are 1 for validation and 0 for train.
        size: width and height of the picture, or none.
        crowd: says whether a box is one of a group, or None.
        more: what reads further columns, with those.
        aside: the columns that are not used, and why.
    """

    image: str
    label: str | None = None
    labels: tuple[str, ...] = ()
    box: Box | None = None
    split: str | None = None
    valid: bool = False
    size: tuple[str, ...] = ()
    crowd: str | None = None
    more: tuple[Claim, ...] = ()
    aside: dict[str, str] = field(default_factory=dict)


def assign(grid: Grid, given: Given, here: Callable[[str], bool]) -> Roles:
    """Find out what the columns of a table are.

    Args:
        grid: the table.
        given: what is known.
        here: whether there is a picture of a name.

    Raises:
        DataError: a column that is needed is not there, or two could be the same.
        NoLabelsError: it says nothing of its pictures.
    """
    more = claims(grid.columns)
    columns = [column for column in grid.columns if not any(column in claim.names for claim in more)]
    where = _where(grid)
    image = image_column(grid, columns, given.image, here)
    rest = [column for column in columns if column != image]
    split, valid = _split(grid, rest)
    box = _box(grid, rest, given, where)
    label = _label(grid, [c for c in rest if not box or c not in box.columns], given, bool(box), where)
    taken = {image, split, label, *(box.columns if box else ())}
    size = tuple(
        c for names in (WIDTHS, HEIGHTS) for c in _called(rest, names)[:1] if c not in taken and _is_size(grid, c)
    )
    size = size if len(size) == 2 else ()
    crowd = next((c for c in _called(rest, CROWDS) if box and are_classes(grid.cells[c])), None)
    taken |= {*size, crowd}
    labels = tuple(one_of(column, columns, where) for column in given.labels or ())
    free = [column for column in rest if column not in taken and column not in labels]
    if given.labels is None and label is None and box is None:
        labels = tuple(c for c in free if plain(c) not in leftovers.INDEX and are_classes(grid.cells[c]))
        free = [column for column in free if column not in labels]
    if not box and given.box is None and not labels:
        leftovers.refuse_unknown_box(grid, free, where)
    if box and not label and not given.one_class:
        leftovers.refuse_unknown_class(grid, free, where)
    if not (label or labels or box or more):
        raise NoLabelsError(
            f"{where} of labels is missing: expected one called {', '.join(leftovers.LABEL)}, or of 0 and 1."
            f"{leftovers.hint(grid, free)}"
        )
    aside = {column: leftovers.why_not(grid, column) for column in free}
    return Roles(image, label, labels, box, split, valid, size, crowd, more, aside)


def _where(grid: Grid) -> str:
    return f"'{grid.path}': line 1: column"


def _called(columns: Sequence[str], names: Sequence[str]) -> list[str]:
    """Return the columns of these names, in the order of the names."""
    return [column for name in names for column in columns if plain(column) == name]


def image_column(grid: Grid, columns: Sequence[str], wanted: str | None, here: Callable[[str], bool]) -> str:
    """Return the column of the files: of those that are called so, the one whose pictures are here.

    Args:
        grid: the table.
        columns: those to choose from.
        wanted: its name, if it is told.
        here: whether there is a picture of a name.

    Raises:
        DataError: there is none, or several are it.
    """
    where = _where(grid)
    if wanted is not None:
        return one_of(wanted, columns, where)

    def share(column: str) -> int:
        return sum(here(cell) for cell in list(dict.fromkeys(grid.cells[column]))[:FIRST])

    for names in (FILES, KEYS):
        known = _called(columns, names)
        found = [column for column in known if share(column)]
        if len(found) > 1:
            first, *others = found
            for other in others:
                if not _same_files(grid, first, other):
                    raise DataError(
                        f"{where}s '{first}' and '{other}' both name pictures that are here, and not the same: say "
                        "which by option image."
                    )
        if found or (known and names is FILES):
            return (found or known)[0]
    files = [column for column in columns if all(map(is_picture, grid.cells[column][:FIRST]))]
    found = [column for column in files if share(column)]
    if not found:  # under no name that is known, nor with a suffix, as "id_code": all of its names are here
        found = [column for column in columns if _all_here(grid, column, here)]
    if len(found) == 1:
        return found[0]
    if found:
        raise DataError(f"{where}s {', '.join(found)} could all name the pictures: say which by option image.")
    raise DataError(f"{where} of the image files is missing: expected one called {', '.join(IMAGE)}.")


def _all_here(grid: Grid, column: str, here: Callable[[str], bool]) -> bool:
    """Whether all names in a column are those of pictures, and not by chance, as numbers may be."""
    cells = {*grid.cells[column][:FIRST]}
    return len(cells) > 1 and not all(map(str.isdigit, cells)) and all(map(here, cells))


def _same_files(grid: Grid, first: str, other: str) -> bool:
    def last(cell: str) -> str:
        return cell.replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or cell

    pairs = zip(grid.cells[first][:FIRST], grid.cells[other][:FIRST], strict=True)
    return all(last(one) == last(two) for one, two in pairs)


def split_cell(cell: str) -> str | None:
    """Return the split that a cell names, or None."""
    return split_named(cell)


def _split(grid: Grid, columns: list[str]) -> tuple[str | None, bool]:
    """Return the column of the splits, and whether it is 1 for validation and 0 for train."""
    for column in columns:
        cells = set(grid.cells[column])
        if cells and all(map(split_cell, cells)):
            return column, False
    named = _called(columns, SPLIT)
    if named:
        return named[0], False
    valid = [column for column in _called(columns, VALID) if are_classes(grid.cells[column])]
    if valid:
        return valid[0], True
    for column in columns:
        if plain(column) in ("istrain", "istest", "istraining") and are_classes(grid.cells[column]):
            raise DataError(
                f"{_where(grid)} '{column}' seems to tell splits: write a column split of train, val and test in its "
                "place."
            )
    return None, False


def _box(grid: Grid, columns: list[str], given: Given, where: str) -> Box | None:
    """Return the columns of a box."""
    if given.box is None:
        return boxes.find(columns, where)
    if len(given.box) not in (0, 1, 4):
        raise DataError(f"Option box names {len(given.box)} columns: expected four, one that holds all, or none.")
    named = tuple(one_of(column, columns, where) for column in given.box)
    return Box(named, boxes.CORNERS if len(named) == 4 else None) if named else None


def _label(grid: Grid, columns: list[str], given: Given, boxed: bool, where: str) -> str | None:
    """Return the column of class names."""
    if given.label is not None:
        return one_of(given.label, columns, where)
    if given.labels is not None and not boxed:
        return None

    def varies(column: str) -> bool:
        return len({*grid.cells[column]} - {""}) > 1

    named = _called(columns, NAMES)
    if given.labels is not None:
        named = [column for column in named if column not in given.labels]
    named = [column for column in named if any(grid.cells[column])] or named[:1]
    if not boxed and not any(map(varies, named)) and (targets := [c for c in columns if plain(c) in TARGETS]):
        named = [column for column in targets if varies(column)][:1] or named
    named = [column for column in named if boxed or varies(column)] or named[:1]
    for other in named[1:]:
        if not _one_to_one(grid, named[0], other):
            raise DataError(f"{where}s '{named[0]}' and '{other}' could both be the class: say which by option label.")
    return named[0] if named else None


def _one_to_one(grid: Grid, first: str, other: str) -> bool:
    pairs = set(zip(grid.cells[first], grid.cells[other], strict=True))
    return len(pairs) == len({one for one, _ in pairs}) == len({two for _, two in pairs})


def _is_size(grid: Grid, column: str) -> bool:
    cells = {cell for cell in grid.cells[column] if cell}
    return grid.all_numbers(cells) and all(grid.number(cell) >= 1 for cell in cells)
