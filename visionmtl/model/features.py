"""The feature maps of a model, which its heads read and further heads may."""

from collections.abc import Collection, Mapping

import keras

from visionmtl import keras_graph
from visionmtl.sharing.base.stages import Maps


class Features:
    """The maps that the heads of a model read, after necks and what the sharing scheme mixes.

    Args:
        maps: by task and level, symbolic tensors `[B, h, w, C]`.
        layers: the names of the layers that the model has: what others make is of no trained weights.
    """

    def __init__(self, maps: Mapping[str, Maps], layers: Collection[str]):
        self._maps, self._layers = maps, frozenset(layers)

    def named(self) -> dict[str, keras.KerasTensor]:
        """Return the maps under the level's name where all tasks read the same one, else under `<task>_<level>`.

        Example:
            >>> {name: tensor.shape for name, tensor in model.features.named().items()}
            {'P2': (None, 8, 8, 8), 'P3': (None, 4, 4, 8)}
        """
        named: dict[str, keras.KerasTensor] = {}
        for level in sorted({level for maps in self._maps.values() for level in maps}):
            read = {task: maps[level] for task, maps in self._maps.items() if level in maps}
            read = {task: tensor for task, tensor in read.items() if self._is_there(tensor)}
            if len({id(tensor) for tensor in read.values()}) == 1 and read.keys() == self._maps.keys():
                named[level] = next(iter(read.values()))
            else:
                named |= {f"{task}_{level}": tensor for task, tensor in read.items()}
        return named

    def _is_there(self, tensor: keras.KerasTensor) -> bool:
        return all(layer.name in self._layers for layer in keras_graph.layers([tensor]))
