"""The section `balancing` of a recipe."""

from typing import Any

from pydantic import ConfigDict, Field

from visionmtl.recipe.sections.section import Section


class Balancing(Section):
    """How the tasks share the update; keys beside `method` are its hyperparameters."""

    model_config = ConfigDict(extra="allow")

    method: str = Field("equal", description="see `visionmtl list balancing`; its hyperparameters go beside it")
    watch: int | None = Field(
        50, ge=1, description="steps between looks at how the tasks' gradients lie to each other; null for never"
    )

    @property
    def options(self) -> dict[str, Any]:
        """The method's hyperparameters."""
        return dict(self.model_extra or {})
