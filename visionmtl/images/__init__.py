"""How a picture of any size enters the network, and how maps and boxes come back to its pixels.

From outside come `fit`, for pictures, `crop_resize` and `class_map`, for maps, and `map_boxes`; `plainly` makes graphs
of them for other runtimes. What is resized in another way is one file more, which reads `plain.PLAIN`, and one line
here.
"""

from visionmtl.images.boxes import map_boxes
from visionmtl.images.class_maps import class_map
from visionmtl.images.plain import plainly
from visionmtl.images.resizing import GREY, WHOLE, crop_resize, fit

__all__ = ["GREY", "WHOLE", "class_map", "crop_resize", "fit", "map_boxes", "plainly"]
