"""What may be drawn for one key: a range of numbers, some values, or weights that sum to the number of tasks."""

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from visionmtl.errors import UsageError
from visionmtl.recipe import yamlfile

if TYPE_CHECKING:
    import optuna

SIMPLEX = "simplex"
DECADE = 10.0  # a range that spans as much is drawn by its logarithm
OF = "/"  # between a key and the task whose weight is drawn
EDGE = 1e-6  # of what is drawn for a weight, whose logarithm is taken
MIDDLE = 0.381966  # of a range: no whole number, where its ends are
_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_RANGE = re.compile(rf"(?:(log|linear):)?({_NUMBER})\.\.({_NUMBER})")


class Dimension(Protocol):
    """What may be drawn for a key."""

    def draw(self, trial: "optuna.Trial", key: str) -> Any:
        """Return a value of a key for a trial."""

    def extremes(self) -> Sequence[Any]:
        """Return values that a recipe must take before the first trial: ends and middle of a range, or all choices."""


@dataclass(frozen=True)
class Range:
    """Numbers from one to another, both among them; whole ones where both are.

    Attributes:
        low, high: the ends.
        log: whether the logarithm is drawn evenly, not the number itself.
    """

    low: float
    high: float
    log: bool

    def draw(self, trial: "optuna.Trial", key: str) -> float:
        if isinstance(self.low, int) and isinstance(self.high, int):
            return trial.suggest_int(key, self.low, self.high, log=self.log)
        return trial.suggest_float(key, self.low, self.high, log=self.log)

    def extremes(self) -> Sequence[float]:
        if isinstance(self.low, int) and isinstance(self.high, int):
            return self.low, self.high
        # What takes whole numbers alone would take ends as 1.0 and 1e2, and refuse all that is drawn between.
        return self.low, self.low + MIDDLE * (self.high - self.low), self.high


@dataclass(frozen=True)
class Choices:
    """Some values, of which a list or a mapping is known to Optuna by its text.

    Attributes:
        values: by what Optuna calls them.
    """

    values: Mapping[Any, Any]

    def draw(self, trial: "optuna.Trial", key: str) -> Any:
        return self.values[trial.suggest_categorical(key, list(self.values))]

    def extremes(self) -> Sequence[Any]:
        return list(self.values.values())


@dataclass(frozen=True)
class Simplex:
    """A weight of each of K tasks, at least 0 and K in sum, drawn evenly from all there are.

    They are exponential draws over their mean, which is Dirichlet's distribution with all parameters 1.

    Attributes:
        tasks: their names.
    """

    tasks: Sequence[str] = ()

    def draw(self, trial: "optuna.Trial", key: str) -> dict[str, float]:
        drawn = {task: trial.suggest_float(f"{key}{OF}{task}", EDGE, 1 - EDGE) for task in self.tasks}
        return _weights(drawn)

    def extremes(self) -> Sequence[dict[str, float]]:
        return [dict.fromkeys(self.tasks, 1.0)]


def parse(text: str, given: str) -> Dimension:
    """Return what a text lets be drawn.

    Args:
        text: `1e-4..1e-2`, `log:1..4`, `equal,pcgrad`, `[64, 64],[96, 96]` or `simplex`.
        given: all that was given, for the sentence of a mistake.

    Raises:
        UsageError: it is none of these, or lets nothing be drawn.

    Example:
        >>> parse("1e-4..1e-2", "training.learning_rate=1e-4..1e-2")
        Range(low=0.0001, high=0.01, log=True)
    """
    text = text.strip()
    if text == SIMPLEX:
        return Simplex()
    if "..." not in text and (match := _RANGE.fullmatch(text)):  # of 1e-4...1e-2 one dot would be the number's
        return _range(match, given)
    parts = [part.strip() for part in _split(text)]
    if any(re.search(r"\.\.(?!/|$)", part) and not part.startswith(("[", "{", "'", '"')) for part in parts):
        raise UsageError(f"--search {given}: expected a range of two numbers, as 1e-4..1e-2, log:1..4 or linear:1..40.")
    if len(parts) < 2 or not all(parts):
        raise UsageError(
            f"--search {given}: nothing to choose from; give a range as 1e-4..1e-2, values as a,b, or simplex; or "
            "the one value as key=value, without --search."
        )
    values = {part: yamlfile.parse(part, f"--search {given}").value for part in parts}
    plain = all(value is None or isinstance(value, str | int | float) for value in values.values())
    named = {value if plain else part: value for part, value in values.items()}
    if len(named) < len(parts):
        raise UsageError(f"--search {given}: a value is there twice; give each once.")
    return Choices(named)


def shown(params: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Optuna holds of a trial with the weights of tasks in place of what was drawn for them."""
    weights: dict[str, dict[str, float]] = {}
    for name, value in params.items():
        key, of, task = name.rpartition(OF)
        if of:
            weights.setdefault(key, {})[task] = value
    by_name = {f"{key}{OF}{task}": w for key, drawn in weights.items() for task, w in _weights(drawn).items()}
    return {**params, **by_name}


def text_of(value: Any) -> str:
    """Return a value as YAML and the command line take it, all its digits with it."""
    bare = isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w./-]*", value)
    return value if bare and yamlfile.parse(value, value).value == value else json.dumps(value)


def short(value: Any) -> str:
    """Return a value in few digits, for a reader."""
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:.3g}"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {short(each)}" for key, each in value.items()) + "}"
    return text_of(value)


def _weights(drawn: Mapping[str, float]) -> dict[str, float]:
    """Return the weights that uniform draws stand for."""
    exponential = {task: -math.log(value) for task, value in drawn.items()}
    mean = sum(exponential.values()) / max(1, len(exponential))
    return {task: value / mean for task, value in exponential.items()}


def _range(match: re.Match, given: str) -> Range:
    scale, *ends = match.groups()
    low, high = [int(end) for end in ends] if all(_whole(end) for end in ends) else [float(end) for end in ends]
    if not low < high:
        raise UsageError(f"--search {given}: the range is empty; its lower end comes first, as 1e-4..1e-2.")
    if scale == "log" and low <= 0:
        raise UsageError(f"--search {given}: {low} has no logarithm; begin above 0, or write linear:{low}..{high}.")
    return Range(low, high, scale == "log" or (scale is None and low > 0 and high / low >= DECADE))


def _whole(text: str) -> bool:
    return re.fullmatch(r"[-+]?\d+", text) is not None


def _split(text: str) -> list[str]:
    """Part a text at its commas, those in brackets and quotes left alone."""
    parts, depth, quote = [""], 0, ""
    for letter in text:
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
        else:
            depth += (letter in "[{") - (letter in "]}")
        if letter == "," and not depth and not quote:
            parts.append("")
        else:
            parts[-1] += letter
    return parts
