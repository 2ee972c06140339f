"""What was measured of a comparison, as `comparison.json` holds it."""

import json
import math
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from visionmtl import known_by
from visionmtl.errors import UsageError


def _finite(value: Any) -> Any:
    """Return None for a number that is none, as JSON has it."""
    return None if isinstance(value, float) and not math.isfinite(value) else value


Number = Annotated[float | None, BeforeValidator(_finite)]


class _Part(BaseModel):
    """Keys that a later version adds are passed over."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Measured(_Part):
    """An arm at one seed: metrics by task, and what it cost; None where that is not known."""

    metrics: dict[str, dict[str, Number]]
    steps: Number = None
    seconds: Number = None
    step: Number = None
    memory: Number = None
    parameters: Number = None
    cores: Number = None


class Arm(_Part):
    """One combination of settings, what was measured of it by seed, or why it was not, and what it is without."""

    name: str
    alone: bool = False
    changes: dict[str, Any] = {}
    chosen: dict[str, Any] = {}
    seeds: dict[int, Measured] = {}
    failed: dict[int, str] = {}
    left_out: list[str] = []

    def values(self, task: str, metric: str) -> dict[int, float]:
        """Return a metric by seed, where it is known."""
        found = {seed: of.metrics.get(task, {}).get(metric) for seed, of in self.seeds.items()}
        return {seed: value for seed, value in found.items() if value is not None}

    def costs(self, name: str) -> list[float]:
        """Return a cost of each seed, where it is known."""
        return [value for of in self.seeds.values() if (value := getattr(of, name)) is not None]

    def cost(self, name: str) -> float:
        """Return the mean of a cost over seeds, of memory the highest; NaN where it is not known."""
        known = self.costs(name)
        return float((np.max if name == "memory" else np.mean)(known)) if known else math.nan


class Task(_Part):
    """A task as it was asked for."""

    kind: str
    classes: int | None = None


class Budget(_Part):
    """What all arms get the same of."""

    of: str
    amount: float | None = None


class Comparison(_Part):
    """All that was asked and measured."""

    recipe: str
    split: str
    seeds: list[int]
    tasks: dict[str, Task]
    arms: Annotated[list[Arm], Field(min_length=1)]
    budget: Budget | None = None
    searched: dict[str, Any] = {}
    lower: list[str] = []
    commands: list[str] = []

    @property
    def baseline(self) -> Arm | None:
        """The single-task models; None where no arm is that."""
        return next((arm for arm in self.arms if arm.alone), None)

    @property
    def joint(self) -> list[Arm]:
        """The other arms, in the order in which they were asked for."""
        return [arm for arm in self.arms if arm is not self.baseline]

    @property
    def ordered(self) -> list[Arm]:
        """All arms, the baseline first: an arm's number is its place here, from 1."""
        return [*([self.baseline] if self.baseline else []), *self.joint]

    @property
    def reference(self) -> Arm | None:
        """The arm whose step the others' are ratios to: the first joint one that was timed."""
        return next((arm for arm in self.joint if arm.costs("step")), None)

    def unfinished(self, arm: Arm) -> str:
        """Return " (2 of 3 seeds)" for an arm that has not all that were asked; nothing for one that has."""
        done, asked = len(set(arm.seeds) & set(self.seeds)), len(self.seeds)
        return "" if done == asked else f" ({done} of {asked} seed{'s' * (asked > 1)})"

    def metrics(self, task: str) -> list[str]:
        """Return the metrics of a task that some arm has, in order; not those of single classes, as "AP/van"."""
        seen = (of.metrics.get(task, {}) for arm in self.ordered for of in arm.seeds.values())
        return list(dict.fromkeys(name for values in seen for name in values if "/" not in name))


def read(folder: Path) -> Comparison:
    """Return the comparison of a folder.

    Raises:
        UsageError: its file is not there, not whole, or lacks something.
    """
    path = folder / known_by.COMPARED
    try:
        found = Comparison.model_validate(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        raise UsageError(
            f"'{path}' is not there: expected the figures of a comparison. Make it with visionmtl compare."
        ) from None
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise UsageError(
            f"'{path}' is not whole ({error}): run the command again that made it, which trains nothing twice."
        ) from None
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"])) or "the whole"
        raise UsageError(
            f"'{path}' cannot be understood at '{where}' ({first['msg']}): run the command again that made it."
        ) from None
    names = [arm.name for arm in found.arms]
    if twice := [name for name in dict.fromkeys(names) if names.count(name) > 1]:
        raise UsageError(f"'{path}' has two arms called '{twice[0]}': each needs a name of its own.")
    return found
