"""Requests wait in a line of bounded length, and what waits while a batch runs is the next batch.

Nobody waits for others to come: alone, a picture runs at once. A batch has pictures of one version and signature, of
which inputs have one shape; what cannot be joined keeps its place.
"""

import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field

import numpy as np

from visionmtl.serving import rows
from visionmtl.serving.limits import WAITING_PIXELS, Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.refusals import RequestError, busy
from visionmtl.serving.version import Version

Answer = Mapping[str, np.ndarray]
FIRST = 0.05  # seconds that a picture is taken to need before any has run
SHARE = 0.1  # of the newest batch in what a picture is taken to need


@dataclass
class Job:
    """Some pictures that are answered together.

    Attributes:
        version: that answers.
        signature: its name.
        inputs: as the runtime prepared them.
        pixels: of the largest picture.
        answer: the outputs, once there are any.
    """

    version: Version
    signature: str
    inputs: Mapping[str, np.ndarray]
    pixels: int
    answer: "Future[Answer]" = field(default_factory=Future)

    @property
    def rows(self) -> int:
        """How many pictures there are."""
        return rows.count(self.inputs)

    @property
    def kind(self) -> tuple:
        """What those have in common that can run at once."""
        if self.version.runtime.signatures[self.signature].most is not None:
            return (id(self),)
        shapes = ((name, values.dtype.str, values.shape[1:]) for name, values in sorted(self.inputs.items()))
        return (id(self.version), self.signature, *shapes)


class Line:
    """A line of jobs and the thread that runs them.

    Args:
        limits: of the server.
        metrics: of the server.
    """

    def __init__(self, limits: Limits, metrics: Metrics):
        self.limits, self.metrics = limits, metrics
        self._jobs: deque[Job] = deque()
        self._changed = threading.Condition()
        self._rows = self._pixels = 0  # reserved, and of jobs that wait
        self._each = FIRST
        self._ended = False
        self._worker = threading.Thread(target=self._work, name="batches", daemon=True)
        self._worker.start()

    @property
    def running(self) -> bool:
        """Whether what waits is going to be run."""
        return self._worker.is_alive()

    def reserve(self, pictures: int, pixels: int) -> None:
        """Keep places in the line, before pictures are decoded; `put` takes them, `release` gives them back.

        Args:
            pictures: how many.
            pixels: of all together.

        Raises:
            RequestError: as much waits as may.
        """
        with self._changed:
            full = self._rows + pictures > self.limits.queue
            if full or (self._pixels and self._pixels + pixels > WAITING_PIXELS * self.limits.pixels):
                raise busy(self._rows * self._each)
            self._count(pictures, pixels)

    def release(self, pictures: int, pixels: int) -> None:
        """Give places back."""
        with self._changed:
            self._count(-pictures, -pixels)

    def put(self, jobs: Sequence[Job]) -> None:
        """Let jobs wait that have places."""
        with self._changed:
            self._jobs.extend(jobs)
            self._changed.notify()

    def close(self, wait: bool = True) -> None:
        """Take no more up once what waits has run, and wait for that."""
        with self._changed:
            self._ended = True
            self._changed.notify()
        if wait:
            self._worker.join(self.limits.seconds)

    def _count(self, pictures: int, pixels: int) -> None:
        self._rows += pictures
        self._pixels += pixels
        self.metrics.waiting.set(self._rows)

    def _work(self) -> None:
        while (batch := self._next()) is not None:
            if batch:
                self._run(batch)

    def _next(self) -> list[Job] | None:
        """Return the jobs of the next batch, perhaps none; None at the end."""
        with self._changed:
            while not self._jobs and not self._ended:
                self._changed.wait()
            if not self._jobs:
                return None
            batch, others, pictures, largest = list[Job](), deque[Job](), 0, 0
            while self._jobs:
                job = self._jobs.popleft()
                if not batch or job.kind == batch[0].kind:
                    together, larger = pictures + job.rows, max(largest, job.pixels)
                    fits = together <= self.limits.batch and together * larger <= self.limits.pixels
                    if not batch or fits:
                        if job.answer.set_running_or_notify_cancel():  # else nobody waits for it any more
                            batch.append(job)
                            pictures, largest = together, larger
                        continue
                others.append(job)
                if pictures >= self.limits.batch:
                    break
            others.extend(self._jobs)
            self._jobs = others
            return batch

    def _run(self, batch: Sequence[Job]) -> None:
        """Answer some jobs at once; where that fails, each by itself, so that none fails for another."""
        first, began = batch[0], time.monotonic()
        pictures = sum(job.rows for job in batch)
        try:
            inputs = {name: np.concatenate([job.inputs[name] for job in batch]) for name in first.inputs}
            given = first.inputs if len(batch) == 1 else inputs
            outputs = first.version.runtime.run(first.signature, given)
            place, maps = 0, first.version.runtime.signatures[first.signature].maps
            for job in batch:
                own = outputs if len(batch) == 1 else rows.part(outputs, place, place + job.rows, maps)
                job.answer.set_result(own)
                place += job.rows
        except Exception as error:
            left = [job for job in batch if not job.answer.done()]
            for job in left if len(batch) > 1 else ():
                self._run([job])
            if len(batch) == 1 and left:
                first.answer.set_exception(error)
        else:
            seconds = time.monotonic() - began
            self._each += SHARE * (seconds / pictures - self._each)
            self.metrics.batch.observe(pictures)
            self.metrics.running.observe(seconds)


def too_many(pictures: int, limits: Limits) -> RequestError | None:
    """Return the refusal of a request of more pictures than may ever wait; None for none."""
    if pictures <= limits.queue:
        return None
    return RequestError(413, f"The request has {pictures} pictures: {limits.queue} is the limit.")
