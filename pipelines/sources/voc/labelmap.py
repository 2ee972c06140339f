"""`labelmap.txt` of CVAT and `class_names.txt` of labelme: the classes in order, each with its colour of masks."""

from pathlib import Path
from typing import NamedTuple

from pipelines.errors import DataError
from pipelines.sources.files import layout

BACKGROUND, GROUND, BLACK = "background", "_background_", (0, 0, 0)
Colour = tuple[int, int, int]


class LabelMap(NamedTuple):
    """The colour of each class in the masks, the background first."""

    path: Path
    colours: dict[str, Colour]

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of objects: all but the background."""
        return tuple(self.colours)[1:]


def read_labelmap(path: Path) -> LabelMap:
    """Read lines of `name:r,g,b:parts:actions`; without colours they are those that VOC gives to numbers.

    Raises:
        DataError: a line is none, or two have one name or one colour.
    """
    given: dict[str, Colour | None] = {}
    for number, line in enumerate(layout.text(path).splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            name, colour = _entry(line)
            if name in given:
                raise ValueError(f"class '{name}' is given twice")
        except ValueError as error:
            raise DataError(f"'{path}': line {number}: {error}.") from None
        given[name] = colour
    first = next((name for name, colour in given.items() if colour == BLACK or name.lower() == BACKGROUND), BACKGROUND)
    names = [first, *(name for name in given if name != first)]
    if not any(given.values()):
        return LabelMap(path, {name: voc_colour(place) for place, name in enumerate(names)})
    colours = {name: given.get(name) for name in names}
    colours[first] = colours[first] or BLACK
    known: dict[Colour, str] = {}
    for name, colour in colours.items():
        if colour is None:
            raise DataError(f"'{path}': class '{name}' has no colour, though others have one.")
        if known.setdefault(colour, name) != name:
            raise DataError(f"'{path}': classes '{known[colour]}' and '{name}' have the same colour {colour}.")
    return LabelMap(path, {name: colour for name, colour in colours.items() if colour})


def read_class_names(path: Path) -> LabelMap | None:
    """Read `class_names.txt`, as labelme's conversion to Pascal VOC writes it: the background first, VOC's colours.

    Returns:
        The classes; None where the file is of another tool.
    """
    names = list(dict.fromkeys(line.strip() for line in layout.text(path).splitlines() if line.strip()))
    if names[:1] != [GROUND]:
        return None
    return LabelMap(path, {name: voc_colour(place) for place, name in enumerate([BACKGROUND, *names[1:]])})


def voc_colour(number: int) -> Colour:
    """Return the colour that Pascal VOC's palette gives to a number: its bits, dealt out to red, green and blue.

    Example:
        >>> voc_colour(15)
        (192, 128, 128)
    """
    channels = [0, 0, 0]
    for place in range(8):
        for channel in range(3):
            channels[channel] |= (number >> (3 * place + channel) & 1) << (7 - place)
    return channels[0], channels[1], channels[2]


def _entry(line: str) -> tuple[str, Colour | None]:
    parts = line.strip().rsplit(":", 3)
    if len(parts) != 4 or not parts[0].strip():
        raise ValueError(f"'{line.strip()}' is not name:red,green,blue:parts:actions")
    name, text = parts[0].strip(), parts[1].strip()
    if not text:
        return name, None
    values = [value.strip() for value in text.split(",")]
    if len(values) != 3 or not all(value.isdecimal() and int(value) < 256 for value in values):
        raise ValueError(f"colour '{text}' of '{name}' is not three numbers from 0 to 255")
    return name, (int(values[0]), int(values[1]), int(values[2]))
