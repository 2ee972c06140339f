"""The section `data.augmentation` of a recipe: what moves and changes a training image."""

from typing import Annotated

from pydantic import BeforeValidator, Field

from pipelines.pixels import rules as pixel_rules
from visionmtl.recipe.sections.section import Section


class Augmentation(Section):
    """What moves a training image, its boxes and its masks; evaluation images are only resized."""

    flip: Annotated[float, BeforeValidator(pixel_rules.flip)] = Field(
        0.5, description="probability of a mirrored image; true is 0.5"
    )
    scale: Annotated[tuple[float, float] | None, BeforeValidator(pixel_rules.scale)] = Field(
        None, description="zoom by a random factor in [low, high], as [0.75, 1.5]; null for none"
    )
    rotate: Annotated[float, BeforeValidator(pixel_rules.DEGREES)] = Field(
        0.0, description="turn by up to so many degrees either way; costs speed"
    )
    half_turn: Annotated[float, BeforeValidator(pixel_rules.CHANCE)] = Field(
        0.0,
        description="probability of a picture turned upside down, for what has no up, as cells; costs speed",
    )
    colour: Annotated[float, BeforeValidator(pixel_rules.COLOUR)] = Field(
        0.0, description="brightness, contrast and saturation vary by this fraction; 0.2 is mild"
    )
    hue: Annotated[float, BeforeValidator(pixel_rules.DEGREES)] = Field(
        0.0, description="hues turn by up to so many degrees either way; 10 is mild"
    )
    tint: Annotated[float, BeforeValidator(pixel_rules.COLOUR)] = Field(
        0.0, description="red, green and blue vary by this fraction, each by itself, as white balance does; 0.1 is mild"
    )
    mosaic: Annotated[float, BeforeValidator(pixel_rules.CHANCE)] = Field(
        0.0, description="probability that four pictures lie around a random point of the image"
    )
    copy_paste: Annotated[float, BeforeValidator(pixel_rules.CHANCE)] = Field(
        0.0,
        description="probability that objects of another picture lie in it, cut out by their masks if there are any",
    )
    cut_mix: Annotated[float, BeforeValidator(pixel_rules.CHANCE)] = Field(
        0.0, description="probability that a rectangle of another picture lies over it"
    )
    erase: Annotated[float, BeforeValidator(pixel_rules.CHANCE)] = Field(
        0.0, description="probability that a rectangle of it is grey"
    )
    until: Annotated[int | None, BeforeValidator(pixel_rules.until)] = Field(
        None, description="epochs after which there is no mosaic, copy_paste, cut_mix and erase; null for never"
    )
    visible: Annotated[float, BeforeValidator(pixel_rules.VISIBLE)] = Field(
        0.25, description="the fraction of an object that must be seen, cut off or hidden as it is, for it to stay one"
    )
    leftovers: Annotated[pixel_rules.Leftovers, BeforeValidator(pixel_rules.leftovers)] = Field(
        "drop", description="what is seen of other objects is background, drop, or a region to ignore, ignore"
    )
