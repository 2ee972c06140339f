"""The space that a run needs on its disk, known before its first step."""

import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from visionmtl.errors import UsageError

PICTURES = 20_000_000  # bytes: the events of TensorBoard, plots and samples; on the safe side
MODELS = 2  # best.keras and last.keras
NEAR = 2.0  # of what is needed: with less than that free, a run is told


def check(run: Path, variables: Iterable[Any], go_on: str, checkpoints: int = 2, batch: int = 0) -> None:
    """Return if a run's disk has room for it, and say so where that is near.

    Args:
        run: the run folder, with what is there of it already.
        variables: of the model and of its optimizer, which each file of a model holds.
        go_on: the command to give once there is room.
        checkpoints: how many are kept.
        batch: the bytes of one, as a step that is not finite is kept with its own.

    Raises:
        UsageError: there is no room.
    """
    needed, free = need(run, variables, checkpoints, batch), shutil.disk_usage(run).free
    if free < needed:
        raise UsageError(
            f"'{run}' needs {size(needed)} more on its disk for models, {checkpoints} checkpoints and pictures, but"
            f" {size(free)} are free: make room, then go on with: {go_on}"
        )
    if free < NEAR * needed:
        print(f"The disk of '{run}' has {size(free)} left, of which the run will need {size(needed)}.")


def need(run: Path, variables: Iterable[Any], checkpoints: int, batch: int = 0) -> int:
    """Return the bytes that a run will need beside those that it has: each file is written whole, then put in place.

    Beside its models and checkpoints that is one step that was not finite, a model and its batch; most runs have none.
    """
    model = sum(_bytes(variable) for variable in variables)
    files = [run / "best.keras", run / "last.keras", *run.glob("checkpoints/*")]
    step = 0 if any(run.glob("nan-*/model.keras")) else model + batch
    there = sum(path.stat().st_size for path in files if path.is_file())
    return max(0, (MODELS + checkpoints) * model - there) + model + step + PICTURES


def batch(images: int, height: int, width: int) -> int:
    """Return the bytes of a batch as it is kept: of three channels and a map of labels, in float32."""
    return images * height * width * 4 * 4


def size(count: float) -> str:
    """Return a number of bytes as text.

    Example:
        >>> size(1_234_000_000), size(20_000_000)
        ('1.2 GB', '20 MB')
    """
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.0f} MB"


def _bytes(variable: Any) -> int:
    count = 1
    for side in variable.shape:
        count *= side
    return count * 4  # as they are kept, whatever they compute in
