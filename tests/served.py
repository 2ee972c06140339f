"""The toy's server as a process of its own: `python served.py FOLDER [OPTION=NUMBER ...]` on a free port."""

import contextlib
import subprocess
import sys
from pathlib import Path

import httpx

HERE = Path(__file__).parent
BEFORE = "Serving "


@contextlib.contextmanager
def process(folder, *options, program=None):
    """A process that serves, as `process.address` says; it is killed in the end where it still runs."""
    program = program or [sys.executable, str(Path(__file__)), str(folder)]
    running = subprocess.Popen([*program, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        line = running.stdout.readline()
        assert line.startswith(BEFORE), line + running.stderr.read()
        running.address = line.rpartition(" ")[2].strip().rstrip("/")
        yield running
    finally:
        if running.poll() is None:
            running.kill()
        running.communicate()


def client(running, connections=32):
    """A client of it that waits long, for cores may be busy."""
    limits = httpx.Limits(max_connections=connections, max_keepalive_connections=connections)
    return httpx.Client(base_url=running.address, timeout=120, limits=limits)


def main():
    """Serve until a signal comes, with the exit status of the command."""
    sys.path[:0] = [str(HERE), str(HERE.parent)]
    import servers

    from visionmtl import cli, stopping
    from visionmtl.serving import Limits, server

    servers.register()
    given = dict(option.split("=") for option in sys.argv[2:])
    servers.Toy.seconds = float(given.pop("takes", 0))
    limits = Limits(**{name: float(value) if name == "seconds" else int(value) for name, value in given.items()})
    with stopping.signals(stopping.Stop()):
        try:
            server.serve(sys.argv[1], port=0, limits=limits, every=0.1)
        except KeyboardInterrupt as stopped:
            return cli._stopped(stopped)


if __name__ == "__main__":
    sys.exit(main())
