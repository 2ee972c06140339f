"""What is drawn on pictures: boxes, maps, words, strips, matrices, in the colours of the classes; uint8 in and out.

All names below may be used from outside; `samples` sets predictions beside the truth. A new drawing is a file with a
function, and its name here.
"""

from visionmtl.drawing.boxes import boxes, hatched
from visionmtl.drawing.colours import BACKGROUND, INK, NEGATIVE, PAPER, POSITIVE, Colours, colours, palette, shared
from visionmtl.drawing.maps import depth, masks
from visionmtl.drawing.matrices import matrix
from visionmtl.drawing.overlays import drawing_order, keyed, overlay
from visionmtl.drawing.strips import enlarge, side_by_side
from visionmtl.drawing.text import caption, legend

__all__ = [
    "BACKGROUND",
    "INK",
    "NEGATIVE",
    "PAPER",
    "POSITIVE",
    "Colours",
    "boxes",
    "caption",
    "colours",
    "depth",
    "drawing_order",
    "enlarge",
    "hatched",
    "keyed",
    "legend",
    "masks",
    "matrix",
    "overlay",
    "palette",
    "shared",
    "side_by_side",
]
