"""What `visionmtl serve` answers in a second, beside its runtime alone, from JPEG bytes to predictions.

The runtime runs in this process, batch after batch; the server in one of its own, asked by clients here, which share
the cores with it. Both take turns, so that the machine's drift hits them alike.

PYTHONPATH=. python benchmarks/serve.py saved_models/camvid --runtime onnx --picture 360 480
"""

import argparse
import http.client
import io
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import interleaved
import numpy as np
from PIL import Image

from visionmtl.report import tables
from visionmtl.serving import Limits
from visionmtl.serving.version import Version
from visionmtl.serving.versions import numbers

STOP = 60  # seconds that the server may take to stop


def photographs(size: tuple[int, int], count: int) -> list[bytes]:
    """Return smooth pictures of a height and width as JPEG files."""
    random = np.random.default_rng(0)
    small = Image.fromarray(random.integers(0, 256, (30, 40, 3), dtype=np.uint8))
    pixels, made = np.asarray(small.resize(size[::-1])), []
    for number in range(count):
        file = io.BytesIO()
        Image.fromarray(np.roll(pixels, 7 * number, axis=1)).save(file, "JPEG", quality=90)
        made.append(file.getvalue())
    return made


def alone(version: Version, contents: list[bytes], batch: int) -> Callable[[], None]:
    """Return what answers all pictures by the runtime alone, in batches."""

    def run() -> None:
        for at in range(0, len(contents), batch):
            some = contents[at : at + batch]
            encoded = np.empty(len(some), np.object_)
            encoded[:] = some
            prepared = version.runtime.prepare({"encoded": encoded}, Limits())
            version.runtime.run("serving_bytes", prepared.inputs)

    return run


class Clients:
    """Clients of a server, each with a connection that it keeps during a run.

    Args:
        address: host and port.
        count: how many.
        contents: the pictures, which they share.

    Attributes:
        seconds: of each answer of the last run.
    """

    def __init__(self, address: tuple[str, int], count: int, contents: list[bytes]):
        self.connections = [http.client.HTTPConnection(*address, timeout=120) for _ in range(count)]
        self.pool, self.contents, self.seconds = ThreadPoolExecutor(count), contents, list[float]()

    def run(self) -> None:
        """Ask for all pictures once."""
        parts = [self.contents[number :: len(self.connections)] for number in range(len(self.connections))]
        self.seconds = [each for taken in self.pool.map(self._ask, self.connections, parts) for each in taken]

    def _ask(self, connection: http.client.HTTPConnection, contents: list[bytes]) -> list[float]:
        taken = []
        for content in contents:
            began = time.perf_counter()
            connection.request("POST", "/predict", content, {"Content-Type": "image/jpeg"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise SystemExit(f"The server answered with status {answer.status}.")
            taken.append(time.perf_counter() - began)
        connection.close()  # the server would, before its turn comes again
        return taken


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="an exported model, saved_models/NAME")
    parser.add_argument("--runtime", help="savedmodel, onnx, litert or openvino; default the first there is")
    parser.add_argument("--precision", help="of its file, as int8")
    parser.add_argument("--picture", type=int, nargs=2, default=(360, 480), metavar=("H", "W"))
    parser.add_argument("--pictures", type=int, default=128, help="in each round")
    parser.add_argument("--clients", type=int, default=16, help="half wait while the others run; default 16")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    contents = photographs(options.picture, options.pictures)
    version = Version(options.folder / str(numbers(options.folder)[0]), options.runtime, options.precision, Limits())
    chosen = [f"--{name}={value}" for name in ("runtime", "precision") if (value := getattr(options, name))]
    command = [sys.executable, "-m", "visionmtl", "serve", str(options.folder), "--port=0", f"--batch={options.batch}"]
    server = subprocess.Popen([*command, *chosen], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        said = server.stdout.readline()
        host, _, port = said.rpartition("/")[0].rpartition("//")[2].rpartition(":")
        clients, latencies = Clients((host, int(port)), options.clients, contents), list[float]()

        def served() -> None:
            clients.run()
            latencies.extend(clients.seconds)

        sides = {f"{version.name} alone, batch {size}": alone(version, contents, size) for size in (1, options.batch)}
        sides[f"serve, {options.clients} clients"] = served
        taken = interleaved.seconds(sides, options.repeats, warm=1)
    finally:
        server.terminate()
        server.wait(STOP)
    *raw, own = taken
    rows = []
    for name, seconds in taken.items():
        each = f"{options.pictures / statistics.median(seconds):.1f}"
        rows.append([name, each, *(f"{interleaved.ratio(taken[one], seconds):.2f}" for one in raw)])
    tall, wide = options.picture
    title = f"{options.folder.name} by {version.file.name}, pictures of {tall} x {wide}"
    print(tables.table([title, "pictures a second", *(f"of batch {size}" for size in (1, options.batch))], rows))
    latencies = latencies[options.pictures :]  # the first round is to warm up
    at = np.percentile(latencies, (50, 90, 99))
    print(f"{own}: ms at 50, 90 and 99%:", *(f"{1000 * each:.1f}" for each in at))


if __name__ == "__main__":
    main()
