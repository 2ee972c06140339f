"""The columns of a table that nothing reads: why, and those that must not be lost."""

from pipelines.errors import DataError
from pipelines.sources.csv import boxes
from pipelines.sources.csv.boxes import plain
from pipelines.sources.csv.cells import are_classes
from pipelines.sources.csv.grid import Grid

LABEL = ("label", "class", "class_name", "category")  # as messages name them
INDEX = ("fold", "kfold", "index", "unnamed0", "rowid")  # never classes, whatever they hold
ORIGINS = ("source", "origin", "dataset")  # where a picture or a box is from, and never what it shows
FEW = 10  # rows of which each may have a class of its own


def refuse_unknown_box(grid: Grid, free: list[str], where: str) -> None:
    """Refuse a table with four columns of numbers that speak of edges: they would be lost, and only classes be left."""
    like = [column for column in free if boxes.could_be(column) and grid.all_numbers(filter(None, grid.cells[column]))]
    if len(like) >= 4:
        known = "; ".join(", ".join(family) for _, family in boxes.FAMILIES[:3])
        raise DataError(
            f"{where}s {', '.join(like)} are like a box, but not called as one that is known ({known}; x, y, width, "
            "height; ...): name the four by option box, or set it to [] if they are none."
        )


def refuse_unknown_class(grid: Grid, free: list[str], where: str) -> None:
    """Refuse boxes beside columns of words, of which one may be their class: it would be lost."""
    words = []
    for column in free:
        there = {cell for cell in grid.cells[column] if cell}
        each_its_own = len(there) == len(grid.cells[column]) > FEW
        if there and plain(column) not in ORIGINS and not each_its_own and not grid.all_numbers(there):
            words.append(column)
    if words:
        raise DataError(
            f"{where} of the boxes' classes is missing: expected one called {', '.join(LABEL)}. It may be "
            f"{' or '.join(words)}: say which by option label, or how all boxes are called by classes, as [object]."
        )


def hint(grid: Grid, free: list[str]) -> str:
    """Return the end of a sentence that names a column that may be the labels; nothing if none may."""
    for column in free:
        words = {cell for cell in grid.cells[column] if cell}
        if 1 < len(words) * 2 <= len(grid.cells[column]) and not grid.all_numbers(words):
            return f" Column '{column}' has {len(words)} different words: label={column} would read it."
    return ""


def why_not(grid: Grid, column: str) -> str:
    """Return why a column is not used."""
    cells = grid.cells[column]
    there = {cell for cell in cells if cell}
    if not there:
        return "empty"
    if len(there) == 1:
        return f"'{there.pop()[:20]}' in every row" if all(cells) else f"'{there.pop()[:20]}' or nothing"
    if plain(column) in INDEX[:2]:
        return "folds, no splits: name one as split by a column of train and val"
    if all(cell.isdigit() for cell in there) and len(there) == len(cells):
        return "a number of its own in each row"
    if are_classes(cells):
        return "yes or no; labels=[...] reads such columns"
    if grid.all_numbers(there):
        return f"{len(there)} different numbers"
    return f"{len(there)} different words"
