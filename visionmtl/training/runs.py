"""A run folder: `runs/<recipe>-<n>/`, made, found again, and its figures kept."""

import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import keras

import pipelines
from pipelines.files import is_partial, remove_partial
from visionmtl import csvfile
from visionmtl import recipe as recipes
from visionmtl.errors import UsageError
from visionmtl.files import damage, told, write_text
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import Recipe
from visionmtl.training import processes
from visionmtl.training.lock import LOCK

RUNS = Path("runs")
MODELS = ("best.keras", "last.keras")
FIGURES = ("metrics.json", "report.html")  # written in the end, in this order
IMAGES = "images.json"  # how many each split has


def new(recipe: Recipe, folder: str | Path | None = None) -> Path:
    """Make the run folder of a recipe and write the recipe into it.

    Args:
        recipe: what will be trained.
        folder: the folder to make; default `runs/<recipe>-<n>` with the next n.

    Raises:
        UsageError: the folder is taken.
    """
    run = numbered(recipe.name) if folder is None else refuse_taken(folder)
    remove_partial(run)
    write_text(run / "recipe.yaml", recipe.dump())
    return run


def refuse_taken(folder: str | Path, otherwise: str = "or go on with the run by --resume {run}") -> Path:
    """Return the folder if a new run may be made there.

    Args:
        folder: where.
        otherwise: what else may be done than to name another.

    Raises:
        UsageError: it is there and not empty.
    """
    run = Path(folder)
    if run.exists() and (not run.is_dir() or any(not _begun(path.name) for path in run.iterdir())):
        raise UsageError(f"'{run}' is there already: name another folder, {otherwise.format(run=run)}.")
    return run


def _begun(name: str) -> bool:
    """Whether a file of this name may be left by a training that was killed before it wrote its recipe."""
    return name == LOCK or is_partial(name)


def numbered(name: str) -> Path:
    """Make the folder `runs/<name>-<n>` with the next n."""
    with told(RUNS):
        RUNS.mkdir(exist_ok=True)
        taken = [path.name.removeprefix(f"{name}-") for path in RUNS.glob(f"{name}-*")]
        n = max((int(number) for number in taken if number.isdecimal()), default=0) + 1
        while True:
            try:
                (RUNS / f"{name}-{n}").mkdir()
                return RUNS / f"{name}-{n}"
            except FileExistsError:  # another training took it meanwhile
                n += 1


def reopen(run: Path) -> Path:
    """Return a run folder in which training goes on, without what it had of the model until now, or unfinished."""
    with told(run):
        for name in FIGURES:
            (run / name).unlink(missing_ok=True)
        remove_partial(run)
        for name in MODELS:
            if broken := damage(run / name):
                print(f"{run / name} is damaged ({broken}): it is removed, and written anew.")
                (run / name).unlink()
    return run


def is_finished(run: Path) -> bool:
    """Return whether a run is trained and measured; figures alone may be those of its best model so far."""
    return "seconds" in read_metrics(run) and all((run / name).is_file() for name in FIGURES)


def read_recipe(run: str | Path, overrides: Iterable[str] = ()) -> Recipe:
    """Return the recipe a run was trained from.

    A folder without splits is divided as it was for the training, whichever split is asked for; a folder that
    `data.path=DIR` names instead is not.

    Raises:
        UsageError: it is not a run folder.
    """
    path = Path(run) / "recipe.yaml"
    if not path.is_file():
        raise UsageError(f"'{run}' is not a run folder: there is no {path}.")
    overrides = list(overrides)
    recipe = recipes.load(path, overrides)
    elsewhere = any(text.startswith("data.path=") for text in overrides)
    return recipe if elsewhere else _divided(recipe)


def _divided(recipe: Recipe) -> Recipe:
    """Return a recipe that divides a folder without splits as its training did."""
    if recipe.data.source and "divide" in pipelines.options(recipe.data.source):
        data = recipe.data.model_copy(update={"options": {"divide": True} | recipe.data.options})
        recipe = recipe.model_copy(update={"data": data})
    return recipe


def kept_recipe(model: MultiTaskModel) -> Recipe | None:
    """Return the recipe that a model keeps of its training; None where it keeps none."""
    if model.recipe is None:
        return None
    name, text = model.recipe["name"], model.recipe["text"]
    return _divided(recipes.parsed(text, name, f"The recipe '{name}' that the model keeps"))


