"""What a study was asked: kept beside it as `tune.yaml`, so that it goes on as it began."""

from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from visionmtl import known_by
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.recipe import yamlfile

ENOUGH = 20  # trials that ended with a value, from which on it is told which keys matter
TRIALS = 20
LESS = "min:"  # before a log of which less is better


@dataclass(frozen=True)
class Asked:
    """What a study was asked.

    Attributes:
        search: each `key=values`.
        trials: how many there are in the end.
        objectives: logs of the validation to raise, or `min:<log>` to lower; of several, none is preferred.
        seed: of what is drawn; the trainings have the recipe's own.
        tasks: the names of the recipe's.
        prune: whether trials that fall behind end early, where there is one objective.
    """

    search: list[str]
    objectives: list[str]
    trials: int = TRIALS
    seed: int = 0
    tasks: list[str] = field(default_factory=list)
    prune: bool = True

    def __post_init__(self) -> None:
        for name, least in (("trials", 1), ("seed", 0)):
            value = getattr(self, name)
            if not isinstance(value, int) or value < least:
                raise UsageError(f"--{name} is {value!r}, expected a whole number of at least {least}.")

    @property
    def logs(self) -> list[str]:
        """The names of the objectives' logs."""
        return [name.removeprefix(LESS) for name in self.objectives]

    @property
    def directions(self) -> list[str]:
        """Which way each objective is better, as Optuna says it."""
        return ["minimize" if name.startswith(LESS) else "maximize" for name in self.objectives]

    def write(self, folder: Path) -> "Asked":
        """Keep it in a study's folder, and return it."""
        write_text(folder / known_by.STUDY, yamlfile.dump(asdict(self)))
        return self

    def with_trials(self, trials: int | None) -> "Asked":
        """Return the same of so many trials; None for as many as before."""
        return self if trials is None else replace(self, trials=trials)


def is_study(folder: str | Path) -> bool:
    """Return whether a folder is that of a study."""
    return (Path(folder) / known_by.STUDY).is_file()


def read(folder: Path) -> Asked:
    """Return what the study of a folder was asked.

    Raises:
        UsageError: it is not a study's folder, or its file was changed so that it says nothing.
    """
    if not is_study(folder):
        raise UsageError(f"'{folder}' is not the folder of a study: there is no {folder / known_by.STUDY}.")
    value: Any = yamlfile.read(folder / known_by.STUDY).value
    try:
        return Asked(**value)
    except TypeError as error:
        raise UsageError(f"{folder / known_by.STUDY} was changed: {error}.") from None
