"""`README.md` of an export: a model card, of which model hubs read the head and people all of it."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from visionmtl.errors import UsageError
from visionmtl.export import card_head
from visionmtl.export.format import FLOAT32, Format, Serving
from visionmtl.export.narrowing import kept_of_others
from visionmtl.export.signature import SIGNATURE
from visionmtl.export.telling import RECORD, told
from visionmtl.model import MultiTaskModel
from visionmtl.recipe import yamlfile
from visionmtl.tasks import boxes
from visionmtl.tasks.views import MARK

CARD = "README.md"
UNKNOWN = "unknown: fill in"
TENSOR = ("name", "dtype", "shape", "unit", "meaning")


@dataclass(frozen=True)
class Origin:
    """What is known of a model's training beside what the model keeps of it.

    Attributes:
        figures: as `metrics.json` of a run has them, `{split: {task: {metric: value}}}`; what else is there is passed
            over.
        images: how many each split has.
    """

    figures: Mapping[str, Any] = field(default_factory=dict)
    images: Mapping[str, int] = field(default_factory=dict)

    def of(self, model: MultiTaskModel) -> dict[str, dict[str, dict[str, float]]]:
        """Return the figures of a model's tasks, `{task: {metric: {split: value}}}`, but those of single classes."""
        found: dict[str, dict[str, dict[str, float]]] = {}
        splits = {split: tasks for split, tasks in self.figures.items() if isinstance(tasks, Mapping)}
        splits = {split: tasks for split, tasks in splits.items() if MARK not in split}  # an export sees a picture once
        for task in model.tasks:
            for split, tasks in splits.items():
                measured = tasks.get(task)
                for metric, value in measured.items() if isinstance(measured, Mapping) else ():
                    if "/" not in metric and value is not None:
                        found.setdefault(task, {}).setdefault(metric, {})[split] = value
        return found


def write(
    model: MultiTaskModel, folder: Path, name: str, formats: Mapping[str, Format], serving: Serving, origin: Origin
) -> None:
    """Write the card of an export, of which all other files are there.

    Args:
        model: that was exported.
        folder: where to.
        name: of the model.
        formats: in which, by what they are called.
        serving: how it was.
        origin: what is known of its training.
    """
    recipe = _read(model)
    figures = origin.of(model)
    sections = [
        card_head.written(model, name, list(formats), card_head.source(recipe), figures),
        f"# {name}\n\nOne network for {', '.join(model.tasks)}, trained and exported by visionmtl.",
        f"## Tasks\n\n{_tasks(model, serving)}",
        f"## Formats\n\n{_formats(model, formats)}",
        f"## Inputs and outputs\n\n{_tensors(folder)}",
        f"## Figures\n\n{_figures(model, figures, recipe)}",
        f"## Proof\n\n{_proof(folder)}",
        f"## Data\n\n{_data(recipe, origin)}",
        f"## Licences\n\n{_licences(recipe)}",
        f"## Use\n\nWhat it is meant for, and what not: {UNKNOWN}",
        f"## Recipe\n\n{_recipe(recipe)}",
    ]
    (folder / CARD).write_text("\n\n".join(sections) + "\n", encoding="utf-8")


def _read(model: MultiTaskModel) -> dict[str, Any] | None:
    """Return the recipe that a model keeps, with paths cut; None where it keeps none, or a text that is none."""
    try:
        return _cut(yamlfile.mapping(model.recipe["text"], "The recipe").value) if model.recipe else None
    except UsageError:
        return None


def _tasks(model: MultiTaskModel, serving: Serving) -> str:
    rows = [(name, task.kind, ", ".join(task.classes) or "none") for name, task in model.tasks.items()]
    parts = [_table(("task", "kind", "classes, from 0"), rows)]
    for name in model.confidences:
        least = (serving.confidences or {}).get(name)
        by_class = least if isinstance(least, Mapping) else {"every class": least or boxes.LEAST}
        shown = ", ".join(f"{label} {value:.3g}" for label, value in by_class.items())
        parts.append(f"Objects of {name} are told from this score on: {shown}.")
    if others := kept_of_others(model):
        kept = ", ".join(f"{name} ({weights:,} weights)" for name, weights in others.items())
        parts.append(
            f"Sharing '{model.sharing.name}' mixes in what was learnt for tasks that are not exported: {kept}."
        )
    return "\n\n".join(parts)


