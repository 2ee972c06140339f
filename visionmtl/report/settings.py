"""In which settings runs differ, by the recipes in their folders."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import yaml

from visionmtl.recipe.keys import each_key, leaves

DATA = ("source", "path", "sources", "options")  # of `data`: where these differ, other pictures may be measured
PLACES = ("name", "data.cache_folder")  # what a run is called and where it keeps files: no setting


def differing(recipes: Sequence[str]) -> dict[str, list[str]]:
    """Return the keys whose values are not the same in all recipes, with the value in each, in the order of the files.

    A key that a recipe lacks, as one of an earlier version does, counts as its default; "" where it has none.

    Args:
        recipes: texts of `recipe.yaml`; one that is broken is passed over, and has "" everywhere.

    Example:
        >>> differing(["training: {epochs: 20, seed: 1}", "training: {epochs: 40, seed: 1}"])
        {'training.epochs': ['20', '40']}
    """
    read = [_settings(recipe) for recipe in recipes]
    defaults = {key.name: key.default for key in each_key()}
    keys = dict.fromkeys(key for each in read for key in each if key not in PLACES)
    found = {key: [each.get(key, defaults.get(key, "") if each else "") for each in read] for key in keys}
    known = [place for place, each in enumerate(read) if each]
    return {key: values for key, values in found.items() if len({values[place] for place in known}) > 1}


def of_data(keys: Sequence[str]) -> list[str]:
    """Return which of some keys say what pictures there are."""
    return [key for key in keys if any(f"{key}.".startswith(f"data.{part}.") for part in DATA)]


def read(recipe: str) -> Mapping[Any, Any]:
    """Return what the text of a recipe holds; nothing where it is broken."""
    try:
        content = yaml.safe_load(recipe)
    except yaml.YAMLError:
        return {}
    return content if isinstance(content, Mapping) else {}


def _settings(recipe: str) -> dict[str, str]:
    """Return every key in full with its value as text; a section without a key counts for nothing."""
    flat = {key: value for key, value in leaves(read(recipe)) if value != {}}
    return {key: value if isinstance(value, str) else json.dumps(value, default=str) for key, value in flat.items()}
