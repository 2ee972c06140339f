"""The terminal: how wide it is, sentences that fit it, and lines in place of a bar that is drawn over and over."""

import shutil
import sys
import textwrap

COMMAND = ": visionmtl "  # before what a sentence says to run
NARROWEST = 40  # columns; a terminal that has fewer breaks lines itself


def width(most: int, least: int = NARROWEST) -> int:
    """Return how many columns a text may take: as many as the terminal has, from `least` to `most`.

    What goes to a file has no terminal's width, and may take `most`; so may all that a program prints for which COLUMNS
    is set to as much.
    """
    return max(least, min(most, shutil.get_terminal_size((most, 0)).columns))


def wrapped(text: str, columns: int, indent: str = "", below: str | None = None) -> str:
    """Return a text in lines of so many columns, broken between words alone.

    Args:
        text: one paragraph.
        columns: of a line at most, where no word alone is longer.
        indent: before each line.
        below: before each line but the first, instead.
    """
    further = indent if below is None else below
    return textwrap.fill(
        text,
        columns,
        initial_indent=indent,
        subsequent_indent=further,
        break_on_hyphens=False,
        break_long_words=False,
    )


def told(sentence: str) -> str:
    """Return a sentence as it is printed: at a terminal in lines that fit it, in a file in one line, for `grep`.

    A command that it ends with stays whole, in a line of its own, to be copied.
    """
    columns = shutil.get_terminal_size((0, 0)).columns
    if not columns or len(sentence) <= columns:
        return sentence
    words, colon, command = sentence.partition(COMMAND)
    lines = wrapped(f"{words}:" if colon else words, max(NARROWEST, columns), below="  ")
    return f"{lines}\n  {COMMAND[2:]}{command}" if colon else lines


def draw(text: str, most: int) -> None:
    """Draw over the line that the cursor is in, `most` columns of it at most; what is told next stands in its place."""
    columns = width(most, 0) - 1  # a full line would scroll
    print(f"\r{text[:columns].ljust(columns)}\r", end="", flush=True)


def tell(*sentences: str) -> None:
    """Print sentences, see `told`; at a terminal, in place of a bar that may stand there."""
    if sentences and sys.stdout.isatty():
        draw("", sys.maxsize)
    for sentence in sentences:
        print(told(sentence), flush=True)
