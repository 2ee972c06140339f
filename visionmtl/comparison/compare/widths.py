"""Arms made as large as the largest, by the width of their necks."""

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import keras

from visionmtl.comparison.compare.arms import Arm
from visionmtl.comparison.compare.asking import Asked
from visionmtl.comparison.compare.cells import hash_of
from visionmtl.comparison.compare.surveying import Survey, specs
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import Recipe, changed
from visionmtl.training import building

BUILT = 8  # models, at most, that are built between two widths to find the one that is wanted
NEAR = 0.02  # of the parameters, within which arms have the same
FILE = "widths.json"
TARGET = "target"  # in the file, beside the counts by the hash of what has them
CHANNELS = "model.neck.channels"
SIZED = ("model.neck", "model.backbone", "model.sharing")  # what a search may not change too: it is widened before


def check(asked: Asked) -> None:
    """Return if nothing is asked for that the widths of necks would undo, or be undone by.

    Raises:
        UsageError: an arm has a neck of its own, or parameters are searched.
    """
    if asked.budget["of"] != "parameters":
        return
    for changes in asked.arms:
        neck = changes.get("model.neck")
        if CHANNELS in changes or (isinstance(neck, dict) and "channels" in neck):
            raise UsageError(f"'{CHANNELS}' is set by --budget parameters: it cannot differ between arms.")
    for key in asked.search:
        if any(key == sized or key.startswith(f"{sized}.") for sized in SIZED):
            raise UsageError(f"'{key}' changes the parameters, which --budget parameters sets: it cannot be searched.")


class Widths:
    """Arms made as large as the largest by the width of their necks.

    An arm that comes later is made as large as those before it.

    Args:
        arms: the arms.
        survey: of the data.
        folder: the comparison's, where the widths are kept once they are known.
        tell: is told which arm is looked at.

    Attributes:
        arms: the same, as large.
        failed: why an arm cannot be as large, by its name.
        target: the parameters of each.
    """

    def __init__(self, arms: Sequence[Arm], survey: Survey, folder: Path, tell: Callable[[str], Any] = print):
        self.survey, self.path, self.tell = survey, folder / FILE, tell
        self.known: dict[str, int] = json.loads(self.path.read_text()) if self.path.is_file() else {}
        self.failed: dict[str, str] = {}
        if TARGET not in self.known:
            self._keep(TARGET, max(self._count(arm, None) for arm in arms))
        self.target = self.known[TARGET]
        self.arms = [self._widened(arm) for arm in arms]

    def _widened(self, arm: Arm) -> Arm:
        """Return an arm as large as the largest."""
        if abs(self._count(arm, None) / self.target - 1) <= NEAR:
            return arm
        channels = self._search(arm)
        if channels is None:
            return arm
        parts = [replace(part, recipe=changed(part.recipe, {CHANNELS: channels})) for part in arm.parts]
        return replace(arm, parts=parts)

    def _search(self, arm: Arm) -> int | None:
        """Return the width at which an arm is nearest to the largest, by false position; None where none is near."""
        low, high = 1, arm.parts[0].recipe.model.neck.get("channels", 96)
        while self._count(arm, high) < self.target:
            low, high = high, 2 * high
        for _ in range(BUILT):
            below, above = self._count(arm, low), self._count(arm, high)
            if high - low <= 1 or below >= self.target:
                break
            share = (math.sqrt(self.target) - math.sqrt(below)) / (math.sqrt(above) - math.sqrt(below))
            middle = min(max(round(low + share * (high - low)), low + 1), high - 1)  # nearly a square of the width
            if self._count(arm, middle) < self.target:
                low = middle
            else:
                high = middle
        nearest = min((low, high), key=lambda width: abs(self._count(arm, width) - self.target))
        if abs(self._count(arm, nearest) / self.target - 1) <= NEAR:
            return nearest
        self.failed[arm.name] = (
            f"it has {self._count(arm, low):,} parameters with {CHANNELS}={low} and {self._count(arm, high):,} with"
            f" {high}, none within {NEAR:.0%} of the {self.target:,} that all have: compare by steps or seconds."
        )
        return None

    def _count(self, arm: Arm, channels: int | None) -> int:
        """Return the parameters of an arm's models together, at a width of the neck, or its own; it is kept."""
        total = 0
        for part in arm.parts:
            recipe = part.recipe if channels is None else changed(part.recipe, {CHANNELS: channels})
            key = hash_of(recipe)
            if key not in self.known:
                self.tell(f"Counting the parameters of {part.name}" + (f", {CHANNELS}={channels}" * bool(channels)))
                self._keep(key, parameters(recipe, self.survey, part.task))
            total += self.known[key]
        return total

    def _keep(self, key: str, count: int) -> None:
        self.known[key] = count
        write_text(self.path, json.dumps(self.known) + "\n")


def parameters(recipe: Recipe, survey: Survey, task: str | None = None) -> int:
    """Return how many parameters the model of a recipe has, of one task or of all."""
    made = building.model(recipe, specs(survey, task), 1, weights=False)
    count: int = made.count_params()
    keras.backend.clear_session()
    return count
