"""What of Apache Beam others build on; without its package all can be imported, and `check` says what is missing."""

from typing import Any

from visionmtl.errors import UsageError

try:
    import apache_beam as beam
    from apache_beam.io.filesystems import FileSystems
    from apache_beam.ml.inference.base import ModelHandler, PredictionResult, RunInference

    DoFn, PTransform = beam.DoFn, beam.PTransform
except ImportError:
    DoFn = PTransform = ModelHandler = object
    beam: Any = None  # type: ignore[no-redef]
    FileSystems = PredictionResult = RunInference = beam


def check() -> None:
    """Refuse to go on without the package.

    Raises:
        UsageError: it is not installed.
    """
    if beam is None:
        raise UsageError(
            "Predicting by Apache Beam needs the package apache-beam, which is not there: pip install"
            " 'visionmtl[beam]'."
        )


__all__ = ["DoFn", "FileSystems", "ModelHandler", "PTransform", "PredictionResult", "RunInference", "beam", "check"]
