"""A recipe: the YAML file that says what to train, read, checked and completed with its defaults.

From outside come `load`, `parsed`, `changed`, `Recipe` and what lists them. A new key is one field in `sections/`; a
new built-in recipe is one file in `built_in/`.
"""

from visionmtl.recipe.keys import Key, each_key
from visionmtl.recipe.reading import built_in, changed, load, parsed, summary
from visionmtl.recipe.sections import Recipe

__all__ = ["Key", "Recipe", "built_in", "changed", "each_key", "load", "parsed", "summary"]
