"""How predictions are made and written, as who predicts asks for."""

from dataclasses import dataclass

from visionmtl.prediction.confidences import Asked
from visionmtl.prediction.places import Shard
from visionmtl.tasks.views import Views

BATCH = 8


@dataclass(frozen=True)
class Options:
    """How predictions are made and written; `predict` explains each."""

    resize: str | None = None
    confidence: Asked = None
    overlays: int | None = None
    format: str | None = None
    link: bool = False
    resume: bool = False
    replace: bool = False
    shard: Shard | None = None
    batch_size: int = BATCH
    tta: str | Views | None = None
    smooth: bool = True
    maps: bool = False
