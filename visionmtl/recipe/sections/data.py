"""The section `data` of a recipe."""

from typing import Annotated, Any

import pydantic
from pydantic import BeforeValidator, Field

from pipelines.epochs import rules as epoch_rules
from pipelines.errors import OnError
from pipelines.pixels import rules as pixel_rules
from visionmtl.recipe.sections.augmentation import Augmentation
from visionmtl.recipe.sections.section import Section, absolute, by_method
from visionmtl.recipe.sections.sources import OneSource, Sampling


def _stride_divides(size: Any) -> Any:
    if not isinstance(size, list | tuple) or len(size) != 2 or not all(type(side) is int for side in size):
        raise ValueError("a list of two whole numbers, [height, width]")
    if any(side < 32 or side % 32 for side in size):
        near = [max(32, round(side / 32) * 32) for side in size]
        raise ValueError(f"multiples of 32, the largest stride of a backbone; the nearest size is {near}")
    return tuple(size)


class Data(Section):
    """Where the images come from and how they are made into batches."""

    source: str | None = Field(None, description="the format of the data, as coco; see `visionmtl list sources`")
    path: Annotated[str | None, BeforeValidator(absolute)] = Field(
        None, description="the folder to read; relative to where the command is run"
    )
    sources: dict[str, OneSource] = Field({}, description="several sources instead of one: {name: {source: ...}}")
    joined: bool = Field(False, description="the sources label the same pictures, matched by the names of their files")
    sampling: Annotated[Sampling, BeforeValidator(by_method)] = Sampling()
    epoch: epoch_rules.Length = Field(
        "longest", description="of several sources: until all, or the first, were taken once; or see training.steps"
    )
    image_size: Annotated[tuple[int, int], BeforeValidator(_stride_divides)] = Field(
        (288, 384), description="[height, width] of the network's input in pixels, multiples of 32"
    )
    batch_size: int = Field(8, ge=1, description="images in a step, over all GPUs together")
    resize: pixel_rules.Resize = Field("stretch", description="fill the input, or keep the aspect ratio")
    augmentation: Augmentation | None = Field(Augmentation(), description="null for none")
    on_error: OnError = Field("stop", description="at a broken image or label: stop, or skip and list")
    cache: bool = Field(True, description="keep decoded images in memory")
    fast_decode: bool = Field(
        False, description="decode large JPEG files at a half, quarter or eighth of their sides where that is enough"
    )
    cache_folder: Annotated[str | None, BeforeValidator(absolute)] = Field(
        None, description="a folder to pack the data into once and read it from, instead of keeping it in memory"
    )
    service: str | None = Field(
        None, description="in training, grpc://host:port of `visionmtl data serve`, whose data workers make the batches"
    )
    max_boxes: int = Field(100, ge=1, description="boxes of one image kept for the detection loss")
    options: dict[str, Any] = Field({}, description="the source's own options, see `visionmtl list sources`")

    @pydantic.model_validator(mode="after")
    def _one_or_several(self) -> "Data":
        if bool(self.source) == bool(self.sources):
            raise ValueError("either source, the one to read, or sources, several by name")
        if self.sources and (self.path or self.options):
            raise ValueError("no path and no options beside sources: each has its own")
        if self.joined and not self.sources:
            raise ValueError("no joined without sources, those that label the same pictures")
        return self

    @property
    def mixed(self) -> bool:
        """Whether an epoch is drawn as `sampling` says, as it is from several sources, in turn or balanced."""
        return bool(self.sources and not self.joined) or self.sampling.method != "proportional"
