"""What is asked of a comparison: read from a command line, kept in `comparison.yaml`, and extended by a later one."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from pipelines.splits import split_called
from visionmtl import known_by
from visionmtl.comparison.compare import wording
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import yamlfile

SEEDS = 3  # where none are asked for
OWN = ("name", "tasks", "training.seed")  # set by the comparison itself
DATA = (  # what is measured on
    *("data.source", "data.path", "data.sources", "data.joined", "data.options", "data.resize", "data.on_error"),
)
SPENT = ("training.epochs", "training.steps", "training.accumulate", "data.batch_size", "data.epoch")  # of the budget


@dataclass(frozen=True)
class Request:
    """A command line, as its parser gives it; None is what was not said.

    Attributes:
        recipe: a recipe, or the folder of a comparison to go on with.
        overrides: changes to the recipe, of all arms.
        vary, arms, search: the texts behind --vary, --arm and --search.
        seeds: how many.
        budget: the text behind --budget.
        fixed: whether there is an arm of tuned fixed weights.
        evaluate: a split to measure in the end.
        run: the folder.
        jobs: cells at once.
        shard: "i/n".
        merge: folders of other comparisons.
    """

    recipe: str
    overrides: Sequence[str] = ()
    vary: Sequence[str] = ()
    arms: Sequence[str] = ()
    search: Sequence[str] = ()
    seeds: int | None = None
    budget: str | None = None
    fixed: bool = True
    evaluate: str | None = None
    run: str | None = None
    jobs: int = 1
    shard: str | None = None
    merge: Sequence[str] = ()


@dataclass(frozen=True)
class Asked:
    """What a comparison is of, whoever goes on with it.

    Attributes:
        arms: the changes of each arm to the recipe, by key.
        seeds: how many, from the recipe's on.
        search: the values of each key searched.
        budget: `{"of": "steps", "amount": None}`.
        fixed: whether there is an arm of tuned fixed weights.
        evaluate: the split that is measured in the end; None for validation alone.
        commands: that asked for it.
    """

    arms: list[dict[str, Any]]
    seeds: int = SEEDS
    search: dict[str, list[Any]] = field(default_factory=dict)
    budget: dict[str, Any] = field(default_factory=lambda: {"of": "steps", "amount": None})
    fixed: bool = True
    evaluate: str | None = None
    commands: list[str] = field(default_factory=list)

    @property
    def candidates(self) -> list[dict[str, Any]]:
        """Every combination of the values searched; none where nothing is."""
        return _product(self.search) if self.search else []

    def write(self, folder: Path) -> None:
        """Keep it in the folder of its comparison."""
        write_text(folder / known_by.COMPARISON, yamlfile.dump(asdict(self)))


def read(folder: Path) -> Asked:
    """Return what a comparison is of.

    Raises:
        UsageError: the folder holds none.
    """
    value = yamlfile.read(folder / known_by.COMPARISON).value
    try:
        return Asked(**value)
    except TypeError:
        raise UsageError(
            f"'{folder / known_by.COMPARISON}' is not what `visionmtl compare` wrote: take another folder."
        ) from None


def asked(request: Request, command: str, before: Asked | None = None) -> Asked:
    """Return what a command line asks for, in addition to what was asked before of the same folder.

    Raises:
        UsageError: it is malformed, asks for the same twice, or for something else than before.
    """
    arms = [] if before is not None and not (request.vary or request.arms) else _arms(request)
    search = _search(request.search)
    evaluate = None if request.evaluate is None else split_called(request.evaluate, UsageError)
    budget = _budget(request.budget)
    if request.seeds is not None and request.seeds < 1:
        raise UsageError(f"--seeds was given {request.seeds}: expected one or more.")
    if before is None:
        seeds = SEEDS if request.seeds is None else request.seeds
        first = Asked(arms, seeds, search, fixed=request.fixed, evaluate=evaluate, commands=[command])
        return first if budget is None else replace(first, budget=budget)
    _refuse_another("--search", of_search(search or before.search), of_search(before.search))
    _refuse_another("--budget", of_budget(budget or before.budget), of_budget(before.budget))
    if request.seeds is not None and request.seeds < before.seeds:
        raise UsageError(
            f"--seeds was given {request.seeds}, but the comparison has {before.seeds} already: give as many or more."
        )
    if before.fixed and not request.fixed:
        raise UsageError("The comparison has an arm of tuned fixed weights already: leave --no-fixed out.")
    more = replace(
        before,
        arms=before.arms + [arm for arm in arms if arm not in before.arms],
        seeds=request.seeds or before.seeds,
        evaluate=evaluate or before.evaluate,
    )
    return before if more == before else replace(more, commands=[*before.commands, command])


def _refuse_another(option: str, now: str, before: str) -> None:
    if now != before:
        raise UsageError(f"{option} is {now}, but the comparison has {before}: make another folder by --run.")


def of_search(search: Mapping[str, Sequence[Any]]) -> str:
    """Return what is searched as it may be given."""
    return " ".join(f"{key}={','.join(map(str, values))}" for key, values in search.items()) or "none"


def of_budget(budget: Mapping[str, Any]) -> str:
    """Return a budget as it may be given."""
    amount = budget["amount"]
    return str(budget["of"]) + (f"={amount:g}" if amount else "")


def _arms(request: Request) -> list[dict[str, Any]]:
    """Return the changes of the arms asked for: the product of all --vary, and each --arm."""
    varied: dict[str, list[Any]] = {}
    for text in request.vary:
        key, values = wording.settings(text, "--vary")
        if key in varied:
            raise UsageError(f"--vary was given '{key}' twice: give all its values at once, {key}=a,b.")
        varied[key] = values
    arms = _product(varied) if varied or not request.arms else []
    for text in request.arms:
        pairs = [wording.setting(word, "--arm") for word in wording.parted(text, " ")]
        if not pairs or len(dict(pairs)) < len(pairs):
            raise UsageError(f"--arm was given '{text}': expected \"key=value key=value\", each key once.")
        arms.append(dict(pairs))
    for key in dict.fromkeys(key for arm in arms for key in arm):
        _refuse_key(key)
    return arms


def _refuse_key(key: str) -> None:
    """Refuse a key that no arm may have a value of its own of."""
    for keys, why in (
        (OWN, "is set by the comparison itself"),
        (DATA, "says what all arms are measured on"),
        (SPENT, "is of the budget, the same for all arms"),
    ):
        if any(key == own or key.startswith(f"{own}.") for own in keys):
            raise UsageError(f"'{key}' {why}: it cannot differ between arms; change it for all, by {key}=VALUE.")
        if within := [own for own in keys if own.startswith(f"{key}.")]:
            raise UsageError(
                f"'{key}' is a whole section, and '{within[0]}' in it {why}: give the keys that differ, such as "
                "training.learning_rate=1e-3."
            )


def _search(texts: Sequence[str]) -> dict[str, list[Any]]:
    """Return the values of each key to be searched."""
    search: dict[str, list[Any]] = {}
    for text in texts:
        name, values = wording.settings(text, "--search")
        key = wording.key_called(name)
        _refuse_key(key)
        if key in search or len({repr(value) for value in values}) < len(values):
            raise UsageError(f"--search was given '{text}', and with it the same key or value twice.")
        search[key] = values
    return search


def _budget(text: str | None) -> dict[str, Any] | None:
    """Return what all arms have the same of, and how much."""
    if text is None:
        return None
    of, _, amount = text.partition("=")
    try:
        number = float(amount) if amount else None
    except ValueError:
        number = math.nan
    wanted = {"steps": number is None or (number >= 1 and number.is_integer()), "seconds": (number or 0) > 0}
    if not (wanted | {"parameters": number is None}).get(of):
        raise UsageError(
            f"--budget was given '{text}': expected steps (the recipe's), steps=500, seconds=600 or parameters."
        )
    return {"of": of, "amount": int(number) if of == "steps" and number else number}


def _product(values: Mapping[str, Sequence[Any]]) -> list[dict[str, Any]]:
    return [dict(zip(values, each, strict=True)) for each in itertools.product(*values.values())]
