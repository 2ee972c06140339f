"""What the labels of a task mean: their kind and classes, and the values that stand for none."""

from dataclasses import dataclass

from pipelines import kinds

IGNORE = 255  # of a mask: a pixel that is neither learnt nor counted
CROWD = -2  # class of a detection row: a region that is neither learnt nor counted
NO_DEPTH = 0.0  # of a depth map: a pixel whose distance is unknown, which is neither learnt nor counted
PADDING = -1  # class of a detection row: past the last object
UNKNOWN = -1.0  # of multi-label presence: nobody looked for this class


@dataclass(frozen=True)
class LabelSpec:
    """One kind of label that comes with every image.

    Args:
        name: the key in the batch's `labels` and `weights`, and the name of the task that learns it.
        kind: one of `kinds.names()`, such as "classification", "multi_label", "detection", "segmentation" or "depth".
        classes: the class names; their places are the class ids in the labels. None for depth.

    Raises:
        DataError: the kind is unknown, there is no class (or one of a depth), or two have one name.

    Example:
        >>> LabelSpec("detection", "detection", ("car", "bicycle")).classes[0]
        'car'
    """

    name: str
    kind: str
    classes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "classes", tuple(self.classes))
        kinds.of(self).check()
