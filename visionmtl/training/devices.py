"""The devices a model is trained on: those of this machine, or of all workers that TF_CONFIG names."""

import contextlib
import functools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from visionmtl import stopping
from visionmtl.errors import UsageError, WorkerGoneError
from visionmtl.recipe import Recipe
from visionmtl.training import agreeing, cluster, ends, gathering
from visionmtl.workers import Workers


def strategy(devices: Sequence[str] | None = None, kind: str = "mirrored") -> tf.distribute.Strategy:
    """Return how to train on what there is: all GPUs if there are several, else the one device; or several workers.

    Args:
        devices: the devices of this machine to use instead, such as `["GPU:0", "GPU:2"]`.
        kind: `training.strategy` of a recipe: "mirrored" for this machine alone, "multi_worker" for the workers that
            TF_CONFIG names, which waits until all are there, "auto" for these where it names several.

    Raises:
        UsageError: TF_CONFIG is broken, or names no others where there must be some.
    """
    if devices is not None:
        if kind == "multi_worker":
            raise UsageError("training.strategy is multi_worker, which takes all GPUs: leave devices out.")
        return _mirrored(tuple(devices)) if len(devices) > 1 else tf.distribute.OneDeviceStrategy(devices[0])
    if workers(kind) is not None:
        return _multi_worker()
    gpus = tuple(gpu.name for gpu in tf.config.list_logical_devices("GPU"))
    return _mirrored(gpus) if len(gpus) > 1 else tf.distribute.get_strategy()


class Together(NamedTuple):
    """Where a training takes place.

    Attributes:
        strategy: in whose scope its model is built.
        workers: that train it together, one or several.
    """

    strategy: tf.distribute.Strategy
    workers: Workers

    @property
    def replicas(self) -> int:
        """How many devices share a batch, of all workers."""
        return self.strategy.num_replicas_in_sync

    def dealt(self, data: tf.data.Dataset, batch_size: int) -> Any:
        """Return a data set as `fit` and `evaluate` take it where each of several workers reads its own part.

        Args:
            data: of this worker's part.
            batch_size: of a batch, over all devices.
        """
        if not self.workers.several:
            return data
        if self.replicas > self.workers.count:  # a batch for each of this worker's devices
            data = data.rebatch(batch_size // self.replicas)
        return self.strategy.distribute_datasets_from_function(lambda context: data)

    def __str__(self) -> str:
        if self.workers.several:
            each = self.replicas // self.workers.count
            of = f"{each} GPU{'s' * (each > 1)}" if tf.config.get_visible_devices("GPU") else "a CPU"
            return f"{self.workers.count} workers of {of} each"
        if self.replicas > 1:
            return f"{self.replicas} devices"
        return alone()


def alone() -> str:
    """Return the device of a process that computes alone, in words."""
    return "1 GPU" if tf.config.get_visible_devices("GPU") else "the CPU"


@contextlib.contextmanager
def together(
    recipe: Recipe, devices: Sequence[str] | None = None, also: str | None = None, resumed: bool = False
) -> Iterator[Together]:
    """Give the place where a recipe is trained, once all workers are there, and say how it was found.

    All leave it together, unless one has failed.

    Args:
        recipe: what to train.
        devices: see `strategy`.
        also: a split to measure in the end.
        resumed: whether a run is gone on with, of the recipe that the chief reads.

    Raises:
        UsageError: see `strategy`; or another worker was told otherwise, or has ended.
    """
    kind = recipe.training.strategy
    if devices is None and (sentence := told(kind)):
        print(sentence, flush=True)
        _gather(kind, None if resumed else recipe, also)
    place = strategy(devices, kind)
    workers = Workers(place)
    with ends.workers_told(workers):
        yield Together(place, workers)
        workers.together(lambda: None)


def _gather(kind: str, recipe: Recipe | None, also: str | None) -> None:
    """Wait for the workers that a training is over, if any, until TensorFlow connects them; see `agreeing.told`."""
    found = workers(kind)
    if found is not None and not _multi_worker.cache_info().currsize:
        gathering.gather(found, agreeing.told(found, recipe, also))


def workers(kind: str) -> cluster.Cluster | None:
    """Return the workers that a recipe's `training.strategy` trains over; None where that is this machine alone.

    Raises:
        UsageError: see `strategy`.
    """
    if kind == "mirrored":
        return None
    found = cluster.named()
    if kind == "multi_worker" and (found is None or not found.several):
        what = "is not set" if found is None else f"names one worker, {found.addresses[0]}"
        raise UsageError(
            f"training.strategy is multi_worker, but TF_CONFIG {what}: it is to name all workers, as {cluster.FORM},"
            " or leave the strategy to auto."
        )
    return found if found is not None and found.several else None


def told(kind: str, alone: str = "training.strategy is mirrored, and this process trains alone") -> str:
    """Return how a training finds its devices, in a sentence; empty where there was nothing to choose.

    Args:
        kind: `training.strategy` of a recipe.
        alone: why TF_CONFIG is set aside, of "mirrored".
    """
    found = cluster.named()
    if found is None:
        return ""
    if kind == "mirrored":
        return f"TF_CONFIG is set aside: {alone}." if found.several else ""
    if not found.several:
        return f"TF_CONFIG names one worker, {found.addresses[0]}: training on this machine alone."
    whose = "chief, which writes the run folder" if found.number == 0 else "which writes nothing into the run folder"
    return (
        f"TF_CONFIG names {len(found.addresses)} workers, and training.strategy={kind} trains over them: this is worker"
        f" {found.number} ({found.addresses[found.number]}), {whose}. Waiting until all are there ..."
    )


def use(devices: str | None) -> None:
    """Have this process see only some devices, before it computes anything.

    Args:
        devices: "cpu", "gpu" for all GPUs, or some by number as "gpu:0" or "gpu:0,gpu:2"; None for all there are.

    Raises:
        UsageError: there is no such device.
    """
    if devices is None:
        return
    gpus = tf.config.list_physical_devices("GPU")
    valid = {"cpu": [], **({"gpu": gpus} if gpus else {}), **{f"gpu:{n}": [gpu] for n, gpu in enumerate(gpus)}}
    names = list(dict.fromkeys(name.strip().lower() for name in devices.split(",")))
    for name in names:
        if name not in valid:
            raise UsageError(f"There is no device '{name}' here. Valid: {', '.join(valid)}.")
    if "cpu" in names and len(names) > 1:
        raise UsageError(f"--device is '{devices}': name the CPU alone, or GPUs.")
    chosen = [gpu for gpu in gpus if any(gpu in valid[name] for name in names)]
    tf.config.set_visible_devices(chosen, "GPU")


@functools.cache
def _mirrored(devices: tuple[str, ...]) -> tf.distribute.MirroredStrategy:
    # One for the process: two over the same devices number their all-reduces alike, and meet each other's tensors.
    return tf.distribute.MirroredStrategy(devices)


@functools.cache
def _multi_worker() -> tf.distribute.MultiWorkerMirroredStrategy:
    # One for the process: TensorFlow connects to the others once, and before it does anything else.
    try:
        made = tf.distribute.MultiWorkerMirroredStrategy()
    except tf.errors.OpError as error:
        said = str(error).strip().partition("\n")[0]
        raise WorkerGoneError(f"TensorFlow could not connect the workers ({said}). Start all workers again.") from error
    stopping.take_again()  # its service has SIGTERM noted for itself, which then asks nobody to stop
    return made
