"""A comparison of "small.yaml", which the fixture `stub` writes, and what is in its folder."""

import json
from pathlib import Path

from visionmtl import cli


def compare(*words):
    """Compare into the folder "out", without tuned fixed weights; return the exit status."""
    return cli.main(["compare", "small.yaml", "--run", "out", "--no-fixed", *words])


def figures():
    """Return `comparison.json`, its arms by name."""
    whole = json.loads(Path("out/comparison.json").read_text())
    return whole | {"arms": {arm["name"]: arm for arm in whole["arms"]}}


def began():
    """Return the cells that were begun, in order."""
    return Path("out/cells/began").read_text().splitlines()
