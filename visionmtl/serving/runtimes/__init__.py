"""What runs an exported model: one file a runtime, found by the file of a version that it loads.

From outside come `RUNTIMES` and `choose`. A new runtime is a file with a subclass of `Runtime`; one that decodes no
pictures is built on `_pixels.OfPixels`.
"""

from pathlib import Path

from pipelines import discovery
from visionmtl.errors import UsageError, one_of
from visionmtl.serving.runtimes.runtime import Runtime

RUNTIMES = dict(sorted(discovery.classes(__name__, Runtime).items(), key=lambda each: each[1].rank))

__all__ = ["RUNTIMES", "choose"]


def choose(folder: Path, wanted: str | None = None) -> str:
    """Return the name of the runtime of a version.

    Args:
        folder: of the version.
        wanted: its name; None for the first one whose file is there and whose packages are installed.

    Raises:
        UsageError: there is none, or that which is wanted is unknown, has no file here, or is not installed.
    """
    files = {name: runtime.file for name, runtime in RUNTIMES.items()}
    there = [name for name, file in files.items() if (folder / file).exists()]
    if wanted is not None and one_of(wanted, RUNTIMES, "runtime") not in there:
        raise UsageError(
            f"'{folder}' has no {files[wanted]}, which the runtime '{wanted}' loads: export that format too, or choose"
            f" another runtime{' of ' + ', '.join(there) if there else ''}."
        )
    if not there:
        raise UsageError(f"'{folder}' holds none of {', '.join(files.values())}: it is no exported model.")
    able = [name for name in there if RUNTIMES[name].missing() is None]
    if wanted is None and able:
        return able[0]
    name = wanted or there[0]
    if (missing := RUNTIMES[name].missing()) is not None:
        extra = RUNTIMES[name].extra
        install = f"pip install 'visionmtl[{extra}]'" if extra else f"pip install {missing}"
        raise UsageError(f"Runtime '{name}' needs the package {missing}, which is not there: {install}.")
    return name
