"""A study of Optuna in a folder: how it draws, prunes and is stored, and what of it is taken up again."""

import contextlib
import math
import re
import shlex
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np

from visionmtl.comparison.tuning.asking import Asked
from visionmtl.comparison.tuning.space import Space
from visionmtl.errors import UsageError
from visionmtl.recipe import Recipe

if TYPE_CHECKING:
    import optuna

FILE = "study.db"
OLDEST = 5  # the version of Optuna that pyproject.toml asks for
# Drawn at random before the others are learnt from. Each of hyperband's brackets learns from its own trials alone,
# therefore it is half of what Optuna has.
RANDOM = 5
_LENGTHS = ("training.epochs", "training.warmup_epochs")
FACTOR = 3  # of the epochs between two looks of hyperband at who is pruned, of which this fraction goes on


def optuna_() -> Any:
    """Return the module Optuna, which says nothing of what it does.

    Raises:
        UsageError: it is not installed, or too old.
    """
    try:
        import optuna
    except ModuleNotFoundError as error:
        if error.name != "optuna":
            raise
        raise UsageError("visionmtl tune needs Optuna, which is not there: pip install 'visionmtl[tune]'.") from None
    if int(optuna.__version__.partition(".")[0]) < OLDEST:
        raise UsageError(
            f"visionmtl tune needs Optuna {OLDEST} or later, and {optuna.__version__} is there: pip install"
            " 'visionmtl[tune]'."
        )
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    warnings.filterwarnings("ignore", category=optuna.exceptions.ExperimentalWarning)
    return optuna


def address(folder: Path) -> str:
    """Return where the study of a folder is stored, as `optuna-dashboard` takes it."""
    written = re.sub("[%?#]", lambda sign: quote(sign[0]), str(folder / FILE))  # which mean something in an address
    return f"sqlite:///{written}"


def viewer(folder: Path) -> str:
    """Return the command that shows the study of a folder in a browser, where optuna-dashboard is installed."""
    return f"optuna-dashboard {shlex.quote(address(folder))}"


def opened(folder: Path, asked: Asked, recipe: Recipe, space: Space) -> "optuna.Study":
    """Return the study of a folder, made where it is not there.

    One objective is pruned by hyperband, over epochs; several are not: no order between them says which trial is worse.
    """
    optuna = optuna_()
    pruners, prune = optuna.pruners, asked.prune and len(asked.objectives) == 1
    return optuna.create_study(
        storage=address(folder),
        study_name=_name(asked, recipe),
        directions=asked.directions,
        pruner=pruners.HyperbandPruner(*_epochs(recipe, space), FACTOR) if prune else pruners.NopPruner(),
        sampler=_sampler(asked.seed, 0),
        load_if_exists=True,
    )


def stored(folder: Path, asked: Asked, recipe: Recipe) -> "optuna.Study":
    """Return the study of a folder to be read alone, also from a disk that cannot be written.

    Raises:
        UsageError: the folder holds none.
    """
    try:
        if (folder / FILE).is_file():
            return optuna_().load_study(study_name=_name(asked, recipe), storage=address(folder))
    except KeyError:
        pass
    raise UsageError(f"'{folder / FILE}' holds no study yet: begin with visionmtl tune {shlex.quote(str(folder))}.")


@contextlib.contextmanager
def told(folder: Path) -> Iterator[None]:
    """Say in a sentence why the file of a study cannot be read or written: damaged, locked, or of another Optuna.

    Raises:
        UsageError: it cannot.
    """
    optuna = optuna_()
    from sqlalchemy.exc import SQLAlchemyError  # which Optuna needs, and does not hide

    try:
        yield
    except (SQLAlchemyError, optuna.exceptions.StorageInternalError) as error:
        cause = error if error.__cause__ is None else error.__cause__
        reason = str(getattr(cause, "orig", None) or cause).partition("\n")[0]
        raise UsageError(
            f"'{folder / FILE}' cannot be read or written ({reason}): see that no other program holds it and that its"
            f" disk has room. Go on with: visionmtl tune {shlex.quote(str(folder))}"
        ) from None
    except RuntimeError as error:
        if "table schema" not in str(error):
            raise
        sentence = str(error).replace("$STORAGE_URL", address(folder))
        raise UsageError(f"'{folder / FILE}' is of another Optuna: {sentence}") from None


def unfinished(study: "optuna.Study") -> list["optuna.Trial"]:
    """Return the trials that were running when their study was killed, to be gone on with under their own numbers."""
    optuna = optuna_()
    left = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.RUNNING,))
    # Optuna has no public name for a stored trial's number in its storage, which a Trial is made of.
    return [optuna.Trial(study, trial._trial_id) for trial in left]


def drawn_next(study: "optuna.Study", seed: int) -> "optuna.Trial":
    """Return a new trial; what it draws depends on the seed and those before it alone, not on interruptions."""
    study.sampler = _sampler(seed, len(study.trials))
    return study.ask()


def seed_again(study: "optuna.Study", trial: "optuna.Trial", seed: int) -> None:
    """Have a trial that was killed while it drew draw the same again."""
    study.sampler = _sampler(seed, trial.number)


def finished(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    """Return the trials that have ended, in whatever way, in their order."""
    return [trial for trial in study.trials if trial.state.is_finished()]


def best(study: "optuna.Study") -> list["optuna.trial.FrozenTrial"]:
    """Return the best trial, or of several objectives those that no other one beats in all."""
    return sorted(study.best_trials, key=lambda trial: trial.number)


def _name(asked: Asked, recipe: Recipe) -> str:
    """Return what Optuna calls a study; hyperband's brackets are drawn by it."""
    return f"{recipe.name}, seed {asked.seed}"


def _sampler(seed: int, number: int) -> Any:
    state = int(np.random.SeedSequence([seed, number]).generate_state(1)[0])
    return optuna_().samplers.TPESampler(n_startup_trials=RANDOM, seed=state)


def _epochs(recipe: Recipe, space: Space) -> tuple[int, int]:
    """Return the epoch behind the warm-up, which is the first that tells trials apart, and the most that one has."""
    ends = {each.key: max(each.dimension.extremes()) for each in space.keys if each.key in _LENGTHS}
    most = int(ends.get("training.epochs", recipe.training.epochs))
    warm_up = min(ends.get("training.warmup_epochs", recipe.training.warmup_epochs), most / 2)
    return min(1 + math.ceil(warm_up), most), most
