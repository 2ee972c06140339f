"""What a feature of a TFDS data set means: each class here turns one into the labels of a task; one file a meaning.

From outside, the classes are used: `adapters.py` names them for the data sets that are known. A new meaning is a file
with a class on `label.Label`; it is named here, and in `adapters.KINDS` if recipes may name it.
"""

from pipelines.sources.tfds.labels.boxes import Boxes, Presence
from pipelines.sources.tfds.labels.category import Category
from pipelines.sources.tfds.labels.depth import Depth
from pipelines.sources.tfds.labels.label import Label
from pipelines.sources.tfds.labels.mask import Mask
from pipelines.sources.tfds.labels.panoptic import Panoptic

__all__ = ["Boxes", "Category", "Depth", "Label", "Mask", "Panoptic", "Presence"]
