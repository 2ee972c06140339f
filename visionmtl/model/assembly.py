"""The graph of a multi-task model, from the image to the tasks' raw outputs, and which layers are what in it."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from visionmtl import backbones, keras_graph
from visionmtl.errors import one_of
from visionmtl.layers.normalisation import fuse_normalisation
from visionmtl.model import necks
from visionmtl.sharing import Built, Scheme
from visionmtl.sharing.base.stages import Maps, Stages
from visionmtl.tasks import Task, forms


@dataclass(frozen=True)
class Assembly:
    """A graph, not yet a model.

    Attributes:
        image: the input `[B, H, W, 3]`.
        built: what the sharing scheme built on it.
        parts: the names of layers by what they are: "backbone", each level as "P2", "sharing" (what the scheme added),
            "neck", "<task>_neck" where tasks have a neck each, and each task by its name (its head, its own copy of a
            backbone, and what else the scheme says that it owns).
    """

    image: keras.KerasTensor
    built: Built
    parts: dict[str, list[str]]


def assemble(
    tasks: Mapping[str, Task],
    backbone: str | keras.Model,
    image_shape: tuple[int, int, int],
    scheme: Scheme,
    weights: str | Path | None,
    neck: dict[str, Any],
) -> Assembly:
    """Build the graph; the arguments are those of `MultiTaskModel`.

    Raises:
        UsageError: what `Task.meet`, `backbones.build`, `backbones.given`, `necks.pyramid` and the scheme refuse.
    """
    for task in tasks.values():
        task.meet(tasks)
    make = backbones.build if isinstance(backbone, str) else backbones.given
    whole = make(backbone, image_shape, weights)
    stages: dict[str, tuple[str, str]] = {}  # each stage's level and prefix, by its name

    def make_stages(prefix: str = "") -> Stages:
        made = backbones.stages(fuse_normalisation(whole), prefix)
        stages.update({stage.name: (level, prefix) for level, stage in made})
        return made

    image = keras.Input(image_shape, name=forms.INPUT)
    built = scheme.build(image, tasks, make_stages, lambda features, own: _necks(features, own, neck))
    return Assembly(image, built, _parts(built, tasks, stages))


def _parts(built: Built, tasks: Collection[str], stages: Mapping[str, tuple[str, str]]) -> dict[str, list[str]]:
    """Return the names of layers by what they are; see `Assembly.parts`.

    Args:
        built: the graph.
        tasks: their names.
        stages: the level and the prefix of each stage of a backbone, by its name.
    """
    parts: dict[str, list[str]] = {part: [] for part in ("backbone", "sharing", "neck", *tasks)}
    known = {forms.INPUT}

    def note(part: str, groups: Mapping[str, Mapping[str, keras.KerasTensor]]) -> None:
        for layer in keras_graph.layers(_tensors(groups)):
            if layer.name not in known:
                known.add(layer.name)
                parts[part].append(layer.name)

    for layer in keras_graph.layers(_tensors(built.features.by_task)):
        if layer.name in stages:
            level, prefix = stages[layer.name]
            known.add(layer.name)
            parts["backbone"].append(layer.name)
            parts.setdefault(level, []).append(layer.name)
            if prefix.removesuffix("_") in tasks:
                parts[prefix.removesuffix("_")].append(layer.name)
    for made in built.steps:
        for task, layers in made.owned.items():
            known.update(layers)
            parts[task] += layers
    note("sharing", built.features.by_task)
    note("neck", built.necked)
    for task in tasks:
        if own := [layer for layer in parts["neck"] if layer.startswith(f"{task}_neck")]:
            parts.setdefault(f"{task}_neck", own)
    note("sharing", built.mixed.by_task)
    for name in tasks:
        own = [*built.outputs[name].values()]
        own += [tensor for further in built.auxiliary.get(name, ()) for tensor in further.outputs.values()]
        heads = [layer.name for layer in keras_graph.layers(own) if layer.name not in known]
        parts[name] += [layer for layer in heads if layer.startswith(f"{name}_")]
        known.update(parts[name])
    note("sharing", built.outputs)
    return parts


def _tensors(groups: Mapping[str, Mapping[str, keras.KerasTensor]]) -> list[keras.KerasTensor]:
    return [tensor for group in groups.values() for tensor in group.values()]


def _necks(features: dict[str, Maps], own: bool, options: dict[str, Any]) -> dict[str, Maps]:
    """Return each task's maps after a neck; tasks that read the very same maps share one, if they need no own one."""
    for option in options:
        one_of(option, necks.OPTIONS, "option of model.neck")
    made: dict[tuple[Any, ...], Maps] = {}
    result = {}
    keys: dict[str, tuple[Any, ...]] = {
        task: (own and task, *(id(maps[level]) for level in sorted(maps))) for task, maps in features.items()
    }
    for task, key in keys.items():
        if key not in made:
            name = "neck" if len(set(keys.values())) == 1 else f"{task}_neck"
            made[key] = necks.pyramid(features[task], name=name, **options)
        result[task] = made[key]
    return result
