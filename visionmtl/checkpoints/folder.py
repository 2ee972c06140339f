"""The checkpoints of a run: `checkpoints/<epochs>-<steps>.ckpt`, named by the epochs behind and the steps since."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from visionmtl.checkpoints import container
from visionmtl.checkpoints.container import DamagedError
from visionmtl.files import damage

NAMES = (re.compile(r"(?P<epoch>\d+)-(?P<step>\d+)\.ckpt"), re.compile(r"epoch-(?P<epoch>\d+)\.keras"))


class Place(NamedTuple):
    """Where a training is: the epochs behind it, and the steps since."""

    epoch: int
    step: int

    def __str__(self) -> str:
        return f"{f'step {self.step}' if self.step else 'the beginning'} of epoch {self.epoch + 1}"

    @property
    def name(self) -> str:
        """The name of its file."""
        return f"{self.epoch}-{self.step}.ckpt"


@dataclass(frozen=True)
class Found:
    """A checkpoint that is whole.

    Attributes:
        path: its file.
        place: where the training was.
        about: what was kept beside the variables; nothing of a model of version 0.1.0.
        arrays: the variables' values; none of a model of version 0.1.0, whose file Keras loads.
    """

    path: Path
    place: Place
    about: Mapping[str, Any] = field(default_factory=dict)
    arrays: dict[str, np.ndarray] = field(default_factory=dict, repr=False)

    @property
    def kept(self) -> dict[str, Any]:
        """What callbacks kept, by their names."""
        return self.about.get("kept", {})


def of(run: Path) -> dict[Path, Place]:
    """Return the files of a run's checkpoints, damaged ones too, the newest first."""
    places = {}
    for path in run.glob("checkpoints/*"):
        match = next((match for name in NAMES if (match := name.fullmatch(path.name))), None)
        if match:
            places[path] = Place(int(match["epoch"]), int(match.groupdict().get("step") or 0))
    return dict(sorted(places.items(), key=lambda item: item[1], reverse=True))


def newest(run: Path) -> tuple[Found | None, dict[Path, str]]:
    """Return a run's newest checkpoint that is whole, if there is one, and why each newer one is not."""
    damaged: dict[Path, str] = {}
    for path, place in of(run).items():
        try:
            return _read(path, place), damaged
        except DamagedError as error:
            damaged[path] = str(error)
    return None, damaged


def _read(path: Path, place: Place) -> Found:
    if path.suffix == ".ckpt":
        return Found(path, place, *container.read(path))
    if broken := damage(path):
        raise DamagedError(broken)
    return Found(path, place)
