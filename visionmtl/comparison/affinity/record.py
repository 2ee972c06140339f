"""What was seen of one training: kept in a file, so that it is not trained again, and read back."""

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from visionmtl.comparison.affinity import scores
from visionmtl.comparison.affinity.linearised import Sketches
from visionmtl.errors import UsageError
from visionmtl.files import written_whole


class Record(NamedTuple):
    """S looks at a training of K tasks, and its gradients in the end.

    Attributes:
        tasks: their names.
        steps: `[S]`, of the looks.
        lookahead: `[S, K, K]`, the inter-task affinities.
        cosines: by level, `[S, K, K]`.
        both: `[K, K]`, images of the training's batches that are labelled for both.
        sketches: gradients at the trained model.
        ratio: the time of the training to that without looking.
        seconds: that time without.
        total: steps of the training.
        lower: names of the tasks' metrics of which less is better.
        broken: looks in which a loss was not finite, which do not count for it.
    """

    tasks: list[str]
    steps: np.ndarray
    lookahead: np.ndarray
    cosines: dict[str, np.ndarray]
    both: np.ndarray
    sketches: Sketches
    ratio: float = 1.0
    seconds: float = 0.0
    total: int = 0
    lower: tuple[str, ...] = ()
    broken: int = 0

    @classmethod
    def of(
        cls, tasks: Sequence[str], steps: Sequence[int], seen: Sequence[Any], both: np.ndarray, sketches: Sketches
    ) -> Self:
        """Return the record of some looks, `look.Seen`."""
        if not seen:
            raise UsageError("The training ended before its first look: give it more steps.")
        before, after = (np.array([getattr(each, name) for each in seen]) for name in ("before", "after"))
        cosines = {
            level: scores.cosines(np.array([each.gramians[level] for each in seen])) for level in seen[0].gramians
        }
        return cls(list(tasks), np.array(steps), scores.lookahead(before, after), cosines, both, sketches)

    def write(self, path: Path) -> None:
        """Write it, whole or not at all."""
        arrays: dict[str, Any] = {"steps": self.steps, "lookahead": self.lookahead, "both": self.both}
        arrays |= {f"cosines/{level}": values for level, values in self.cosines.items()}
        arrays |= {"sketches": self.sketches.gradients, "losses": self.sketches.losses}
        arrays |= {"tasks": np.array(self.tasks), "time": np.array([self.ratio, self.seconds, self.total])}
        arrays |= {"lower": np.array(self.lower, str), "broken": np.array(self.broken)}
        with written_whole(path) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return what `write` wrote.

        Raises:
            UsageError: it is not whole.
        """
        try:
            return cls._read(path)
        except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error) as error:
            raise UsageError(
                f"'{path}' was cut or changed ({error}): remove the folder it is in, and train it anew."
            ) from None

    @classmethod
    def _read(cls, path: Path) -> Self:
        with np.load(path) as data:
            cosines = {name.partition("/")[2]: data[name] for name in data.files if name.startswith("cosines/")}
            ratio, seconds, total = (float(value) for value in data["time"])
            return cls(
                data["tasks"].tolist(),
                data["steps"],
                data["lookahead"],
                cosines,
                data["both"],
                Sketches(data["sketches"], data["losses"]),
                ratio,
                seconds,
                int(total),
                tuple(data["lower"].tolist()),
                int(data["broken"]) if "broken" in data.files else 0,
            )
