"""How a training that ends early is told: what happened, and the command that goes on."""

import contextlib
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from pipelines import DataError, files
from visionmtl import stopping
from visionmtl.errors import UsageError, WorkerGoneError, out_of_memory
from visionmtl.recipe import Recipe
from visionmtl.step import memory
from visionmtl.training import cluster
from visionmtl.workers import Workers

OURS = "Collective instance"  # two workers that do not do the same, which is a fault of ours
GONE = ("Collective ops is aborted", "UNAVAILABLE")  # as TensorFlow tells it under errors of several kinds


def command(run: Path) -> str:
    """Return the command that goes on with a run."""
    return f"visionmtl train --resume {shlex.quote(str(run))}"


@contextlib.contextmanager
def told(recipe: Recipe, run: Path, replicas: int) -> Iterator[None]:
    """Turn what ends a training early into one sentence with the command that goes on.

    Args:
        recipe: what is trained.
        run: the run folder.
        replicas: how many devices share a batch.

    Raises:
        stopping.Stopped: a signal stopped it.
        UsageError, DataError: something that the user can mend.
    """
    try:
        yield
    except KeyboardInterrupt as stopped:
        raise stopping.saying(stopped, f"Go on with: {command(run)}", resumable=True) from None
    except Exception as error:
        if sentence := _not_written(error):
            raise UsageError(f"{sentence} Then go on with: {command(run)}") from error
        if gone := _worker_gone(error):
            raise WorkerGoneError(f"{gone} Once all workers are started again, go on with: {command(run)}") from error
        if out_of_memory(error):
            raise UsageError(_too_much(recipe, run, replicas)) from error
        if isinstance(error, DataError):
            skip = (
                f", or set data.on_error to skip in '{run / 'recipe.yaml'}'" if recipe.data.on_error == "stop" else ""
            )
            raise DataError(f"{error} Mend it{skip}. Go on with: {command(run)}") from None
        raise


@contextlib.contextmanager
def workers_told(workers: Workers) -> Iterator[None]:
    """Turn the end of another worker, while there is no run to go on with, into a sentence.

    Raises:
        WorkerGoneError: it is there no more.
    """
    try:
        yield
    except Exception as error:
        gone = _worker_gone(error) if workers.several else None
        if gone is None:
            raise
        raise WorkerGoneError(f"{gone} Start all workers again.") from error


def _worker_gone(error: Exception) -> str | None:
    """Return the sentence for the end of another worker, of which a sum over all of them tells; else None."""
    if isinstance(error, UsageError) or OURS in str(error) or not any(words in str(error) for words in GONE):
        return None
    found = cluster.named()
    task = re.search(r"/job:(\w+)/(?:replica:\d+/)?task:(\d+)", str(error).partition("aborted by")[2])
    if found is None or task is None:
        return "Another worker of this training has ended, and it says why where it printed."
    number = found.of_task(task[1], int(task[2]))
    return f"Worker {number} ({found.addresses[number]}) has ended, or cannot be reached; it says why where it printed."


def _not_written(error: Exception) -> str | None:
    """Return the sentence of what could not be written for want of space or permission, else None."""
    for cause in (error, error.__cause__, error.__context__):  # Keras takes the cause away and leaves the context
        if cause is not None and files.why_not_written(cause) in files.REASONS.values():
            if isinstance(error, UsageError | DataError):
                return str(error)
            name = getattr(cause, "filename", None)
            what = f" '{name}'" if name else ""
            return f"Cannot write{what}: {files.why_not_written(cause)}. {files.ADVICE}"
    return None


def _too_much(recipe: Recipe, run: Path, replicas: int) -> str:
    """Return what there was no memory for, and what would fit."""
    batch, (height, width), training = recipe.data.batch_size, recipe.data.image_size, recipe.training
    what = memory.wanting(memory.images(batch, height, width))
    half, takes = memory.half(batch, replicas), memory.HALF
    if half:
        keys = f"data.batch_size={half} training.accumulate={2 * training.accumulate}"
    elif training.precision == "float32":
        keys, takes = "training.precision=mixed_bfloat16", memory.LESS
    else:
        height, width = (max(32, side // 64 * 32) for side in (height, width))
        keys, takes = f"data.image_size=[{height},{width}]", memory.LESS
    again = f"visionmtl train {shlex.quote(str(run / 'recipe.yaml'))} {shlex.quote(keys) if '[' in keys else keys}"
    return f"{what}. A new run of the same recipe takes {takes}: {again}"
