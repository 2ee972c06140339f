"""`declared`: the label of mask files, by the options of a source and the files that lie beside the masks."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from pipelines.accounts.account import Account
from pipelines.errors import DataError
from pipelines.kinds.spec import IGNORE, LabelSpec
from pipelines.sources.files import layout
from pipelines.sources.files.classes import name_list
from pipelines.sources.files.labels import MaskFiles
from pipelines.sources.files.masks import legends, palettes


class Said(NamedTuple):
    """What the options of a source say of its masks; `format.MaskFormat` explains them.

    Attributes:
        classes: the option mask_classes.
        colours: the option mask_colours.
        offset: the option mask_offset.
        ignore: the option ignore.
    """

    classes: Any = None
    colours: Any = None
    offset: Any = None
    ignore: Any = None


def declared(
    root: Path,
    places: Iterable[Path],
    account: Account,
    said: Said,
    names: Iterable[str] | None = None,
    legend: legends.Legend | None = None,
) -> MaskFiles | None:
    """Return the label of masks, or None where nothing names their classes.

    An option counts more than `mask_classes.json`, that more than a palette, and these more than what the layout says.

    Args:
        root: the folder of the data set.
        places: of the splits, where `mask_classes.json` may lie too; and wherever a palette may.
        account: told of the files that are used.
        said: the options.
        names: of the classes by the layout, or None.
        legend: their colours by the layout, in place of a palette; or None.

    Raises:
        DataError: an option or a file is malformed, or two files disagree.
    """
    places = list(places)
    offset = _whole(said.offset, "mask_offset", range(-255, 256))
    filed = layout.mask_classes(root, [place for place in places if place != root], account)
    if said.colours is not None:
        legend = legends.of_option(said.colours)
    legend = legend or palettes.find([root, *places], account)
    chosen: tuple[str, ...] | None = None
    if said.classes is not None:
        chosen = name_list(said.classes, "mask_classes")
    elif filed:
        chosen = filed[0]
    if chosen and legend:
        legend = _in_order(legend, chosen)
    ignore = said.ignore if said.ignore is not None else filed and filed[1]
    if ignore is not None and legend and legend.colours and not isinstance(ignore, int):
        legend, ignore, chosen = legend.without(ignore), None, None
    if legend and not chosen:
        chosen = legend.names
    chosen = chosen or (tuple(names) if names else None)
    if chosen is None:
        return None
    spec = LabelSpec("segmentation", "segmentation", chosen)
    return MaskFiles(spec, _whole(ignore, "ignore", range(IGNORE + 1)), offset, legend)


def _in_order(legend: legends.Legend, names: tuple[str, ...]) -> legends.Legend | None:
    """Return the colours of the classes that are named, in their order; None where they are those of other classes.

    Raises:
        DataError: the option that gives the colours names other classes.
    """
    if {*names} == {*legend.names}:
        order = [legend.names.index(name) for name in names]
        colours = legend.colours and tuple(legend.colours[place] for place in order)
        values = legend.values and tuple(legend.values[place] for place in order)
        return legends.Legend(names, colours, values, legend.ignored, legend.file)
    if legend.file is None:
        raise DataError(
            f"Option mask_colours names {', '.join(legend.names)}, but the classes of the masks are "
            f"{', '.join(names)}: name the same."
        )
    return None


def _whole(value: Any, option: str, valid: range) -> int | None:
    if value is None or (isinstance(value, int) and not isinstance(value, bool) and value in valid):
        return value
    raise DataError(f"Option {option} is {value!r}: expected a whole number from {valid[0]} to {valid[-1]}.")
