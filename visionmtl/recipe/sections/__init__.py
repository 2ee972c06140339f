"""The sections and keys of a recipe: what each may be, its default and what it means; one file a section.

From outside come `Recipe`, which holds all of them, and the sections by their names. A new key is one field of its
section; a new section is one file here and one field of `Recipe`, or of the section around it.
"""

from visionmtl.recipe.sections.augmentation import Augmentation
from visionmtl.recipe.sections.balancing import Balancing
from visionmtl.recipe.sections.data import Data
from visionmtl.recipe.sections.model import Model, Sharing
from visionmtl.recipe.sections.section import Section, by_name
from visionmtl.recipe.sections.sources import OneSource, Sampling
from visionmtl.recipe.sections.training import Checkpoint, Training
from visionmtl.recipe.sections.whole import Export, Recipe

__all__ = [
    "Augmentation",
    "Balancing",
    "Checkpoint",
    "Data",
    "Export",
    "Model",
    "OneSource",
    "Recipe",
    "Sampling",
    "Section",
    "Sharing",
    "Training",
    "by_name",
]
