"""Names and what they mean, as `visionmtl list` prints them, and what docstrings say of options."""

import inspect
import re
from collections.abc import Iterable
from typing import NamedTuple

from visionmtl import terminal

WIDTH = 100  # columns, where the terminal has as many
WIDEST = 34  # letters of a name beside which its meaning begins; below a longer one


class Said(NamedTuple):
    """What a docstring says.

    Attributes:
        summary: its first sentence or two.
        arguments: what each means, by name.
        reference: the paper; "" where there is none.
        kinds: what it does with each kind of label, by name; none where that is in the summary.
    """

    summary: str
    arguments: dict[str, str]
    reference: str
    kinds: dict[str, str]


def said(cls: type) -> Said:
    """Return the parts of a class's docstring, those of its bases among its arguments."""
    text = inspect.getdoc(cls) or ""
    arguments: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        arguments |= _entries("Args", inspect.cleandoc(each.__doc__ or ""))
    reference = re.search(r"^References?:(.+?)(?:\n\n|\Z)", text, re.MULTILINE | re.DOTALL)
    summary = _flat(text.partition("\n\n")[0])
    return Said(summary, arguments, _flat(reference[1]) if reference else "", _entries("Kinds", text))


def _entries(section: str, text: str) -> dict[str, str]:
    found = re.search(rf"^{section}:\n((?:    .*(?:\n|\Z)|\n(?=    ))*)", text, re.MULTILINE)
    entries = re.findall(r"^    (\w+): (.+?)(?=^    \w|\Z)", found[1] if found else "", re.MULTILINE | re.DOTALL)
    return {name: _flat(meaning) for name, meaning in entries}


def _flat(text: str) -> str:
    return " ".join(text.split())


def wrapped(text: str, indent: str = "") -> str:
    """Return a paragraph in lines of at most 100 columns, or as many as the terminal has."""
    return terminal.wrapped(text, terminal.width(WIDTH), indent)


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
