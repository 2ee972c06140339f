"""How a training that ends early is told: what happened, and the command that goes on."""

import contextlib
import shlex
from collections.abc import Iterator
from pathlib import Path

from pipelines import DataError, files
from visionmtl import stopping
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe


def command(run: Path) -> str:
    """Return the command that goes on with a run."""
    return f"visionmtl train --resume {shlex.quote(str(run))}"


@contextlib.contextmanager
def told(recipe: Recipe, run: Path) -> Iterator[None]:
    """Turn what ends a training early into one sentence with the command that goes on.

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
        if isinstance(error, DataError):
            skip = (
                f", or set data.on_error to skip in '{run / 'recipe.yaml'}'" if recipe.data.on_error == "stop" else ""
            )
            raise DataError(f"{error} Mend it{skip}. Go on with: {command(run)}") from None
        raise


def _not_written(error: Exception) -> str | None:
    """Return the sentence of what could not be written for want of space or permission, else None."""
    for cause in (error, error.__cause__):
        if cause is not None and files.why_not_written(cause) in files.REASONS.values():
            if isinstance(error, UsageError | DataError):
                return str(error)
            name = getattr(cause, "filename", None)
            what = f" '{name}'" if name else ""
            return f"Cannot write{what}: {files.why_not_written(cause)}. {files.ADVICE}"
    return None
