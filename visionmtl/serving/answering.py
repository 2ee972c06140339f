"""A request's pictures on their way: places kept in the line, decoded, run, and told of faults in their slots."""

import asyncio
from collections.abc import Mapping

import numpy as np

from visionmtl.serving import rows
from visionmtl.serving.batching import Job, Line, too_many
from visionmtl.serving.limits import Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.version import Version

Arrays = Mapping[str, np.ndarray]


class Desk:
    """Where requests are answered.

    Args:
        line: in which they wait.
        limits: of the server.
        metrics: of the server.
    """

    def __init__(self, line: Line, limits: Limits, metrics: Metrics):
        self.line, self.limits, self.metrics = line, limits, metrics

    async def ask(self, version: Version, signature: str, inputs: Arrays) -> dict[str, np.ndarray]:
        """Return the outputs of a signature.

        Args:
            version: that answers, whatever becomes the newest one meanwhile.
            signature: one of its own.
            inputs: by name, a row for each picture; encoded pictures are `bytes`.

        Raises:
            RequestError: too much is asked at once, or all that may wait does.
            Exception: of the runtime, of any kind.
        """
        pictures, described = rows.count(inputs), version.runtime.signatures[signature]
        if refusal := too_many(pictures, self.limits):
            raise refusal
        self.line.reserve(pictures, 0)
        pixels = 0
        try:
            prepared = await asyncio.to_thread(version.runtime.prepare, inputs, self.limits)
            self.line.reserve(0, pictures * prepared.pixels)
            pixels = pictures * prepared.pixels
            size = {None: self.limits.batch, 0: pictures}.get(described.most, 1)
            jobs = []
            for at in range(0, pictures, size):
                some = {name: values[at : at + size] for name, values in prepared.inputs.items()}
                jobs.append(Job(version, signature, some, prepared.pixels))
            self.line.put(jobs)
            answers = await asyncio.gather(*(asyncio.wrap_future(job.answer) for job in jobs))
        finally:
            self.line.release(pictures, pixels)
        outputs = rows.joined(answers, described.maps)
        if rows.ERRORS in outputs:
            outputs[rows.ERRORS] = self._told(outputs[rows.ERRORS], prepared.faults)
        return outputs

    def _told(self, errors: np.ndarray, faults: Mapping[int, str]) -> np.ndarray:
        """Return why pictures are not read, with what was known before they were run."""
        told = errors.copy()
        for row, fault in faults.items():
            told[row] = fault
        unreadable = int(np.count_nonzero(told != ""))
        self.metrics.pictures.labels("unreadable").inc(unreadable)
        self.metrics.pictures.labels("answered").inc(len(told) - unreadable)
        return told
