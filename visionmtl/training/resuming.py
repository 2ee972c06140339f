"""Where an interrupted run goes on: its newest checkpoint that is whole, given back to the model."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from visionmtl import csvfile, terminal
from visionmtl.checkpoints import folder, state
from visionmtl.checkpoints.folder import Found, Place
from visionmtl.errors import UsageError
from visionmtl.files import write_text
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe, yamlfile
from visionmtl.training import runs
from visionmtl.workers import Workers

ANEW = "train into another folder, perhaps with model.start"


def mend(run: Path) -> None:
    """Write the recipe of a run anew from its newest checkpoint where nothing of it is left, and say so."""
    path = run / "recipe.yaml"
    if path.is_file() and path.read_bytes().strip(b"\0 \r\n"):
        return
    found, _ = folder.newest(run)
    if found is not None and "recipe" in found.about:
        write_text(path, yamlfile.dump(found.about["recipe"]))
        terminal.tell(f"'{path}' was empty or gone; it is there again as {found.path.name} has it.")


def find(run: Path, steps: int) -> Found | None:
    """Return the checkpoint that a run goes on from, and say which; None where the run begins anew.

    Args:
        run: the run folder.
        steps: those of an epoch.

    Raises:
        UsageError: there is none, but a training was here whose work would be overwritten.
    """
    found, damaged = folder.newest(run)
    lost = [f"{path.name} is damaged ({why})" for path, why in damaged.items()]
    work = [name for name in ("best.keras", "history.csv") if (run / name).is_file()]
    if found is None and work:
        why = "; ".join(lost) or "it is gone"
        raise UsageError(
            f"'{run}' has no checkpoint to go on from ({why}), but {' and '.join(work)} of its training, which would be"
            f" overwritten: {ANEW}={run}."
        )
    if found is None:
        terminal.tell(
            f"{run} has no checkpoint yet{''.join(f'; {each}' for each in lost)}: it starts from the beginning."
        )
        return None
    if lost:
        newest = max(folder.of(run).values())
        steps = found.about.get("steps", steps)
        missed = (newest.epoch - found.place.epoch) * steps + newest.step - found.place.step
        terminal.tell(f"{'; '.join(lost)}: going on from {found.place}, {missed} steps earlier.")
    elif found.about.get("finished"):
        terminal.tell(f"All epochs of {run} are trained; what is left is to measure its model.")
    else:
        terminal.tell(f"Going on from {found.place} ({found.path}).")
    return found


def of_all(found: Found | None, workers: Workers) -> Found | None:
    """Return the checkpoint that the chief has found, on every worker: the others need not see its disk.

    Raises:
        UsageError: it is of version 0.1.0, which Keras loads from the disk.
    """
    if not workers.several:
        return found
    about = None if found is None else [str(found.path), found.place, found.about, list(found.arrays)]
    told = workers.chiefs(lambda: about)
    if told is None:
        return None
    path, place, kept, names = told
    if not names:
        raise UsageError(f"{path} is of version 0.1.0, which one worker alone can go on from: unset TF_CONFIG.")
    arrays = workers.chiefs_arrays(lambda: list(found.arrays.values()) if found else [])
    return Found(Path(path), Place(*place), kept, dict(zip(names, arrays, strict=True)))


def give_back(found: Found, model: MultiTaskModel, recipe: Recipe, steps: int) -> None:
    """Give a model the state of a checkpoint, so that its next `fit` goes on from there.

    Args:
        found: the checkpoint.
        model: compiled, as the recipe builds it.
        recipe: the run's, as it is now.
        steps: those of an epoch.

    Raises:
        UsageError: the recipe was edited so that the checkpoint no longer fits.
    """
    edits = [
        f"{name} was {before!r} and is {now!r}"
        for name, before, now in _edits(found.about.get("recipe", {}), recipe.model_dump(mode="json"))
    ]
    edited = f" The recipe was edited: {'; '.join(edits)}." if edits else ""
    undo = f"put it back, or {ANEW}={found.path.parent.parent}."
    if not found.arrays:
        try:
            model.load_weights(found.path)
        except ValueError as error:
            first = str(error).strip().splitlines()[0]
            raise UsageError(f"The model of the recipe does not take {found.path} ({first}): {undo}") from None
        return
    if found.place.step and found.about["steps"] != steps:
        raise UsageError(
            f"{found.path} is at {found.place}, of {found.about['steps']} steps, but now an epoch has {steps}.{edited}"
            f" Therefore {undo}"
        )
    try:
        state.give_back(model.training_state(), found.arrays, model.workers)
    except state.MisfitError as error:
        raise UsageError(f"{found.path} does not fit the model: {error}.{edited} Therefore {undo}") from None
    if edits and model.workers.is_chief:
        terminal.tell(f"Since {found.path} was saved, {'; '.join(edits)}.")
    model.pace.ask()
    model.pass_over(found.place.step, found.about["logs"])


def history(found: Found, run: Path) -> list[dict[str, float]]:
    """Return the logs of the epochs behind a checkpoint, from itself, or of version 0.1.0 from the run's file.

    The run's file is mended by them.
    """
    rows = found.kept.get("History")
    if rows is None:
        return runs.read_history(run)[: found.place.epoch]
    if rows:
        csvfile.write(run / "history.csv", rows)
    return [{name: float(value) for name, value in row.items() if value not in ("", None)} for row in rows]


def _edits(before: Mapping[str, Any], now: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Yield the keys of a recipe that differ, with their values."""
    for name in before.keys() & now.keys():
        pair = before[name], now[name]
        if all(isinstance(value, Mapping) for value in pair):
            yield from _edits(*pair, prefix=f"{prefix}{name}.")
        elif pair[0] != pair[1]:
            yield f"{prefix}{name}", *pair
