"""The Keras layers models here are built from; each works alone in any Keras model."""

from visionmtl.layers.convolution import ConvBlock, DepthToSpace, SharedBlock
from visionmtl.layers.cross_stitch import CrossStitch, near_identity
from visionmtl.layers.normalisation import FusedBatchNormalization, fuse_normalisation
from visionmtl.layers.uncertainty import UncertaintyWeighting

__all__ = [
    "ConvBlock",
    "CrossStitch",
    "DepthToSpace",
    "FusedBatchNormalization",
    "SharedBlock",
    "UncertaintyWeighting",
    "fuse_normalisation",
    "near_identity",
]
