"""Whether an exported model says what the model says, task by task, and by how much it does not."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from visionmtl.tasks import Task, boxes

Arrays = Mapping[str, np.ndarray]

SCORE = 1e-4  # what scores and probabilities may differ by
PLACE = 0.01  # what sides of boxes may differ by, in pixels
MAP = 1e-3  # the fraction of pixels that may differ in class, and that by which quantities may differ
NEAR = 1e-3  # the IoU of boxes that lie this near to that of suppression may be suppressed or not


@dataclass(frozen=True)
class Difference:
    """How much an output differs.

    Attributes:
        output: its name, `<task>_<prediction>`.
        value: by how much, at most, over all pictures.
        bound: up to which it agrees.
        unit: of both, in words.
        ties: objects that are in one answer alone, and as near to a threshold as scores may differ.
    """

    output: str
    value: float
    bound: float
    unit: str
    ties: int = 0

    @property
    def agrees(self) -> bool:
        """Whether it is within its bound; what is not a number is not."""
        return bool(self.value <= self.bound)

    def __str__(self) -> str:
        return f"{self.output} differs by {self.value:.3g} {self.unit}, where {self.bound:g} is allowed"


def compare(
    tasks: Mapping[str, Task], expected: Arrays, answered: Arrays, least: Mapping[str, list[float]] | None = None
) -> list[Difference]:
    """Return how much each output differs for a batch of pictures.

    Args:
        tasks: by name.
        expected: the predictions `<task>_<prediction>` of the model.
        answered: those of the exported model.
        least: by task that finds objects, the confidence of each of its classes; none where there is none.

    Example:
        >>> tasks = {"scene": visionmtl.tasks.Classification("scene", 2)}
        >>> given = ({"scene_probabilities": np.array([[0.5, side]])} for side in (0.5, 0.75))
        >>> print(*compare(tasks, *given))
        scene_probabilities differs by 0.25 in value, where 0.0001 is allowed
    """
    return [difference for task in tasks.values() for difference in _of_task(task, expected, answered, (least or {}))]


def _of_task(task: Task, expected: Arrays, answered: Arrays, least: Mapping[str, list[float]]) -> Iterator[Difference]:
    """Yield the differences of one task."""
    start = f"{task.name}_"
    names = [name for name in expected if name.startswith(start)]
    for name in names:
        if name not in answered or answered[name].shape != expected[name].shape:
            yield Difference(name, float("inf"), 0, "in shape: it is missing, or of another one")
            return
    if task.annotates:
        keys = ("boxes", "scores", "classes")
        first, second = ([np.asarray(each[start + key]) for key in keys] for each in (expected, answered))
        yield from _of_objects(task, first, second, np.asarray(least.get(task.name) or [0.0] * len(task.classes)))
        return
    for name in names:
        ours, theirs = np.asarray(expected[name]), np.asarray(answered[name])
        if name.removeprefix(start) not in task.maps:
            yield Difference(name, _largest(np.abs(ours - theirs)), SCORE, "in value")
        elif np.issubdtype(ours.dtype, np.integer):
            yield Difference(name, float(np.mean(ours != theirs)), MAP, "of the pixels")
        else:
            yield Difference(name, _largest(np.abs(ours - theirs) / (np.abs(ours) + SCORE)), MAP, "of the value")


def _of_objects(
    task: Task, expected: list[np.ndarray], answered: list[np.ndarray], least: np.ndarray
) -> Iterator[Difference]:
    """Yield how far boxes and scores of the same objects are from each other, and how many have no counterpart.

    Objects are matched by class and place, since such as tie may come in any order.

    Args:
        task: whose they are.
        expected: boxes `[B, M, 4]`, scores `[B, M]` and classes `[B, M]` of the model.
        answered: the same of the exported one.
        least: confidences `[C]`.
    """
    places, scores, alone, ties = [0.0], [0.0], 0, 0
    suppressed = getattr(task, "iou_threshold", boxes.OVERLAP)  # a task of a user's own may have none
    for ours, theirs in zip(zip(*expected, strict=True), zip(*answered, strict=True), strict=True):
        left = [_real(each) for each in (ours, theirs)]
        edge = [each[1].min() if len(each[1]) == len(ours[1]) else 0.0 for each in left]  # of a list that is full
        free = np.ones(len(left[1][1]), bool)
        for place, (box, score, label) in enumerate(zip(*left[0], strict=True)):
            far = np.abs(left[1][0] - box).max(axis=1, initial=0.0)
            apart = np.abs(left[1][1] - score)
            fits = free & (left[1][2] == label) & (far <= 1 + PLACE) & (apart <= 10 * SCORE)
            if fits.any():
                match = int(np.argmin(np.where(fits, far + apart, np.inf)))
                free[match] = False
                places.append(float(far[match]))
                scores.append(float(apart[match]))
            elif _ties(place, left[0], edge[1], least, suppressed):
                ties += 1
            else:
                alone += 1
        for place in np.flatnonzero(free).tolist():
            tied = _ties(place, left[1], edge[0], least, suppressed)
            ties, alone = ties + tied, alone + (not tied)
    yield Difference(f"{task.name}_boxes", max(places), PLACE, "pixels", ties)
    yield Difference(f"{task.name}_scores", max(scores), SCORE, "in value", ties)
    yield Difference(f"{task.name}_count", alone, 0, "objects that are in one answer alone", ties)


def _real(found: tuple[np.ndarray, ...]) -> list[np.ndarray]:
    """Return boxes, scores and classes of a picture without the rows that pad them."""
    real = found[2] >= 0
    return [each[real] for each in found]


def _ties(place: int, found: list[np.ndarray], edge: float, least: np.ndarray, suppressed: float) -> bool:
    """Whether rounding alone may leave an object out: by its score, or by how much a better one overlaps it.

    Args:
        place: of the object in `found`.
        found: boxes, scores and classes of a picture, without padding.
        edge: the least score of the other answer, if that is full.
        least: confidences `[C]`.
        suppressed: the IoU from which on a better one suppresses it.
    """
    corners, score, label = found[0], found[1][place], found[2][place]
    if min(abs(score - each) for each in (edge, boxes.LEAST, least[label])) <= SCORE:
        return True
    others = (found[2] == label) & (np.arange(len(corners)) != place)
    if not others.any():
        return False
    overlap = boxes.iou(corners[place], corners[others]).numpy()
    return bool((np.abs(overlap - suppressed) <= NEAR).any())


def _largest(values: np.ndarray) -> float:
    """Return the largest of values; 0 for none."""
    return float(np.max(values, initial=0.0))
