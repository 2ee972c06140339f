"""What runs an exported model: one file a runtime, found by the file of a version that it loads.

From outside come `RUNTIMES` and `choose`. A new runtime is a file with a subclass of `Runtime`; one that decodes no
pictures is built on `_pixels.OfPixels`.
"""

from pathlib import Path

from pipelines import discovery
from visionmtl.errors import UsageError, one_of
from visionmtl.serving.runtimes.runtime import Runtime

RUNTIMES = dict(sorted(discovery.classes(__name__, Runtime).items(), key=lambda each: each[1].rank))

__all__ = ["RUNTIMES", "choose", "there"]


def there(folder: Path, precision: str | None = None) -> dict[str, Path]:
    """Return the file of each runtime that a version has one of, by the runtime's name.

    Args:
        folder: of the version.
        precision: that is wanted; None for the first of each.
    """
    found = {}
    for name, runtime in RUNTIMES.items():
        files = [folder / file for key, file in runtime.files.items() if precision in (None, key)]
        if file := next((each for each in files if each.exists()), None):
            found[name] = file
    return found


def choose(folder: Path, wanted: str | None = None, precision: str | None = None) -> tuple[str, Path]:
    """Return the name of the runtime of a version, and the file that it loads.

    Args:
        folder: of the version.
        wanted: its name; None for the first one whose file is there and whose packages are installed.
        precision: of the file; None for the first.

    Raises:
        UsageError: there is none, or what is wanted is unknown, has no file here, or is not installed.
    """
    if wanted is not None:
        one_of(wanted, RUNTIMES, "runtime")
    if precision is not None:
        one_of(precision, list(dict.fromkeys(key for each in RUNTIMES.values() for key in each.files)), "precision")
    found = there(folder, precision)
    if not found or wanted not in (None, *found):
        loaded = {name: each.files for name, each in RUNTIMES.items() if wanted in (None, name)}
        files = [file for own in loaded.values() for key, file in own.items() if precision in (None, key)]
        others = [file.name for file in there(folder).values()]
        advice = "choose a runtime and a precision of those, or export this format too"
        instead = f"; there is {', '.join(others)}: {advice}" if others else ": it is no exported model"
        what = ", ".join(files) or f"file of precision '{precision}' for the runtime '{wanted}'"
        raise UsageError(f"'{folder}' has no {what}{instead}.")
    able = [name for name in found if RUNTIMES[name].missing() is None]
    name = wanted or next(iter(able or found))
    if (missing := RUNTIMES[name].missing()) is not None:
        extra = RUNTIMES[name].extra
        install = f"pip install 'visionmtl[{extra}]'" if extra else f"pip install {missing}"
        raise UsageError(f"Runtime '{name}' needs the package {missing}, which is not there: {install}.")
    return name, found[name]
