"""The sections of a recipe that are about several sources: each of them, and how an epoch draws from them."""

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from pipelines.epochs import rules as epoch_rules
from visionmtl.recipe.sections.section import Section, absolute


def _by_own_name(value: Any) -> Any:
    return {str(name): name for name in value} if isinstance(value, list) else value


class OneSource(Section):
    """One of several sources."""

    source: str = Field(description="as data.source")
    path: Annotated[str | None, BeforeValidator(absolute)] = Field(None, description="as data.path")
    options: dict[str, Any] = Field({}, description="as data.options")
    tasks: Annotated[dict[str, str] | None, BeforeValidator(_by_own_name)] = Field(
        None, description="its tasks to take, a list, or {its task: name among all}; null for all"
    )
    classes: dict[str, str | None] = Field(
        {}, description="{its class: name among all}, null for one that is neither learnt nor counted"
    )


class Sampling(Section):
    """How a training epoch draws from one source or several: a method, or `{method: temperature, temperature: 5}`."""

    method: epoch_rules.Method = Field(
        "proportional",
        description="fractions of the sources: proportional to their images, uniform, between the two by temperature,"
        " annealed from one to the other, curriculum after the losses; alternate, one task a batch;"
        " balanced, of one source too, pictures with rare classes more often",
    )
    temperature: Annotated[float, BeforeValidator(epoch_rules.TEMPERATURE)] = Field(
        2.0, description="of temperature: fractions are as images^(1/temperature)"
    )
    floor: Annotated[float, BeforeValidator(epoch_rules.FLOOR)] = Field(
        0.2, description="of curriculum: how much of the fractions stays uniform"
    )
    epochs: int | None = Field(None, ge=1, description="of annealed: over which it goes; null for training.epochs")
    threshold: Annotated[float, BeforeValidator(epoch_rules.THRESHOLD)] = Field(
        0.3,
        description="of balanced: a class in a fraction f of pictures comes sqrt(threshold / f) times as often",
    )
