"""A cell, one training of a comparison, and what of it lies in the comparison's folder."""

import hashlib
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from pipelines.files import removed
from visionmtl import recipe as recipes
from visionmtl.comparison.compare import wording
from visionmtl.files import write_text
from visionmtl.recipe import Recipe
from visionmtl.recipe.keys import leaves
from visionmtl.training import runs

PLACES = ("data.path", "data.cache_folder")  # where files lie; another machine has them elsewhere


def hash_of(recipe: Recipe) -> str:
    """Return what a recipe trains as eight letters: equal where the trainings are equal.

    Neither its name counts, nor where files lie, nor what is as by default, so that a new key of a recipe changes none.
    """
    return hashlib.sha256(json.dumps(_trained(recipe), sort_keys=True).encode()).hexdigest()[:8]


def difference(recipe: Recipe, other: Recipe) -> str:
    """Return in which key two recipes train something else, the first one: "training.epochs is 5, not 3"."""
    one, two = (dict(leaves(_trained(each, defaults=True))) for each in (recipe, other))
    key = next((key for key in [*one, *two] if one.get(key) != two.get(key)), None)
    return "nothing that counts differs" if key is None else f"{key} is {one.get(key)}, not {two.get(key)}"


def _trained(recipe: Recipe, defaults: bool = False) -> dict[str, Any]:
    """Return what of a recipe counts."""
    settings = recipe.model_dump(mode="json", exclude_defaults=not defaults)
    settings.pop("name", None)
    for source in [settings.get("data", {}), *settings.get("data", {}).get("sources", {}).values()]:
        for place in PLACES:
            source.pop(place.rpartition(".")[2], None)
    return settings


@dataclass(frozen=True)
class Cell:
    """One training.

    Attributes:
        name: of the arm, or of the task alone.
        recipe: all of what is trained.
        candidate: what of it is tried, in a few words; nothing where nothing is.
    """

    name: str
    recipe: Recipe
    candidate: str = ""

    @cached_property
    def hash(self) -> str:
        """What it is known by."""
        return hash_of(self.recipe)

    @property
    def seed(self) -> int:
        """The seed of its weights and its data."""
        return self.recipe.training.seed

    @property
    def folder(self) -> str:
        """The name of its run folder."""
        words = wording.slug(f"{self.name} {self.candidate}")
        return f"{words}-seed-{self.seed}-{self.hash}"


class Cells:
    """The cells of a comparison's folder.

    Args:
        folder: the comparison's.
    """

    def __init__(self, folder: Path):
        self.root = folder / "cells"
        self._finished: dict[str, dict[str, Any]] = {}

    def run(self, cell: Cell) -> Path:
        """Return a cell's run folder, there or not; what the cell was called when it was made does not matter."""
        return next((path for path in self.root.glob(f"*-{cell.hash}") if path.is_dir()), self.root / cell.folder)

    def at_home(self, cell: Cell) -> Path:
        """Return a cell's run folder, made to look for its data where the comparison does: it may be another's."""
        run = self.run(cell)
        path = run / "recipe.yaml"
        if path.is_file():
            own = recipes.load(path)
            here = recipes.changed(own, {"data": cell.recipe.data.model_dump(mode="json")})
            if here != own and hash_of(here) == cell.hash:
                write_text(path, here.dump())
        return run

    def beside(self, cell: Cell, suffix: str) -> Path:
        """Return a file beside a cell's run folder: its ".yaml" recipe, its ".log", or its ".json" notes."""
        run = self.run(cell)
        return run.with_name(f"{run.name}{suffix}")

    def figures(self, cell: Cell) -> dict[str, Any] | None:
        """Return the metrics and costs of a cell; None where it is not finished."""
        if cell.hash not in self._finished:
            run = self.run(cell)
            if not runs.is_finished(run):
                return None
            for path in self.root.glob(f".{run.name}.*"):  # left by one that was killed; nobody writes there now
                shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
            notes = self.notes(cell)
            own = {name: notes.get(name) for name in ("memory", "cores")}
            self._finished[cell.hash] = runs.read_metrics(run) | own
        return self._finished[cell.hash]

    def forget(self, cell: Cell) -> None:
        """Read a cell's figures again: they have changed."""
        self._finished.pop(cell.hash, None)

    def slim(self, cell: Cell) -> None:
        """Remove the checkpoints of a cell that is finished: nobody goes on from them."""
        run = self.run(cell)
        if runs.is_finished(run) and (run / "checkpoints").is_dir():
            removed(run / "checkpoints")

    def notes(self, cell: Cell) -> dict[str, Any]:
        """Return what is known of its processes: peak `memory` in bytes, `wall` seconds, `cores`, why it `failed`."""
        path = self.beside(cell, ".json")
        try:
            return dict(json.loads(path.read_text(encoding="utf-8")))
        except (OSError, ValueError):
            return {}

    def note(self, cell: Cell, more: Mapping[str, Any]) -> None:
        """Keep more of what is known of a cell's processes."""
        kept = {key: value for key, value in (self.notes(cell) | dict(more)).items() if value is not None}
        write_text(self.beside(cell, ".json"), json.dumps(kept) + "\n")
