"""A dispatcher of TensorFlow's tf.data service with a data worker, or a further data worker of one."""

import contextlib
import tempfile
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

from pipelines.errors import DataError
from pipelines.service import address

SILENT = 60_000  # milliseconds after which a data worker that says nothing is gone


@contextlib.contextmanager
def serving(port: int = 0, host: str | None = None, join: str | None = None) -> Iterator[tuple[str, str]]:
    """Have this process make batches while the context lasts, on all its cores; it must see the files of the data.

    Args:
        port: that it listens at, 0 for a free one. A dispatcher's own data worker has the next one.
        host: of this machine, as trainings and the dispatcher reach it; default its address in their network.
        join: the address of a dispatcher whose data worker it is; None to be one, with a data worker.

    Yields:
        The address for `data.service`, and that of the data worker.

    Raises:
        DataError: nobody answers at `join`, or the port is taken.
    """
    with contextlib.ExitStack() as held:
        if join is None:
            host = host or address.own_host()
            # What trainings register, some 100 bytes a sample an epoch, lies there and not in memory.
            folder = held.enter_context(tempfile.TemporaryDirectory(prefix="visionmtl-service-"))
            settings = tf.data.experimental.service.DispatcherConfig(
                port=port, work_dir=folder, fault_tolerant_mode=True, worker_timeout_ms=SILENT
            )
            dispatcher = _started(lambda: tf.data.experimental.service.DispatchServer(settings), port)
            held.callback(dispatcher._stop)
            own = int(dispatcher.target.rpartition(":")[2])
            service, at, port = f"grpc://{host}:{own}", f"localhost:{own}", own + 1 if port else 0
        else:
            address.reach(join, what="--join")
            service, at = join, join.removeprefix("grpc://")
            host = host or address.own_host(address.parsed(join)[0])
        given = tf.data.experimental.service.WorkerConfig(
            dispatcher_address=at, worker_address=f"{host}:%port%", port=port, heartbeat_interval_ms=1000
        )
        worker = _started(lambda: tf.data.experimental.service.WorkerServer(given), port)
        held.callback(worker._stop)
        yield service, f"{host}:{worker._address.rpartition(':')[2]}"


def _started(make: Any, port: int) -> Any:
    try:
        return make()
    except tf.errors.OpError as error:
        raise DataError(f"Port {port} cannot be listened at ({str(error).splitlines()[0]}): take another.") from None
