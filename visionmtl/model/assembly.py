"""The graph of a multi-task model, from the image to the tasks' raw outputs, and which layers are what in it."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

import keras

from visionmtl import backbones, keras_graph
from visionmtl.layers.normalisation import fuse_normalisation
from visionmtl.model import necks
from visionmtl.sharing import Scheme
from visionmtl.sharing.base.scheme import Auxiliary
from visionmtl.sharing.base.stages import Maps
from visionmtl.tasks import Task


class Assembly(NamedTuple):
    """A graph, not yet a model.

    Attributes:
        image: the input `[B, H, W, 3]`.
        outputs: each task's raw outputs.
        auxiliary: each task's further outputs that learn, if the scheme has any.
        parts: the names of layers by what they are: "backbone", each level as "P2", "sharing" (what the scheme added),
            "neck", and each task by its name (its head, and its own copy of a backbone).
    """

    image: keras.KerasTensor
    outputs: dict[str, dict]
    auxiliary: dict[str, Auxiliary]
    parts: dict[str, list[str]]


def assemble(tasks: Mapping[str, Task], backbone, image_shape, scheme: Scheme, weights, neck: dict) -> Assembly:
    """Build the graph; the arguments are those of `MultiTaskModel`.

    Raises:
        UsageError: what `backbones.build`, `necks.pyramid` and the scheme refuse.
    """
    built = backbones.build(backbone, image_shape, weights) if isinstance(backbone, str) else backbone
    stages: dict[str, tuple[str, str]] = {}  # each stage's level and prefix, by its name

    def make_stages(prefix: str = ""):
        made = backbones.stages(fuse_normalisation(built), prefix)
        stages.update({stage.name: (level, prefix) for level, stage in made})
        return made

    image = keras.Input(image_shape, name="image")
    features = scheme.features(image, tasks, make_stages)
    necked = _necks(features, neck)
    maps = scheme.mix(necked, tasks)
    outputs = scheme.heads(maps, tasks)
    auxiliary = scheme.auxiliary()

    parts: dict[str, list[str]] = {part: [] for part in ("backbone", "sharing", "neck", *tasks)}
    known = {"image"}

    def note(part: str, tensors: Iterable) -> None:
        for layer in keras_graph.layers(tensors):
            if layer.name not in known:
                known.add(layer.name)
                parts[part].append(layer.name)

    for layer in keras_graph.layers(_tensors(features.values())):
        if layer.name in stages:
            level, prefix = stages[layer.name]
            known.add(layer.name)
            parts["backbone"].append(layer.name)
            parts.setdefault(level, []).append(layer.name)
            if prefix.removesuffix("_") in tasks:
                parts[prefix.removesuffix("_")].append(layer.name)
    note("sharing", _tensors(features.values()))
    note("neck", _tensors(necked.values()))
    note("sharing", _tensors(maps.values()))
    for name in tasks:
        own = [*outputs[name].values(), *(auxiliary[name].outputs.values() if name in auxiliary else ())]
        heads = [layer.name for layer in keras_graph.layers(own) if layer.name not in known]
        parts[name] += [layer for layer in heads if layer.startswith(f"{name}_")]
        known.update(parts[name])
    note("sharing", _tensors(outputs.values()))
    return Assembly(image, outputs, auxiliary, parts)


def _tensors(groups: Iterable[Mapping]) -> list:
    return [tensor for group in groups for tensor in group.values()]


def _necks(features: dict[str, Maps], options: dict) -> dict[str, Maps]:
    """Return each task's maps after a neck; tasks that read the very same maps share one."""
    built: dict[tuple, Maps] = {}
    result = {}
    keys = {task: tuple(id(maps[level]) for level in sorted(maps)) for task, maps in features.items()}
    for task, key in keys.items():
        if key not in built:
            name = "neck" if len(set(keys.values())) == 1 else f"{task}_neck"
            built[key] = necks.pyramid(features[task], name=name, **options)
        result[task] = built[key]
    return result
