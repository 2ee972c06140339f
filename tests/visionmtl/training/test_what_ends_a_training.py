"""What a training that ends early says: what happened, and a command that goes on and that works."""

import errno
import os
import shlex
import signal

import pytest
import tensorflow as tf
from small_recipe import small

from visionmtl import files, recipe
from visionmtl.errors import UsageError, out_of_memory
from visionmtl.stopping import Stopped
from visionmtl.training import ends

NO_SPACE = os.strerror(errno.ENOSPC)


def exhausted(text):
    return tf.errors.ResourceExhaustedError(None, None, text)


def end(error, run, replicas=1, given=None):
    """Return what is raised of a training that ends by an error."""
    with pytest.raises((Exception, KeyboardInterrupt)) as raised, ends.told(given or small(), run, replicas):
        raise error
    return raised.value


def test_a_signal_is_told_with_the_command_that_goes_on(tmp_path):
    stopped = end(Stopped(signal.SIGTERM), tmp_path / "my run")
    assert (stopped.status, str(stopped)) == (75, f"Go on with: visionmtl train --resume '{tmp_path / 'my run'}'")
    assert end(KeyboardInterrupt(), tmp_path).status == 130


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, NO_SPACE, "runs/garments-1/best.keras"),
        OSError("Can't write data (file write failed: errno = 28, error message = 'No space left on device')"),
        exhausted(f"runs/garments-1/tensorboard/train/events; {NO_SPACE}"),
    ],
    ids=["of a file", "of HDF5", "of TensorBoard"],
)
def test_a_full_disk_is_told_with_the_command_that_goes_on(error, tmp_path):
    assert not out_of_memory(error)
    told = end(error, tmp_path)
    assert isinstance(told, UsageError)
    assert str(told).endswith(
        f": the disk is full. Free some space or choose another folder."
        f" Then go on with: visionmtl train --resume {tmp_path}"
    )


def test_a_file_that_was_not_written_whole_is_told_once(tmp_path):
    try:
        with files.written_whole(tmp_path / "last.keras"):
            raise OSError(errno.ENOSPC, NO_SPACE, str(tmp_path / ".last.partial.keras"))
    except UsageError as error:
        error.__cause__ = None  # as Keras raises again what was raised in `fit`
        told = str(end(error, tmp_path))
    assert told.endswith(f"Then go on with: visionmtl train --resume {tmp_path}")
    assert told.startswith(f"Cannot write '{tmp_path / 'last.keras'}': the disk is full.")
    assert told.count("disk is full") == 1


@pytest.mark.parametrize(
    ("error", "overrides", "replicas", "changed"),
    [
        (exhausted("OOM when allocating tensor with shape[8,64,64,3]"), [], 1, "batch_size=2 training.accumulate=2"),
        (
            MemoryError("Unable to allocate 3 GiB"),
            ["data.batch_size=8"],
            2,
            "batch_size=4 training.accumulate=2",
        ),
        (RuntimeError("std::bad_alloc"), ["training.accumulate=3"], 1, "batch_size=2 training.accumulate=6"),
        (
            tf.errors.InternalError(None, None, "Failed call to cuMemAlloc: CUDA_ERROR_OUT_OF_MEMORY: out of memory"),
            ["data.batch_size=1"],
            1,
            "precision=mixed_bfloat16",
        ),
        (
            exhausted("out of memory"),
            ["data.batch_size=2", "training.precision=mixed_float16", "data.image_size=[160, 64]"],
            2,
            "image_size=[64,32]",
        ),
    ],
    ids=[
        "TensorFlow",
        "replicas",
        "accumulating already",
        "one image",
        "one image, half precision",
    ],
)
def test_a_want_of_memory_names_the_step_and_a_command_that_would_fit(error, overrides, replicas, changed, tmp_path):
    given = small(*overrides)
    files.write_text(tmp_path / "recipe.yaml", given.dump())
    told = str(end(error, tmp_path, replicas, given))
    height, width = given.data.image_size
    step = f"{given.data.batch_size} images of {height} x {width} pixels"
    assert told.startswith(f"There is not enough memory for a step of {step}. ")
    assert changed in told
    assert told.count("\n") == 0
    program, verb, path, *keys = shlex.split(told.partition(": ")[2])
    assert (program, verb) == ("visionmtl", "train")
    fitting = recipe.load(path, keys)
    assert fitting != given
    assert fitting.data.batch_size % replicas == 0


def test_a_fault_of_ours_stays_what_it_is(tmp_path):
    fault = KeyError("ours")
    assert end(fault, tmp_path) is fault
