"""A comparison for the terminal: what is main of the table, in 40 to 110 columns, and the verdicts below."""

from collections.abc import Sequence

from visionmtl import terminal
from visionmtl.comparison.verdicts import sentences
from visionmtl.comparison.verdicts.columns import LEFT, Column, columns
from visionmtl.comparison.verdicts.judging import Judgement

WIDTH = 110  # columns at most; as many as the terminal has below that
NAME = 26  # letters of an arm's name that are shown at least, where the terminal has 80 columns


def text(judgement: Judgement, width: int | None = None) -> str:
    """Return the table and the verdicts as text, no line of it wider than `width`, or than the terminal."""
    if width is None:
        width = terminal.width(WIDTH)
    shown, hidden = fitting(judgement, width)
    lines = [_table(shown)]
    if hidden:
        lines.append(_wrapped(f"Not shown for lack of room, but in the CSV file: {', '.join(hidden)}.", width))
    errors = any("±" in str(cell) for column in shown for cell in column.cells)
    lines += [_wrapped(sentences.legend(judgement, errors), width), ""]
    for judged in judgement.arms:
        if said := sentences.of_arm(judged):
            lines.append(_wrapped(f"{judged.number:>2}  {judged.arm.name}: {said}.", width, "    "))
    lines.append("")
    lines += [_wrapped(sentence, width) for sentence in sentences.below(judgement)]
    return "\n".join(lines).replace("\n\n\n", "\n\n")


def fitting(judgement: Judgement, width: int) -> tuple[list[Column], list[str]]:
    """Return the columns that fit beside each other, and the names of the others.

    Metrics lose their standard errors before any column goes; then the least of them go, one by one.
    """
    least = min(NAME, max(8, width // 3))
    for errors in (True, False):
        every = columns(judgement, errors)
        shown = [column for column in every if column.rank <= 4]
        if _width(shown, least) <= width:
            break
    while _width(shown, least) > width and (rank := max(column.rank for column in shown)):
        last = max(index for index, column in enumerate(shown) if column.rank == rank)
        shown = shown[:last] + shown[last + 1 :]
    for column in sorted(every, key=lambda column: column.rank):  # what there is room for, after all
        trial = [each for each in every if each in shown or each is column]
        if column.rank != 4 and _width(trial, least) <= width:
            shown = trial
    name = width - _width(shown, 0) + len("arm")
    fitted = [
        column._replace(cells=[short(cell, name) for cell in column.cells]) if column.head == "arm" else column
        for column in shown
    ]
    heads = [column.head for column in shown]
    return fitted, [column.head for column in every if column.head not in heads]


def short(name: str, letters: int) -> str:
    """Return a name of so many letters at most, without what is in its middle.

    Example:
        >>> short("cross_stitch, pcgrad", 12)
        'cross…pcgrad'
    """
    if len(name) <= letters:
        return name
    end = letters // 2
    return f"{name[: letters - end - 1]}…{name[len(name) - end :]}"


def _width(shown: Sequence[Column], name: int) -> int:
    """Return how wide a table is if its names are cut to so many letters."""
    widths = [
        max(
            len(column.head),
            *(min(len(str(cell)), name) if column.head == "arm" else len(str(cell)) for cell in column.cells),
        )
        for column in shown
    ]
    return sum(widths) + 2 * (len(shown) - 1)


def _table(shown: Sequence[Column]) -> str:
    """Return aligned columns: names left, all else right."""
    texts = [[str(cell) for cell in column.cells] for column in shown]
    widths = [max(len(column.head), *map(len, cells)) for column, cells in zip(shown, texts, strict=True)]
    left = [column.head in LEFT for column in shown]

    def line(cells: Sequence[str]) -> str:
        parts = zip(cells, widths, left, strict=True)
        return "  ".join(cell.ljust(width) if flush else cell.rjust(width) for cell, width, flush in parts).rstrip()

    rule = "  ".join("-" * width for width in widths)
    return "\n".join([line([column.head for column in shown]), rule, *map(line, zip(*texts, strict=True))])


def _wrapped(sentence: str, width: int, indent: str = "") -> str:
    return terminal.wrapped(sentence, width, below=indent)
