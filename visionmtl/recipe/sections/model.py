"""The section `model` of a recipe."""

from typing import Annotated, Any

from pydantic import BeforeValidator, ConfigDict, Field

from visionmtl.recipe.sections.section import Section, absolute, by_name, from_home


class Sharing(Section):
    """A sharing scheme chosen by name, with the options it takes: `hard`, or `{name: hard, until: P3}`."""

    model_config = ConfigDict(extra="allow")

    name: str = "hard"

    @property
    def options(self) -> dict[str, Any]:
        """What was given beside the name."""
        return dict(self.model_extra or {})


def _starts(value: Any) -> Any:
    named = isinstance(value, dict) and all(isinstance(each, str) for pair in value.items() for each in pair)
    if not (value is None or isinstance(value, str) or named):
        raise ValueError("a run folder or .keras file, or one a task, as {task: run}")
    return absolute(value)


class Model(Section):
    """The network."""

    backbone: str = Field("efficientnet_lite0", description="see `visionmtl list backbones`")
    weights: Annotated[str | None, BeforeValidator(from_home)] = Field(
        None,
        description="null, imagenet, or a .keras or .weights.h5 file; of transformers also .safetensors,"
        " or the .safetensors.index.json of several",
    )
    start: Annotated[str | dict[str, str] | None, BeforeValidator(_starts)] = Field(
        None,
        description="a run folder or .keras file whose layers of the same name and shapes give their weights, or one a"
        " task, {task: run}, for what is that task's alone",
    )
    sharing: Annotated[Sharing, BeforeValidator(by_name)] = Field(
        Sharing(), description="how tasks share the backbone: a name, or {name: hard, until: P3}"
    )
    neck: dict[str, Any] = Field(
        {}, description="the feature pyramid's options: {channels: 96, context: scene, fusion: sum, repeats: 1}"
    )
    dropout: float = Field(0.0, ge=0, lt=1, description="fraction of features dropped before each head's last layer")

    @property
    def starts(self) -> list[str]:
        """The runs and files that weights are taken from."""
        return list(self.start.values()) if isinstance(self.start, dict) else [self.start] if self.start else []
