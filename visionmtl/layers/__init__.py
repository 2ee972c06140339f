"""The Keras layers models are built from here, a file for each kind; each works alone in any Keras model.

From outside, import what `__all__` lists. A new layer is a file with a class registered as "visionmtl", and a line
here; saved models name it `visionmtl>Class`, so that neither word changes afterwards.
"""

from visionmtl.layers.convolution import ConvBlock, DepthToSpace, SharedBlock
from visionmtl.layers.cross_stitch import CrossStitch, near_identity
from visionmtl.layers.normalisation import FusedBatchNormalization, fuse_normalisation
from visionmtl.layers.quality import LocalisationQuality
from visionmtl.layers.stopping import StopGradient
from visionmtl.layers.uncertainty import UncertaintyWeighting
from visionmtl.layers.upsampling import GuidedUpsampling
from visionmtl.layers.weighted_sum import WeightedSum

__all__ = [
    "ConvBlock",
    "CrossStitch",
    "DepthToSpace",
    "FusedBatchNormalization",
    "GuidedUpsampling",
    "LocalisationQuality",
    "SharedBlock",
    "StopGradient",
    "UncertaintyWeighting",
    "WeightedSum",
    "fuse_normalisation",
    "near_identity",
]
