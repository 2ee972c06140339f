"""Objects followed from frame to frame, so that their boxes neither flicker nor jump.

What is found in a frame continues a track of its class whose box, moved on by its speed, it overlaps by 0.3, the best
pair first; then one of another class that it overlaps by 0.6; then one of its class and about its size whose centre is
nearer than the diagonal of its box. Half the score is enough for that which is asked of an object. Corners and their
speeds follow by a filter of fading memory, of 0.15 seconds, which lags behind no steady movement. The class is that of
most evidence, and the score the mean, over 0.25 seconds, of what was found and of nothing. A track is told of once it
was found twice, or once where frames are more than 0.1 seconds apart, from the score on that is asked, and until it
falls below 0.9 of it. One that is not found goes on as it moved, for 0.25 seconds at most, unless another of its class
is found there. All is by the time between frames, not by their number.

Reference: Bewley et al. 2016, Simple Online and Realtime Tracking (frame by frame, by overlap); Zhang et al. 2022,
ByteTrack (weak boxes continue tracks); Morrison 1969, Introduction to Sequential Smoothing and Prediction (filters of
expanding memory for a track that begins, then of fading memory).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from visionmtl.tasks.boxes import overlaps

OVERLAP, OTHER_CLASS = 0.3, 0.6
CONTINUED, TOLD = 0.5, 0.9  # of the score from which on an object counts
CORNERS, EVIDENCE = 0.15, 0.25  # seconds of memory
LOST = 0.25  # seconds that a track goes on unseen
NEXT = 0.1  # seconds within which an object must be found again to be believed
TINY = 1e-9


@dataclass
class Track:
    """One object.

    Attributes:
        number: it keeps, from 1.
        box: `[4]` in pixels, at the time of the last frame.
        evidence: of each class, `[C]`; its sum is the score.
        found: whether it was in the last frame.
        unseen: seconds since it was found.
        sightings: in how many frames it was found.
        believed: whether one is enough for it to be told of.
        told: whether it was in the last frame.
        speed: `[4]`, pixels a second.
    """

    number: int
    box: np.ndarray
    evidence: np.ndarray
    found: bool = True
    unseen: float = 0.0
    sightings: int = 1
    believed: bool = False
    told: bool = False
    speed: np.ndarray = field(default_factory=lambda: np.zeros(4))

    @property
    def label(self) -> int:
        """Its class."""
        return int(np.argmax(self.evidence))

    @property
    def score(self) -> float:
        """The mean of its scores of late, 0 where it was not found."""
        return float(self.evidence.sum())

    def move(self, passed: float) -> None:
        """Let it go on as it moved."""
        self.box = self.box + self.speed * passed
        self.evidence = self.evidence * np.exp(-passed / EVIDENCE)
        self.found, self.unseen = False, self.unseen + passed

    def correct(self, box: np.ndarray, label: int, score: float, passed: float) -> None:
        """Take in what was found of it where it went on to, some seconds after the frame before."""
        memory, n = np.exp(-passed / CORNERS), self.sightings
        off = box - self.box
        self.box = self.box + max(1 - memory**2, 2 * (2 * n + 1) / ((n + 1) * (n + 2))) * off
        self.speed = self.speed + max((1 - memory) ** 2, 6 / ((n + 1) * (n + 2))) * off / max(passed, TINY)
        self.evidence[label] += (1 - np.exp(-passed / EVIDENCE)) * score
        self.found, self.unseen, self.sightings = True, 0.0, n + 1


class Tracks:
    """The objects of one task in one film.

    Args:
        least: from which score on an object of each class counts, `[C]`.
        size: height and width of the frames in pixels.
    """

    def __init__(self, least: np.ndarray, size: tuple[int, int]):
        self.least = np.asarray(least, np.float64)
        self.limits = np.array([size[1], size[0], size[1], size[0]], np.float64)
        self.tracks: list[Track] = []
        self.last: float | None = None
        self.count = 0

    def follow(self, found: Mapping[str, np.ndarray], seconds: float) -> dict[str, np.ndarray]:
        """Return what is in a frame, best first.

        Args:
            found: `boxes` `[N, 4]`, `scores` `[N]` and `classes` `[N]` of the frame; of padding the class is below 0.
            seconds: when it is shown; later than the frame before.

        Returns:
            `boxes` `[M, 4]`, `scores` `[M]`, `classes` `[M]` and `count`, as a detection predicts; `tracks` `[M]`, the
            numbers of the objects, and `found` `[M]`, false where one goes on unseen.
        """
        passed = None if self.last is None else seconds - self.last
        self.last = seconds
        real = np.flatnonzero(found["classes"] >= 0)
        strong = self.least[found["classes"][real]]
        rows = real[found["scores"][real] >= CONTINUED * strong]
        boxes, scores, classes = (np.asarray(found[key])[rows] for key in ("boxes", "scores", "classes"))
        boxes = boxes.astype(np.float64)
        if passed is None or passed > LOST:
            self.tracks, passed = [], np.inf
        for track in self.tracks:
            track.move(passed)
        taken = set[int]()
        for track, row in self._pairs(boxes, classes):
            track.correct(boxes[row], int(classes[row]), float(scores[row]), passed)
            taken.add(row)
        self.tracks = [track for track in self.tracks if self._goes_on(track)]
        for row in range(len(boxes)):
            if row not in taken and scores[row] >= self.least[classes[row]]:
                self._begin(boxes[row], int(classes[row]), float(scores[row]), believed=passed > NEXT)
        self._drop_doubles()
        return self._told()

    def _drop_doubles(self) -> None:
        """End tracks that go on unseen where another of their class was found, which is the same object."""
        found = [track for track in self.tracks if track.found]
        if not found or len(found) == len(self.tracks):
            return
        boxes, labels = np.stack([track.box for track in found]), np.array([track.label for track in found])
        for track in [track for track in self.tracks if not track.found]:
            if (overlaps(track.box[None], boxes)[0, labels == track.label] >= OVERLAP).any():
                self.tracks.remove(track)

    def _pairs(self, boxes: np.ndarray, classes: np.ndarray) -> Iterator[tuple[Track, int]]:
        """Yield tracks and the rows of what continues each: by overlap, by overlap in another class, by distance."""
        if not self.tracks or not len(boxes):
            return
        ahead = np.stack([track.box for track in self.tracks])
        same = np.array([track.label for track in self.tracks])[:, None] == classes[None]
        overlap = overlaps(ahead, boxes)
        free = np.ones(overlap.shape, bool)
        for fit in (
            np.where(same & (overlap >= OVERLAP), overlap, 0),
            np.where(overlap >= OTHER_CLASS, overlap, 0),
            np.where(same, _nearness(ahead, boxes), 0),
        ):
            while (best := np.where(free, fit, 0)).max() > 0:
                place, row = np.unravel_index(np.argmax(best), best.shape)
                free[place], free[:, row] = False, False
                yield self.tracks[place], int(row)

    def _goes_on(self, track: Track) -> bool:
        """Whether a track is still followed: found, or believed, lately seen, and within the picture."""
        if track.found:
            return True
        left, top, right, bottom = np.clip(track.box, 0, self.limits)
        return track.sightings > 1 and track.unseen <= LOST and right > left and bottom > top

    def _begin(self, box: np.ndarray, label: int, score: float, believed: bool) -> None:
        self.count += 1
        evidence = np.zeros(len(self.least))
        evidence[label] = score
        self.tracks.append(Track(self.count, box, evidence, believed=believed))

    def _told(self) -> dict[str, np.ndarray]:
        for track in self.tracks:
            enough = self.least[track.label] * (TOLD if track.told else 1)
            track.told = (track.believed or track.sightings > 1) and track.score >= enough
        told = sorted((track for track in self.tracks if track.told), key=lambda track: -track.score)
        boxes = np.array([np.clip(each.box, 0, self.limits) for each in told], np.float32).reshape(-1, 4)
        return {
            "boxes": boxes,
            "scores": np.array([each.score for each in told], np.float32),
            "classes": np.array([each.label for each in told], np.int32),
            "count": np.array(len(told), np.int32),
            "tracks": np.array([each.number for each in told], np.int64),
            "found": np.array([each.found for each in told], bool),
        }


def _nearness(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return how near boxes lie, `[T, N]`: 1 around one centre, 0 from a diagonal of the smaller one on.

    One that is more than twice as long as the other is another object: 0.
    """
    centres = [(each[:, :2] + each[:, 2:]) / 2 for each in (first, second)]
    apart = np.linalg.norm(centres[0][:, None] - centres[1][None], axis=-1)
    diagonals = [np.linalg.norm(each[:, 2:] - each[:, :2], axis=-1) for each in (first, second)]
    smaller = np.minimum(diagonals[0][:, None], diagonals[1][None]) + TINY
    alike = np.maximum(diagonals[0][:, None], diagonals[1][None]) <= 2 * smaller
    return alike * np.maximum(0, 1 - apart / smaller)
