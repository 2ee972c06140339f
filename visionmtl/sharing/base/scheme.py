"""What every sharing scheme is: options, and three steps from an image to the tasks' outputs."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar

import keras

from visionmtl.errors import UsageError
from visionmtl.sharing.base.built import Built, Made, Outputs
from visionmtl.sharing.base.stages import Maps, Stages, run_stages

Tasks = Mapping[str, Any]  # `tasks.Task` by name, in the order of the model
MakeStages = Callable[[str], Stages]
MakeNecks = Callable[[dict[str, Maps], bool], dict[str, Maps]]


@dataclass(frozen=True)
class Scheme:
    """How tasks share a network.

    A scheme is its options and nothing else: what it builds is in what it returns, and building twice gives two models
    that know nothing of each other. A new scheme is one file with a subclass, a frozen dataclass whose fields are its
    options. It overrides those of the three steps that it changes: `features`, `mix` and `heads`, each of which returns
    a `Made`, that is what each task goes on with and whatever else came of it.

    Attributes:
        name: what it is chosen by; of those in this folder the name of the file.

    Example:
        >>> from visionmtl import sharing
        >>> @keras.saving.register_keras_serializable("mine")
        ... @dataclass(frozen=True)
        ... class Scaled(sharing.Scheme):
        ...     start: float = 1.0
        ...     name = "scaled"
        ...
        ...     def mix(self, maps, tasks):
        ...         mixed = {}
        ...         for task, levels in maps.items():
        ...             scale = keras.layers.Rescaling(self.start, name=f"scaled_{task}")
        ...             mixed[task] = {level: scale(x) for level, x in levels.items()}
        ...         return sharing.Made(mixed)
        >>> Scaled(start=0.5).get_config()
        {'start': 0.5}
        >>> model = visionmtl.MultiTaskModel(tasks, sharing=Scaled(start=0.5))
    """

    name: ClassVar[str]

    def build(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages, make_necks: MakeNecks) -> Built:
        """Build the graph of a model of some tasks.

        Args:
            image: `[B, H, W, 3]`, 0..255.
            tasks: `tasks.Task` by name, in the order of the model.
            make_stages: `make_stages(prefix)` builds one backbone as a list of (level, model), image -> P2 -> P3 ->
                ...; every one that it builds starts from the same weights.
            make_necks: `make_necks(maps, own)` returns each task's maps after a neck, all levels equally wide; tasks
                given the very same maps share one, unless each is to have its own.

        Raises:
            UsageError: an option does not fit the backbone or the tasks, or a step returns no `Made`.
        """
        features = self._checked("features", self.features(image, tasks, make_stages))
        necked = make_necks(features.by_task, features.own_necks)
        mixed = self._checked("mix", self.mix(necked, tasks))
        return Built(features, necked, mixed, self._checked("heads", self.heads(mixed.by_task, tasks)))

    def features(self, image: keras.KerasTensor, tasks: Tasks, make_stages: MakeStages) -> Made[Maps]:
        """Return the backbone's maps that each task reads, `{task name: {"P2": ..., "P5": ...}}`; see `build`."""
        shared = run_stages(make_stages(""), image)
        return Made(dict.fromkeys(tasks, shared))

    def mix(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Maps]:
        """Return the maps that each task's head reads, from those that the necks made; all levels are equally wide."""
        return Made(maps)

    def heads(self, maps: dict[str, Maps], tasks: Tasks) -> Made[Outputs]:
        """Return each task's raw outputs, `{task name: {output name: tensor}}`."""
        return Made({name: task.outputs(maps[name]) for name, task in tasks.items()})

    def settled(self, model: Any) -> "Scheme":
        """Return the scheme that builds what a trained model of this one predicts by and no more, as an export has it.

        Its layers have the names that they have in the model. A scheme all of which predicts is its own.
        """
        return self

    def told(self, model: Any) -> list[str]:
        """Return what a trained model has settled on of how its tasks share, in sentences that end a training."""
        return []

    def _checked(self, step: str, made: Any) -> Any:
        if not isinstance(made, Made):
            given = type(made).__name__
            raise UsageError(f"sharing '{self.name}' returned {given} from {step}(): expected a sharing.Made of it.")
        return made

    def get_config(self) -> dict[str, Any]:
        """Return the options, from which the scheme is made again."""
        return {option.name: getattr(self, option.name) for option in fields(self)}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "Scheme":
        """Return the scheme that `get_config` described."""
        return cls(**config)
