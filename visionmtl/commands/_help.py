"""Help that fits the terminal: paragraphs and the rows of tables are wrapped, examples broken as a shell takes them."""

import argparse
import re
import textwrap
from collections.abc import Iterator
from functools import partial

# Of a command line: an option goes with its value, and what is quoted is part of a word.
WORDS = re.compile(r"""(?:--[\w-]+ (?!--))?(?:"[^"]*"|'[^']*'|\S)+""")
ROW = re.compile(r"( +\S.*?  +)(\S.*)")  # of a table: what is told of, and what

wrapped = partial(textwrap.wrap, break_on_hyphens=False, break_long_words=False)


class Formatter(argparse.RawDescriptionHelpFormatter):
    """Wraps a text to the terminal's width by what its lines are.

    Lines at the margin are one paragraph, which ends with a line that ends with a colon. Indented ones are rows of a
    table, what is told of and what, with the rest of a row below its beginning; or examples, of which one that is too
    long goes on in the next line, behind a backslash.
    """

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line if line else "" for line in _lines(text, width - len(indent)))


def _lines(text: str, width: int) -> Iterator[str]:
    for part in _parts(text.splitlines()):
        row = ROW.fullmatch(part)
        if part.lstrip().startswith("visionmtl ") and part[0].isspace():
            yield from _command(part, width)
        elif row:
            yield from wrapped(row[2], width, initial_indent=row[1], subsequent_indent=" " * len(row[1]))
        else:
            yield from wrapped(part, width) or [""]


def _parts(lines: list[str]) -> Iterator[str]:
    """Yield paragraphs, rows and examples, each as one line, and the empty lines between them."""
    part = ""
    for line in lines:
        row = ROW.fullmatch(part)
        goes_on = _margin(line) == len(row[1]) if row else not (_margin(part) or _margin(line) or part.endswith(":"))
        if part and line and goes_on:
            part = f"{part} {line.strip()}"
            continue
        if part:
            yield part
        part = line.rstrip()
        if not part:
            yield ""
    if part:
        yield part


def _margin(line: str) -> int:
    return len(line) - len(line.lstrip())


def _command(line: str, width: int) -> Iterator[str]:
    """Yield the lines of a command line, each but the last with a backslash behind it."""
    margin = " " * _margin(line)
    written = ""
    for word in WORDS.findall(line):
        longer = f"{written} {word}" if written else margin + word
        if written and len(longer) > width - 2:
            yield f"{written} \\"
            longer = f"{margin}    {word}"
        written = longer
    yield written
