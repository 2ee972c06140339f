"""The server itself: a port, signals that ask it to stop, and all parts started and ended in their order."""

import contextlib
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import uvicorn

from visionmtl import stopping
from visionmtl.errors import UsageError
from visionmtl.serving.answering import Desk
from visionmtl.serving.batching import Line
from visionmtl.serving.limits import Limits
from visionmtl.serving.metrics import Metrics
from visionmtl.serving.versions import Versions
from visionmtl.serving.web import application
from visionmtl.serving.web.state import State

LOOPBACK = ("127.0.0.1", "::1", "localhost")
KEPT = 75  # seconds that an idle connection is kept: proxies keep theirs for 60, and must not find it closed
BACKLOG = 2048  # connections that the system keeps until they are taken up


class Server(uvicorn.Server):
    """A server that a first signal stops once all that is in flight is answered, and a second one at once.

    Attributes:
        number: of the signal that asked; None for none.
        left: requests that were in flight and not answered.
    """

    def __init__(self, config: uvicorn.Config, state: State):
        super().__init__(config)
        self.state = state
        self.number: int | None = None
        self.left = 0
        self._since = 0.0

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Have the signals that ask to stop told to this server."""
        before = {}
        for number in stopping.ASKING if threading.current_thread() is threading.main_thread() else ():
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                before[number] = signal.signal(number, self.handle_exit)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Wait for what is in flight, as long as a request may take."""
        await super().shutdown(sockets)
        self.left = len(self.server_state.tasks)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Note a signal."""
        now = time.monotonic()
        if self.number is None:
            self.number, self._since = sig, now
            self.state.stopping = self.should_exit = True
        elif now - self._since >= stopping.SAME:  # sooner, it is the same one, sent twice
            self.force_exit = True


def serve(
    folder: str | Path,
    *,
    host: str = "127.0.0.1",
    port: int = 8501,
    runtime: str | None = None,
    precision: str | None = None,
    limits: Limits | None = None,
    every: float = 2.0,
) -> None:
    """Serve a model until a signal asks to stop.

    Args:
        folder: of all versions of a model, as `export.save` writes it.
        host: the address to listen at; the default is reached from this machine alone.
        port: the port; 0 for a free one, which is printed.
        runtime: the name of the one that runs the model; None for the first that a version has a file of.
        precision: of the file that it loads, where there are several, as "int8"; None for the first.
        limits: what is taken at most; None for the defaults.
        every: seconds after which the folder is looked at for a new version.

    Raises:
        UsageError: there is no such model, or it cannot be listened there.
        stopping.Stopped: a signal asked to stop, and what was in flight is answered.
    """
    limits, metrics = limits or Limits(), Metrics()
    with listening(host, port) as listener:
        versions = Versions(Path(folder), runtime, precision, limits, metrics, tell)
        line = Line(limits, metrics)
        state = State(versions, Desk(line, limits, metrics), limits, metrics)
        config = uvicorn.Config(
            application(state),
            lifespan="off",
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            timeout_keep_alive=KEPT,
            timeout_graceful_shutdown=max(1, round(limits.seconds)),
        )
        server = Server(config, state)
        tell(_greeting(versions, listener))
        if host not in LOOPBACK:
            tell("Whoever reaches this address may send pictures: there is no login, and nothing is encrypted.")
        versions.watch(every)
        try:
            server.run([listener])
        finally:
            versions.close()
            line.close(wait=not server.left)
    if server.number is not None:
        left = f"{server.left} requests were given up." if server.left else "All requests in flight were answered."
        raise stopping.Stopped(server.number, left)


@contextlib.contextmanager
def listening(host: str, port: int) -> Iterator[socket.socket]:
    """Give a socket that is bound to an address.

    Raises:
        UsageError: the port is taken or not allowed, or the address is none of this machine's.
    """
    if not 0 <= port < 1 << 16:
        raise UsageError(f"The port is {port}: expected a number of 0 to 65535.")
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise UsageError(f"The address '{host}' cannot be listened at: {error.strerror or error}.") from None
    with contextlib.closing(listener):
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(BACKLOG)
        except PermissionError:
            raise UsageError(f"Port {port} is not allowed to this user: choose one of 1024 or more.") from None
        except OSError as error:
            taken = f"Port {port} of {host} is taken: choose another one, or stop what listens there."
            reason = f"The address '{host}' cannot be listened at: {error.strerror}."
            raise UsageError(taken if error.errno == 98 else reason) from None
        yield listener


def _greeting(versions: Versions, listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    shown = f"[{host}]" if ":" in host else host
    version = versions.current
    return f"Serving '{versions.name}', version {version.number}, by {version.by}: http://{shown}:{port}/"


def tell(line: str) -> None:
    """Print a line at once; the terminal may be gone."""
    with contextlib.suppress(OSError):
        print(line, flush=True)
