"""A recipe: all its sections."""

import math
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from visionmtl.recipe import yamlfile
from visionmtl.recipe.sections.balancing import Balancing
from visionmtl.recipe.sections.data import Data
from visionmtl.recipe.sections.model import Model
from visionmtl.recipe.sections.section import Section
from visionmtl.recipe.sections.training import Training


def _by_task(value: Any) -> Any:
    if value in ([], {}):
        raise ValueError("at least one task, or null for all")
    if isinstance(value, list):
        return {name if isinstance(name, bool) else str(name): {} for name in value}  # a flag is refused as no name
    if isinstance(value, dict):
        return {name: {} if options is None else options for name, options in value.items()}
    return value


class Export(Section):
    """What an export must keep."""

    metric_change: float = Field(
        0.01, ge=0, description="what a reduced precision may lose of a task's metric, as 0.76 in place of 0.77"
    )


class Recipe(Section):
    """All of it. `load` reads one; `dump` writes it with every default filled in."""

    name: str = Field(
        pattern=r"^[^/\\\x00]*[^/\\\x00 ][^/\\\x00]*$",
        description="of the run folder; the recipe file's name unless given",
    )
    data: Data
    tasks: Annotated[dict[str, dict[str, Any]] | None, BeforeValidator(_by_task)] = Field(
        None, description="null for all the source has, a list of names, or {name: {option: value}}"
    )
    model: Model = Model()
    balancing: Balancing = Balancing()
    training: Training = Training()
    export: Export = Export()

    @property
    def rate_scale(self) -> float:
        """What the learning rate is multiplied by: a power of the images of an update over the base batch.

        The images of an update are those of all devices, and of all batches that are accumulated.

        Reference: Goyal et al. 2017, Accurate, Large Minibatch SGD, section 2.1 (linear); Malladi et al. 2022, On the
            SDEs and Scaling Rules for Adaptive Gradient Algorithms (the square root, for Adam and its kin).
        """
        base, rule = self.training.base_batch_size, self.training.scale_learning_rate
        if base is None or rule == "none":
            return 1.0
        ratio = self.data.batch_size * self.training.accumulate / base
        return ratio if rule == "linear" else math.sqrt(ratio)

    def dump(self) -> str:
        """Return the recipe as YAML with every key, so that it trains the same again."""
        return yamlfile.dump(self.model_dump(mode="json"))
