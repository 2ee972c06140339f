"""TensorFlow, imported without its greetings, and looked through for garbage less often."""

import contextlib
import gc
import os
import sys
from collections.abc import Iterator

from visionmtl import leaving, stopping, terminal

WIDTH = 40  # of what is said meanwhile


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Import TensorFlow without its greetings: it writes them before it reads its own log level.

    Set TF_CPP_MIN_LOG_LEVEL=0 to hear everything. Garbage is looked for less often: to trace a step makes much that is
    none, and looking through it took a twentieth of the time. A terminal says meanwhile what is waited for.

    Raises:
        stopping.Stopped: a signal came, before the command has done anything.
    """
    with stopping.told(leaving.NOT_BEGUN):
        try:
            with _greetings_kept_back():
                yield
        except Exception:
            stopping.check()  # a module that was read by half fails in a way of its own
            raise
        stopping.check()  # or has swallowed it


@contextlib.contextmanager
def _greetings_kept_back() -> Iterator[None]:
    """Import TensorFlow with the standard error turned off."""
    gc.set_threshold(100_000, 50, 50)
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "0":
        yield
        return
    waiting = sys.stdout.isatty() and "tensorflow" not in sys.modules
    if waiting:
        terminal.draw("Starting TensorFlow ...", WIDTH)
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        import tensorflow

        tensorflow.config.list_physical_devices()  # looks for GPUs, and complains where there are none
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
        if waiting:
            terminal.draw("", WIDTH)
