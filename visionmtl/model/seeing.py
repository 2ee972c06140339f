"""A model that looks at pictures several times, mirrored and at other sizes, and predicts once."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import tensorflow as tf

from visionmtl.balancing.hyperparameters import is_level
from visionmtl.errors import UsageError
from visionmtl.model.multi_task import MultiTaskModel
from visionmtl.model.resizing import resized
from visionmtl.tasks.task import Outputs
from visionmtl.tasks.views import FUSE, VOTE, Seen, View, Views

BOXES = {  # what becomes of those of all views, by `Views.boxes`
    VOTE: "boxes of all views suppressed together, by those of the best score, whose corners are the mean of all",
    FUSE: "boxes of all views that lie on each other averaged, and their scores",
}
ALONE = "the picture alone, as it has no way to merge views"


class Looks:
    """The views of pictures that a model predicts on, and its networks for them: of each size one, of the same weights.

    Args:
        model: a trained model; make these in the strategy's scope that it was made in.
        views: which views, as "flip,0.75,1.25"; a scale's height and width are rounded to what the backbone takes.

    Raises:
        UsageError: the views are unknown, two are of one size, or the model cannot be of such a size.

    Example:
        >>> looks = visionmtl.model.seeing.Looks(model, "flip")
        >>> predictions = looks.decode(looks.outputs(tf.zeros((1, 32, 32, 3))))
        >>> sorted(predictions)
        ['classification', 'detection', 'segmentation']
    """

    def __init__(self, model: MultiTaskModel, views: str | Views):
        self.model, self.views = model, Views.parsed(views)
        if self.views.boxes and not any(task.annotates for task in model.tasks.values()):
            raise UsageError(
                f"Views '{self.views}' average boxes, and no task of the model finds any: leave {self.views.boxes} out."
            )
        self.networks: dict[tuple[int, int], MultiTaskModel] = {model.image_size: model}
        stride = 2 ** max((int(part[1:]) for part in model.parts if is_level(part)), default=5)
        for scale in self.views.scales:
            size = _scaled(model.image_size, scale, stride)
            if size in self.networks:
                raise UsageError(
                    f"Views '{self.views}': at scale {scale:g} the network's input of {_told(model.image_size)} is"
                    f" {_told(size)} in multiples of {stride}, which another view is: choose scales farther apart."
                )
            self.networks[size] = resized(model, size)

    def outputs(self, images: tf.Tensor, plain: Mapping | None = None) -> list[Mapping]:
        """Return the raw outputs of all views of pictures.

        Args:
            images: `[B, H, W, 3]`, as the network takes them.
            plain: the raw outputs of the pictures themselves, where they are there.
        """
        images = tf.ensure_shape(images, (None, *self.model.image_size, 3))
        made: list[Mapping] = []
        for size, network in self.networks.items():
            shown = images if network is self.model else tf.image.resize(images, size)
            given = plain if network is self.model else None
            made.append(network(shown, training=False) if given is None else given)
            if self.views.flip:
                made.append(network(tf.reverse(shown, [2]), training=False))
        return made

    def decode(self, outputs: Sequence[Mapping], image_size: Any = None, window: Any = None) -> dict[str, Outputs]:
        """Return what the raw outputs of all views mean together, by task; see `MultiTaskModel.decode`."""
        size = self.model.image_size if image_size is None else image_size
        return {name: self.model.tasks[name].merged(seen, size, window) for name, seen in self._seen(outputs)}

    def measured(self, outputs: Sequence[Mapping]) -> dict[str, Outputs]:
        """Return the same at the size of the network's input, with what metrics need beside it."""
        tasks, size = self.model.tasks, self.model.image_size
        return {
            name: {**tasks[name].merged(seen, size), **tasks[name].certainty(seen)}
            for name, seen in self._seen(outputs)
        }

    def _seen(self, outputs: Sequence[Mapping]) -> Iterator[tuple[str, Seen]]:
        """Yield the name of each task, and its raw outputs of all views."""
        mirrors = (False, True) if self.views.flip else (False,)
        looks = [(size, mirror) for size in self.networks for mirror in mirrors]
        for name in self.model.tasks:
            pairs = zip(outputs, looks, strict=True)
            views = tuple(View(self.model.read_outputs(name, each), *look) for each, look in pairs)
            yield name, Seen(views, self.views.boxes)

    def told(self) -> str:
        """Return in a sentence which views there are, and how the tasks merge them."""
        ways: dict[str, list[str]] = {}
        for name, task in self.model.tasks.items():
            way = BOXES[self.views.boxes] if self.views.boxes and task.annotates else task.merging or ALONE
            ways.setdefault(way, []).append(name)
        sizes = ", ".join(map(_told, self.networks))
        merged = "; ".join(f"{', '.join(names)}: {way}" for way, names in ways.items())
        return f"Views of each picture: {sizes}{', each mirrored too' * self.views.flip}. {merged}."


def _scaled(size: tuple[int, int], scale: float, stride: int) -> tuple[int, int]:
    """Return a size at a scale, in the nearest multiples of a stride."""
    height, width = (max(stride, int(side * scale / stride + 0.5) * stride) for side in size)
    return height, width


def _told(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
