"""What every test may use: two CPU devices to stand for two GPUs, and the real images where they are."""

import gc
import os
import signal
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import pytest
import tensorflow as tf
from tensorflow.python.framework import ops

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"
STARTED = time.monotonic()
LATE = "not begun within the minutes given"

# Must come before TensorFlow touches a device, therefore here and not in a fixture.
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)


# Of no terminal's width, unless a test says so: workers have one that readline wrote into the environment.
for name in ("COLUMNS", "LINES"):
    os.environ.pop(name, None)

# In the background these may be ignored, and what is ignored stays so, in the processes of tests too.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Bound the time of a run: machines differ by a factor of three, and what fits on one does not on another."""
    parser.addoption("--minutes", type=float, help="begin no test after so many minutes, and say how many were left")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip what would begin too late."""
    minutes = item.config.getoption("minutes")
    if minutes is not None and time.monotonic() - STARTED > 60 * minutes:
        pytest.skip(LATE)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Say how many tests were left out for want of time, by file."""
    late = [report.nodeid for report in terminalreporter.stats.get("skipped", ()) if LATE in str(report.longrepr)]
    if late:
        files = sorted({name.partition("::")[0] for name in late})
        within = f"{config.getoption('minutes'):g} minutes"
        terminalreporter.write_line(f"{len(late)} tests were not begun within {within}, of: {', '.join(files)}")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip what reads ../shared/data where that folder is absent."""
    if not SHARED_DATA.is_dir():
        for item in items:
            if item.get_closest_marker("shared_data"):
                item.add_marker(pytest.mark.skip(reason="../shared/data is absent"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data sets; a test that asks for it carries the marker `shared_data`."""
    return SHARED_DATA


@pytest.fixture(scope="session", autouse=True)
def _started():
    """Take what is imported out of every collection of garbage, and collect more rarely: to trace makes much of it.

    A tenth of the time of the tests that trace models went into collections that found little.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)


@pytest.fixture(scope="module", autouse=True)
def _forget():
    """Drop the graphs of a file's tests, and take out what is left too: at the end a collection took seven seconds."""
    yield
    forget()
    gc.freeze()


@pytest.fixture
def forgotten():
    """Drop the graphs of a test, where those of a file would be too much together.

    For files whose tests share no model.
    """
    yield
    forget()


def forget() -> None:
    """Let go of every graph: TensorFlow keeps each custom gradient by name for ever, and with it all it was traced in.

    A worker had 7 GB of them in the end.
    """
    functions = ops.gradient_registry._registry
    for name in [name for name in functions if name.startswith(("CustomGradient-", "PartitionedCall-"))]:
        del functions[name]
    keras.backend.clear_session()  # which collects


@pytest.fixture
def two_devices() -> list[str]:
    """Two logical CPU devices, as `tf.distribute.MirroredStrategy` takes them.

    What a step that broke off has left of its sums is found by their keys: those of each test are its own.
    """
    tf.distribute.MirroredStrategy._collective_key_base += 100_000
    return ["CPU:0", "CPU:1"]