def _formats(model: MultiTaskModel, formats: Mapping[str, Format]) -> str:
    half = {layer.compute_dtype for layer in model._flatten_layers()} - {FLOAT32}
    own = ", ".join(sorted(half)) or FLOAT32  # only a format that keeps it is written of such a model
    rows = [
        (label, f"`{made.file}`", own if made.precision == FLOAT32 else made.precision)
        for label, made in formats.items()
    ]
    return _table(("format", "file", "precision of the network"), rows)


def _tensors(folder: Path) -> str:
    """Return what goes in and comes out, each name once."""
    said = json.loads((folder / SIGNATURE).read_text(encoding="utf-8"))
    parts = [f"As {next(iter(said))} has them; `{SIGNATURE}` has those of each format and signature."]
    signatures = [own for each in said.values() for own in each["signatures"].values()]
    for side in ("inputs", "outputs"):
        once: dict[str, Mapping[str, Any]] = {}
        for tensor in (tensor for own in signatures for tensor in own[side]):
            once.setdefault(tensor["name"], tensor)
        rows = [
            (f"`{each['name']}`", each["dtype"], _shape(each["shape"]), each["unit"], each["meaning"])
            for each in once.values()
        ]
        parts.append(_table((f"{side[:-1]}", *TENSOR[1:]), rows))
    return "\n\n".join(parts)


def _shape(sizes: Sequence[Any]) -> str:
    return f"[{', '.join(map(str, sizes))}]"


def _figures(model: MultiTaskModel, figures: Mapping[str, Any], recipe: Mapping[str, Any] | None) -> str:
    if not figures:
        return "None are known: it was exported without the folder of its run."
    splits = list(dict.fromkeys(split for of in figures.values() for values in of.values() for split in values))
    rows = [
        (task, metric, *(f"{values[split]:.4g}" if split in values else "" for split in splits))
        for task, of in figures.items()
        for metric, values in of.items()
    ]
    trained = ((recipe or {}).get("data") or {}).get("image_size")
    at = ""
    if trained and tuple(trained) != model.image_size:
        then, now = (f"{height} x {width}" for height, width in (trained, model.image_size))
        at = f" at {then} pixels, not at the {now} of this export"
    return f"As the run measured the model{at}.\n\n{_table(('task', 'metric', *splits), rows)}"


def _proof(folder: Path) -> str:
    if not (folder / RECORD).is_file():
        return "None: it was not compared with the model it was made of."
    record = json.loads((folder / RECORD).read_text(encoding="utf-8"))
    first = f"Compared with the model on {len(record['pictures'])} pictures; `{RECORD}` has every output."
    return "\n".join([first, "", *(f"- {line}" for line in told(folder))])


def _data(recipe: Mapping[str, Any] | None, origin: Origin) -> str:
    data = (recipe or {}).get("data") or {}
    sources = {"": data} if data.get("source") else data.get("sources") or {}
    lines = [f"- {f'{name}: ' if name else ''}{each['source']}{_options(each)}" for name, each in sources.items()]
    counted = _table(("split", "images"), [(split, f"{count:,}") for split, count in origin.images.items()])
    parts = ["\n".join(lines) or f"Source: {UNKNOWN}", counted if origin.images else f"Images of each split: {UNKNOWN}"]
    return "\n\n".join(parts)


def _options(source: Mapping[str, Any]) -> str:
    given = ", ".join(f"{key}={value}" for key, value in (source.get("options") or {}).items())
    return f" ({given})" if given else ""


def _licences(recipe: Mapping[str, Any] | None) -> str:
    start = ((recipe or {}).get("model") or {}).get("weights")
    rows = [("this model", UNKNOWN), ("the pictures and labels it learnt from", UNKNOWN)]
    if start:
        rows.append((f"the weights it started from, {start}", UNKNOWN))
    return _table(("of", "licence"), rows)


def _recipe(recipe: Mapping[str, Any] | None) -> str:
    if recipe is None:
        return f"The model keeps none: {UNKNOWN}"
    return f"Paths are cut to their last part.\n\n```yaml\n{yamlfile.dump(dict(recipe))}```"


def _cut(value: Any) -> Any:
    """Return what a recipe says without where its files lay on the machine of its training."""
    if isinstance(value, Mapping):
        return {key: _cut(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_cut(inner) for inner in value]
    return Path(value).name if isinstance(value, str) and Path(value).is_absolute() else value


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    def lines() -> Iterator[str]:
        for row in (header, ["---"] * len(header), *rows):
            yield "| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"

    return "\n".join(lines())
