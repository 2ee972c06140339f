"""PartedModel: a model whose parts train each in its way: at rates of their own, with statistics that stay."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import keras

from visionmtl.balancing.hyperparameters import is_level
from visionmtl.errors import UsageError, one_of
from visionmtl.layers.normalisation import FusedBatchNormalization
from visionmtl.step import optimizing, remat
from visionmtl.step.kept import KeptModel
from visionmtl.step.rates import by_layer, scale


class PartedModel(KeptModel):
    """What of `BalancedModel` is about its parts: the names of layers by what they are, or each layer by its own.

    Attributes:
        own_rates: how many times the learning rate layers learn at by what the model is, by name, if not once. The
            model may lack some of them.
        began: takes note that an epoch of a training begins, by its number from 0, and of how many it is.
    """

    own_rates: Mapping[str, float] = MappingProxyType({})
    began: Callable[[int, int], None] = staticmethod(lambda epoch, epochs: None)

    def named_parts(self) -> Mapping[str, Sequence[str]]:
        """Return the names of the layers by `parts`, or where there are none, by layer."""
        return getattr(self, "parts", None) or {layer.name: [layer.name] for layer in self.layers}

    def levels(self) -> dict[str, list[keras.layers.Layer]]:
        """Return the layers of each level, by its name: one of `parts`, or where there are none, a layer."""
        named = self.named_parts().items()
        return {part: [self.get_layer(name) for name in names] for part, names in named if is_level(part)}

    def scale_rates(self, optimizer: Any) -> None:
        """Have an optimizer update variables by the fractions of its rate that `compile` was given, and the model's."""
        layers = by_layer(self.compiled_with["rates"] or {}, self.named_parts())
        there = {layer.name for layer in self.layers}
        for name in there & self.own_rates.keys():
            layers[name] = layers.get(name, 1.0) * self.own_rates[name]
        pairs = [(v, part) for name, part in layers.items() for v in self.get_layer(name).trainable_variables]
        scale(optimizing.inner(optimizer), pairs)

    def _freeze_statistics(self, parts: Sequence[str]) -> None:
        """Have the batch normalisations of these parts, and of no others, use and keep the statistics they have."""
        named, kept = self.named_parts(), set[int]()
        for part in parts:
            layers = [self.get_layer(name) for name in named[one_of(part, named, "part to freeze the statistics of")]]
            found = _normalisations(layers)
            if not found:
                raise UsageError(
                    f"freeze_statistics has '{part}', in which no layer is a batch normalisation: leave it out."
                )
            strange = next((each for each in found if not isinstance(each, FusedBatchNormalization)), None)
            if strange is not None:
                raise UsageError(
                    f"freeze_statistics has '{part}', whose layer '{strange.name}' is a {type(strange).__name__}: only"
                    " visionmtl.layers.FusedBatchNormalization can learn with statistics that stay."
                )
            kept |= {id(each) for each in found}
        for each in _normalisations(self.layers):
            if isinstance(each, FusedBatchNormalization):
                each.freezes_statistics = id(each) in kept
        self.compiled_with["freeze_statistics"] = list(parts)

    def _synchronise_statistics(self, wanted: bool | None) -> None:
        """Have all batch normalisations take the statistics of all replicas together, or each replica its own."""
        replicas = self.distribute_strategy.num_replicas_in_sync
        for each in [] if wanted is None else _normalisations(self.layers):
            if not (wanted or replicas == 1 or isinstance(each, FusedBatchNormalization)):
                raise UsageError(
                    f"synchronise_statistics is False, but layer '{each.name}' is a {type(each).__name__}, which would"
                    f" keep other statistics on each of {replicas} devices: leave it out, or have it be a"
                    " visionmtl.layers.FusedBatchNormalization."
                )
            each.synchronized = wanted
        self.compiled_with["synchronise_statistics"] = wanted

    def _rematerialise(self, parts: Sequence[str]) -> None:
        """Have what lies within the layers of these parts be computed again on the way back, and of no others."""
        named, chosen = self.named_parts(), []
        for part in parts:
            layers = [self.get_layer(name) for name in named[one_of(part, named, "part to compute again")]]
            if not any(map(remat.holds_layers, layers)):
                raise UsageError(
                    f"remat has '{part}', in which no layer holds others: nothing within could be computed again."
                    " Leave it out."
                )
            chosen += [layer for layer in layers if remat.holds_layers(layer)]
        remat.set_on(self.layers, chosen)
        self.compiled_with["remat"] = list(parts)


def _normalisations(layers: Sequence[keras.layers.Layer]) -> list[keras.layers.Layer]:
    inner = [each for layer in layers for each in layer._flatten_layers()]
    return [each for each in inner if isinstance(each, keras.layers.BatchNormalization)]
