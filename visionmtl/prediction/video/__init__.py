"""Films through a trained model: drawn on, and recorded frame by frame; of the extra `video`.

From outside come `run` and `check`. PyAV reads and writes, of which `needed` alone knows whether it is there; `film`
gives frames upright, each at its time, and counts what is broken; `tracks` follows objects; `encoding` writes.
"""

from visionmtl.prediction.video.run import check, run

__all__ = ["check", "run"]
