"""PyAV, without which all here can be imported; `check` says that it is missing."""

from typing import Any

from visionmtl.errors import UsageError

try:
    import av
except ImportError:
    av: Any = None  # type: ignore[no-redef]

OLDEST = (18, 1)  # that tests are run with
ENCODERS = ("libx264", "libopenh264")  # of H.264, which every player and browser shows


def check() -> None:
    """Refuse to go on without the package.

    Raises:
        UsageError: it is not installed, is too old, or has no encoder.
    """
    if av is None:
        raise UsageError("Videos need the package av (PyAV), which is not there: pip install 'visionmtl[video]'.")
    if tuple(int(part) for part in av.__version__.split(".")[:2]) < OLDEST:
        oldest = ".".join(map(str, OLDEST))
        raise UsageError(
            f"Videos need PyAV {oldest} or later, and {av.__version__} is there: pip install 'visionmtl[video]'."
        )


def encoder() -> str:
    """Return the name of the encoder.

    Raises:
        UsageError: PyAV was built without any.
    """
    for name in ENCODERS:
        if name in av.codecs_available:
            return name
    raise UsageError(f"This PyAV has none of {', '.join(ENCODERS)}: install that of PyPI, or give --overlays none.")
