"""Names and what they mean, as `visionmtl list` prints them, and what docstrings say of options."""

import inspect
import re
import shutil
import textwrap
from collections.abc import Iterable
from typing import NamedTuple

NARROWEST, WIDTH = 40, 100  # columns; as many as the terminal has between these
WIDEST = 34  # letters of a name beside which its meaning begins; below a longer one


class Said(NamedTuple):
    """What a docstring says.

    Attributes:
        summary: its first sentence or two.
        arguments: what each means, by name.
        reference: the paper; "" where there is none.
    """

    summary: str
    arguments: dict[str, str]
    reference: str


def said(cls: type) -> Said:
    """Return the parts of a class's docstring, those of its bases among its arguments."""
    text = inspect.getdoc(cls) or ""
    arguments: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        arguments |= _arguments(inspect.cleandoc(each.__doc__ or ""))
    reference = re.search(r"^References?:(.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    return Said(_flat(text.partition("\n\n")[0]), arguments, _flat(reference[1]) if reference else "")


def _arguments(text: str) -> dict[str, str]:
    found = re.search(r"^Args:\n((?:    .*(?:\n|\Z)|\n(?=    ))*)", text, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.+?)(?=^    \w|\Z)", found[1] if found else "", re.MULTILINE | re.DOTALL)
    return {name: _flat(meaning) for name, meaning in entries}


def _flat(text: str) -> str:
    return " ".join(text.split())


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of at most 100 columns, or as many as the terminal has."""
    return textwrap.fill(
        text,
        max(NARROWEST, min(WIDTH, shutil.get_terminal_size((WIDTH, 0)).columns)),
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
        break_long_words=False,
    )


def rows(pairs: Iterable[tuple[str, str]], indent: str = "") -> str:
    """Return names and what they mean, the meanings below each other.

    Example:
        >>> print(rows([("pcgrad", "projects"), ("mgda", "")]))
        pcgrad  projects
        mgda
    """
    pairs = list(pairs)
    width = max((len(name) for name, _ in pairs if len(name) <= WIDEST), default=WIDEST)
    lines = []
    for name, meaning in pairs:
        beside = wrapped(meaning, f"{indent}{' ' * width}  ")[len(indent) + width + 2 :]
        if len(name) <= width:
            lines.append(f"{indent}{name:<{width}}  {beside}".rstrip())
        else:
            lines.append(f"{indent}{name}")
            lines += [wrapped(meaning, f"{indent}{' ' * width}  ")] if meaning else []
    return "\n".join(lines)
