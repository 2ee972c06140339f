"""`Legend`: the classes of masks and the value or the colour of each, as an option or a file gives them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.errors import DataError, one_of
from pipelines.kinds.spec import IGNORE

Colour = tuple[int, int, int]  # red, green and blue, 0 to 255
MOST = IGNORE - 1  # classes that a mask may have: 254 and 255 stand for none
FORM = "{name: [red, green, blue]}, each from 0 to 255"


@dataclass(frozen=True)
class Legend:
    """The classes of masks, and what stands for each in a mask file.

    Attributes:
        names: of the classes, by their ids.
        colours: of each class, or None where masks hold numbers.
        values: the number of each class, or None where they are 0, 1, 2, ...
        ignored: colours of what is neither learnt nor counted.
        file: which says so; None for an option.
    """

    names: tuple[str, ...]
    colours: tuple[Colour, ...] | None = None
    values: tuple[int, ...] | None = None
    ignored: tuple[Colour, ...] = ()
    file: Path | None = None

    @property
    def where(self) -> str:
        """What says so, in words."""
        return f"'{self.file}'" if self.file else "the option mask_colours"

    def check(self) -> "Legend":
        """Return the legend.

        Raises:
            DataError: two classes have one name, colour or value, or there are too many.
        """
        for what, given in (("name", self.names), ("colour", self.colours), ("value", self.values)):
            twice = next((each for i, each in enumerate(given or ()) if each in (given or ())[:i]), None)
            if twice is not None:
                raise DataError(f"{self.where[0].upper()}{self.where[1:]} gives the {what} {twice} to two classes.")
        if not 0 < len(self.names) <= MOST:
            raise DataError(f"Masks have {len(self.names)} classes by {self.where}: expected 1 to {MOST}.")
        return self

    def without(self, ignored: Any) -> "Legend":
        """Return a legend in which a class, by its name, or a colour is neither learnt nor counted.

        Raises:
            DataError: there is no such class.
        """
        if self.colours is None:
            raise DataError(f"Option ignore is {ignored!r}: expected a number, since the masks hold no colours.")
        if isinstance(ignored, list | tuple):
            colour = colour_of(ignored, "ignore")
        else:
            colour = self.colours[self.names.index(one_of(str(ignored), self.names, "class to ignore"))]
        left = [(name, own) for name, own in zip(self.names, self.colours, strict=True) if own != colour]
        names, colours = zip(*left, strict=True) if left else ((), ())
        return Legend(tuple(names), tuple(colours), None, (*self.ignored, colour), self.file).check()


def of_option(given: object) -> Legend:
    """Return what the option mask_colours says: `{name: [r, g, b]}`, or `{name: grey}`.

    Raises:
        DataError: it says something else.
    """
    if not isinstance(given, Mapping) or not given:
        raise DataError(f"Option mask_colours is {given!r}: expected {FORM}.")
    colours = tuple(colour_of(colour, f"mask_colours: {name}") for name, colour in given.items())
    return Legend(tuple(str(name) for name in given), colours).check()


def colour_of(given: Any, what: str) -> Colour:
    """Return a colour of three numbers, or of one of grey.

    Raises:
        DataError: it is none.
    """
    numbers = [given] * 3 if isinstance(given, int) and not isinstance(given, bool) else given
    if isinstance(numbers, Iterable) and not isinstance(numbers, str):
        numbers = list(numbers)
        if len(numbers) == 3 and all(isinstance(n, int) and 0 <= n <= 255 for n in numbers):
            return numbers[0], numbers[1], numbers[2]
    raise DataError(f"Option {what} is {given!r}: expected [red, green, blue], each from 0 to 255.")