def read_history(run: Path) -> list[dict[str, float]]:
    """Return the logs of a run's epochs; a log that an epoch lacks is not in its row."""
    rows = csvfile.read(run / "history.csv")
    return [{name: float(value) for name, value in row.items() if value} for row in rows]


def load_model(path: str | Path) -> tuple[MultiTaskModel, Recipe | None]:
    """Return the best model of a run with its recipe, or the model of a `.keras` file with None.

    The model itself says what it was trained with: `resize`, `recipe`, `confidences`.

    Raises:
        UsageError: the file is missing, or holds no model of this library.
    """
    path = Path(path)
    file = model_file(path)
    recipe = read_recipe(path) if path.is_dir() else None
    if broken := damage(file):
        raise UsageError(f"'{file}' is not a model that Keras can load: {broken}")
    try:
        model = keras.saving.load_model(file)
    except (ValueError, OSError, TypeError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise UsageError(f"'{file}' is not a model that Keras can load: {first}") from None
    if not isinstance(model, MultiTaskModel):
        raise UsageError(f"'{file}' holds a {type(model).__name__}, expected a MultiTaskModel.")
    if recipe is not None and model.recipe is None:  # version 0.1.0 kept it beside the model alone
        model.resize, model.recipe = recipe.data.resize, {"name": recipe.name, "text": recipe.dump()}
    return model, recipe


def model_file(path: str | Path) -> Path:
    """Return the file of the best model of a run, or the file itself that is given.

    Raises:
        UsageError: it is missing or of another kind, or a folder is no run's.
    """
    path = Path(path)
    if not (path / "recipe.yaml").is_file() and [*path.glob("saved_model.pb"), *path.glob("*/saved_model.pb")]:
        raise UsageError(f"'{path}' is an exported SavedModel: expected a run folder or a .keras file.")
    if path.is_dir():
        read_recipe(path)
    file = path / "best.keras" if path.is_dir() else path
    if not file.is_file():
        resume = f"the run has no best model yet; finish it by --resume {path}"
        raise UsageError(f"There is no model '{file}': {resume if path.is_dir() else 'give a run folder or a file'}.")
    if file.suffix != ".keras":
        raise UsageError(f"'{file}' is no model: expected a run folder or a .keras file.")
    return file


def read_metrics(run: Path) -> dict[str, Any]:
    """Return what a run's metrics.json holds; nothing where there is none.

    Raises:
        UsageError: it holds no figures.
    """
    path = run / "metrics.json"
    try:
        metrics = json.loads(path.read_text(encoding="utf-8", errors="replace")) if path.is_file() else {}
    except json.JSONDecodeError:
        metrics = None
    if not isinstance(metrics, dict):
        raise UsageError(f"'{path}' was cut or changed, and is no JSON of figures: remove it, and measure anew.")
    return metrics


def keep_metrics(run: Path, entries: dict[str, Any]) -> dict[str, Any]:
    """Merge entries such as `{"test": {task: {metric: value}}}` into the run's metrics.json, and return all of it."""
    with told(run):
        run.mkdir(parents=True, exist_ok=True)
        with processes.one_at_a_time(run):  # two evaluations, or one as a training ends: neither loses the other's
            metrics = read_metrics(run) | _plain(entries)
            write_text(run / "metrics.json", json.dumps(metrics, indent=2) + "\n")
    return metrics


def read_images(run: Path) -> dict[str, int]:
    """Return how many images each split had that a run was trained or measured on; nothing where it was not kept."""
    try:
        counts = json.loads((run / IMAGES).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return counts if isinstance(counts, dict) else {}


def keep_images(run: Path, sizes: Mapping[str, int]) -> None:
    """Merge how many images splits have into the run's images.json."""
    with told(run), processes.one_at_a_time(run):
        write_text(run / IMAGES, json.dumps(read_images(run) | dict(sizes), indent=2) + "\n")


def _plain(value: Any) -> Any:
    """Return Python numbers for NumPy's, and None for what JSON cannot say."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    value = value.item() if hasattr(value, "item") else value
    return None if isinstance(value, float) and not math.isfinite(value) else value
