"""One picture and its maps taken to their place in an image, or in a part of one."""

from collections.abc import Mapping

import tensorflow as tf

from pipelines.contract import Tree
from pipelines.kinds.kind import Kind
from pipelines.pixels import geometry
from pipelines.pixels.geometry import Placement, Size


def place(
    sample: Tree, kinds: Mapping[str, Kind], placement: Placement, size: Size, turned: bool, shape: tf.Tensor | None
) -> Tree:
    """Take image and maps of one sample to their place; boxes and mirroring are left for later.

    Args:
        sample: as a source reads it.
        kinds: of its labels.
        placement: where to.
        size: height and width of the image in pixels, or of the part of it that the picture fills.
        turned: whether pictures are turned.
        shape: height and width int32 `[2]` of the picture where it was read smaller than that; else None.
    """
    labels = dict(sample["labels"])
    for name, kind in kinds.items():
        if kind.maps:
            labels[name] = kind.place(labels[name], placement, size, turned)
    if turned:
        image = geometry.warp(sample["image"], placement, size, geometry.GREY, True, shape)
    else:
        image = geometry.sample_image(sample["image"], placement, size, shape)
    return {**sample, "image": image, "labels": labels}
