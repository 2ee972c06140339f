"""What is drawn on pictures: boxes, maps, words, strips, matrices, in the colours of the classes; uint8 in and out.

All names below may be used from outside; `samples` sets predictions beside the truth. A new drawing is a file with a
function, and its name here.
"""

from visionmtl.drawing.boxes import boxes, hatched
from visionmtl.drawing.colours import BACKGROUND, INK, NEGATIVE, PAPER, POSITIVE, Colours, colours, palette, shared
from visionmtl.drawing.maps import depth, depth_key, masks
from visionmtl.drawing.matrices import matrix
from visionmtl.drawing.overlays import drawing_order, keyed, overlay, words
from visionmtl.drawing.strips import enlarge, side_by_side
from visionmtl.drawing.text import legend, note

__all__ = [
    "BACKGROUND",
    "INK",
    "NEGATIVE",
    "PAPER",
    "POSITIVE",
    "Colours",
    "boxes",
    "colours",
    "depth",
    "depth_key",
    "drawing_order",
    "enlarge",
    "hatched",
    "keyed",
    "legend",
    "masks",
    "matrix",
    "note",
    "overlay",
    "palette",
    "shared",
    "side_by_side",
    "words",
]
