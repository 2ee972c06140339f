"""Arguments that several commands take."""

import argparse
from collections.abc import Iterable


def among(names: Iterable[str]) -> str:
    """Return what help and completion know an argument by that is one of some names.

    Names that only imports which take long would give are typed where they are asked for, and a test compares them.

    Example:
        >>> among(["stop", "skip"])
        '{stop,skip}'
    """
    return f"{{{','.join(names)}}}"


def add_recipe(parser: argparse.ArgumentParser, optional: bool = False) -> None:
    """Take the recipe, and changes to it."""
    help_ = "a YAML file or a built-in name, see `visionmtl list recipes`"
    parser.add_argument("recipe", nargs="?" if optional else None, metavar="RECIPE", help=help_)
    add_overrides(parser)


def add_overrides(parser: argparse.ArgumentParser) -> None:
    """Take changes to a recipe."""
    help_ = "changes to the recipe, see `visionmtl list keys`"
    parser.add_argument("overrides", nargs="*", default=[], metavar="key=value", help=help_)


def add_tta(parser: argparse.ArgumentParser) -> None:
    """Take further views of each picture."""
    help_ = (
        "merge predictions on several views of each picture: flip (alone if none is named), scales of the network's"
        " input as flip,0.75,1.25, and vote (or fuse), which averages the corners (and scores) of boxes"
    )
    parser.add_argument("--tta", nargs="?", const="flip", metavar="VIEWS", help=help_)


def add_model(parser: argparse.ArgumentParser) -> None:
    """Take a trained model."""
    help_ = "a run folder, whose best model is taken, or a .keras file"
    parser.add_argument("model", metavar="MODEL", help=help_)


def add_device(parser: argparse.ArgumentParser) -> None:
    """Take the devices to compute on."""
    help_ = "cpu, gpu for all GPUs, or some of them as gpu:0,gpu:2; default all GPUs, or the CPU where there are none"
    parser.add_argument("--device", metavar="DEVICES", help=help_)
