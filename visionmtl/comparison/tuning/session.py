"""A search from a recipe to its best settings: asked, checked, run trial by trial, gone on with, told and exported."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from visionmtl import recipe as recipes
from visionmtl import stopping
from visionmtl.comparison.tuning import asking, space, study, telling, trial
from visionmtl.comparison.tuning.asking import Asked
from visionmtl.comparison.tuning.trainer import Known, Trainer
from visionmtl.errors import UsageError, one_of
from visionmtl.files import told, write_text
from visionmtl.recipe import Recipe
from visionmtl.training import lock, runs

if TYPE_CHECKING:
    import optuna

BY_TASK = "tasks"  # the objectives that are the primary metric of each task
HOPELESS = 5  # trials that fail before any other ended: they fail for a reason of all


def tune(
    recipe: str,
    overrides: Sequence[str],
    search: Sequence[str],
    trials: int = asking.TRIALS,
    objectives: Sequence[str] = (),
    seed: int = 0,
    run: str | Path | None = None,
    prune: bool = True,
    trainer: type[Trainer] = Trainer,
) -> Path:
    """Search the best settings of a recipe, print what came of it, and return the study's folder.

    Args:
        recipe: a YAML file, or the name of a built-in recipe.
        overrides: changes to it, for all trials.
        search: what is drawn, each `key=values`; see `space.parse`.
        trials: how many.
        objectives: logs of the validation, `min:<log>` where less is better, or `tasks`, the primary metric of each;
            default `training.monitor`.
        seed: of what is drawn.
        run: the folder to make; default `runs/tune-<recipe>-<n>`.
        prune: whether trials that fall behind end early, where there is one objective.
        trainer: what trains the trials.

    Raises:
        UsageError: something is wrong with the recipe, its data or the space; told before the first trial.
        stopping.Stopped: a signal stopped it; the sentence says how to go on.

    Example:
        >>> tune("garments", [], ["training.learning_rate=1e-4..1e-2"], trials=10)  # doctest: +SKIP
        PosixPath('runs/tune-garments-1')
    """
    study.optuna_()
    base = recipes.load(recipe, overrides)
    of = space.parse(search, base)
    examples = [of.overrides(drawn) for drawn in of.examples()]
    for changes in [[], *examples]:
        _check_validated(recipes.load(recipe, [*overrides, *changes]))
    asked = Asked(list(search), list(objectives), trials, seed, prune=prune)  # wrong numbers are told first
    with stopping.signals(stopping.Stop()) as stop:
        if run is not None and asking.is_study(run):
            raise UsageError(
                f"'{run}' is there already, with a study: go on with it by {command(Path(run))}, or name another."
            )
        if run is not None:
            lock.refuse_held(Path(run))
            runs.refuse_taken(run)
        print(*of.left_out(), f"Reading the data of {base.name} and building its model once ...", sep="\n", flush=True)
        known = trainer(stop).probe(recipe, overrides, examples)
        if not known.validated:
            raise UsageError(f"'{base.name}' has no validation split, by which settings are chosen: name one in data.")
        goals = _objectives(objectives, base, known)
        asked = replace(asked, objectives=goals, tasks=list(known.tasks))
        folder = runs.numbered(f"tune-{base.name}") if run is None else Path(run)
        with lock.held(folder, stop):
            with told(folder):
                write_text(folder / "recipe.yaml", base.dump())
            asked.write(folder)
            _run(folder, asked, trainer(stop), stop)
    return folder


def go_on(folder: str | Path, trials: int | None = None, trainer: type[Trainer] = Trainer) -> None:
    """Go on with a study that was stopped or killed, or that is to have more trials, and print what came of it.

    Args:
        folder: of the study.
        trials: how many there are to be in the end; None for as many as were asked for.
        trainer: what trains them.

    Raises:
        UsageError: it is no study's folder, or another process is at work in it.
        stopping.Stopped: a signal stopped it; the sentence says how to go on.
    """
    folder = Path(folder)
    study.optuna_()
    asked = asking.read(folder)
    with stopping.signals(stopping.Stop()) as stop, lock.held(folder, stop):
        if asked.with_trials(trials) != asked:
            asked = asked.with_trials(trials).write(folder)
        _run(folder, asked, trainer(stop), stop)


def export(folder: str | Path, path: str | Path, number: int | None = None) -> Path:
    """Write the recipe of the best trial, complete, to a file that `visionmtl train` takes.

    Args:
        folder: of the study.
        path: the file to write.
        number: of the trial; None for the best, which several objectives have no single one of.

    Raises:
        UsageError: there is no such trial, or none is better than all others.
    """
    folder = Path(folder)
    asked = asking.read(folder)
    with study.told(folder):
        opened = study.stored(folder, asked, recipes.load(folder / "recipe.yaml"))
    best = [each.number for each in study.best(opened)]
    if number is None and len(asked.objectives) > 1 and len(best) != 1:
        raise UsageError(
            f"No trial of '{folder}' is the best in {' and '.join(asked.logs)} at once: choose one by --trial n, of "
            f"{', '.join(map(str, best)) or 'those to come'}."
        )
    if not best:
        raise UsageError(f"No trial of '{folder}' has ended with a value yet: go on with {command(folder)}.")
    number = best[0] if number is None else number
    chosen = {each.number: each for each in study.finished(opened) if each.values}
    if number not in chosen:
        numbers = ", ".join(map(str, chosen))
        raise UsageError(f"'{folder}' has no trial {number} that ended with a value: expected one of {numbers}.")
    recipe = recipes.load(folder / "recipe.yaml", chosen[number].user_attrs["changes"])
    write_text(Path(path), recipe.dump())
    print(f"{path} is the recipe of trial {number}; train it by: visionmtl train {shlex.quote(str(path))}")
    return Path(path)


def command(folder: Path) -> str:
    """Return the command that goes on with a study."""
    return f"visionmtl tune {shlex.quote(str(folder))}"


def _check_validated(recipe: Recipe) -> None:
    """Return if a training of a recipe validates, which its trials are told apart by.

    Raises:
        UsageError: it ends before.
    """
    settings = recipe.training
    if settings.validate_every > settings.epochs:
        raise UsageError(
            f"training.validate_every is {settings.validate_every}, and a trial may have training.epochs="
            f"{settings.epochs}: it would end before it is measured. Validate more often, or train for longer."
        )


def _objectives(given: Sequence[str], recipe: Recipe, known: Known) -> list[str]:
    """Return the logs that are raised or lowered."""
    if list(given) == [BY_TASK]:
        return list(known.primary)
    chosen = list(given) or [recipe.training.monitor]
    logs = [one_of(name.removeprefix(asking.LESS), known.logs, "log for --objectives:") for name in chosen]
    if len(set(logs)) < len(logs):
        raise UsageError(f"--objectives {','.join(given)}: one is there twice; give each once.")
    for name in chosen:
        if name in known.lower:
            what = "--objectives" if given else "training.monitor"
            raise UsageError(
                f"{what} is {name}, of which less is better, and it would be raised: give --objectives min:{name}."
            )
    return chosen


def _read(folder: Path, asked: Asked) -> tuple[Recipe, space.Space]:
    """Return the recipe and the space of a study."""
    base = recipes.load(folder / "recipe.yaml")
    return base, space.parse(asked.search, base).with_tasks(asked.tasks)


def _run(folder: Path, asked: Asked, trainer: Trainer, stop: stopping.Stop) -> None:
    """Run the trials that are left, those first that were killed, and tell what came of all."""
    base, of = _read(folder, asked)
    with study.told(folder):
        opened = study.opened(folder, asked, base, of)
        print(f"{asked.trials} trials into {folder}. Its dashboard, once installed: {study.viewer(folder)}")
        _all(folder, asked, trainer, stop, base, of, opened)
        telling.tell(folder, asked, opened)


def _all(
    folder: Path,
    asked: Asked,
    trainer: Trainer,
    stop: stopping.Stop,
    base: Recipe,
    of: space.Space,
    opened: "optuna.Study",
) -> None:
    """Run the trials that are left, and write what came of all, whatever stops them."""
    try:
        stop.patient = True
        for killed in study.unfinished(opened):
            print(f"Trial {killed.number} was stopped on its way: it goes on.")
            study.seed_again(opened, killed, asked.seed)
            trial.run(folder, asked, of, trainer, opened, killed)
        before = len(study.finished(opened))
        while len(study.finished(opened)) < asked.trials:
            _refuse_hopeless(study.finished(opened)[before:])
            trial.run(folder, asked, of, trainer, opened, study.drawn_next(opened, asked.seed))
    except KeyboardInterrupt as stopped:
        raise stopping.saying(stopped, f"Go on with: {command(folder)}", resumable=True) from None
    except UsageError as error:
        raise UsageError(f"{error} Go on with: {command(folder)}") from None
    finally:
        stop.patient = False
        telling.write(folder, asked, base, opened)


def _refuse_hopeless(ended: Sequence["optuna.trial.FrozenTrial"]) -> None:
    """Stop where all that was trained has failed.

    Raises:
        UsageError: so many trials have.
    """
    if len(ended) == HOPELESS and all("why" in each.user_attrs for each in ended):
        raise UsageError(f"All of {HOPELESS} trials have failed, the last for: {ended[-1].user_attrs['why']}")
