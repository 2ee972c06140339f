"""How long a training on very many real photographs waits for its first batch, and what it costs to check them all.

PYTHONPATH=. python benchmarks/pipeline.py --first-batch 100000
"""

import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

CLASSES = 100
KINDS = {"class folders": "folder", "COCO with polygons": "coco"}  # source, and folder here, of each
CHECKED = 2000  # files that are checked in full, of which the cost for each follows
CHILD = """
import sys, time
start = time.perf_counter(), time.process_time()
import pipelines
source, path, check, decode = sys.argv[1:]
data = pipelines.load(source, (256, 256), 32, path=path, splits=["train"], cache=False, check=check)
if decode == "one":
    next(iter(data.train))
print(time.perf_counter() - start[0], time.process_time() - start[1])
"""


def first_batch(count: int, photographs: Path, repeats: int) -> None:
    """Print the seconds from the start of Python to the first batch, of class folders and of COCO JSON.

    Args:
        count: files; each is a link to one of the photographs.
        photographs: a folder with `annotations.json` and `images/`, as COCO has them.
        repeats: processes of each kind; the median is printed.
    """
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        made = _write(root, count, photographs)
        print(f"\n{count:,} files, links to {made} photographs; to 256 x 256 in batches of 32; from Python's start")
        print(f"{'':50}  seconds  CPU seconds", flush=True)
        for name, source in KINDS.items():
            taken = [_run(source, root / source, "auto", "one") for _ in range(repeats)]
            wall, worked = (statistics.median(times) for times in zip(*taken, strict=True))
            print(f"{f'first batch, {name}':50} {wall:8.1f} {worked:12.1f}", flush=True)
        few = root / "few"
        _write(few, CHECKED, photographs)
        for name, source in KINDS.items():
            whole, none = (_run(source, few / source, check, "none") for check in ("full", "headers"))
            wall, worked = (1000 * (a - b) / CHECKED for a, b in zip(whole, none, strict=True))
            print(f"{f'every file decoded and checked, {name}':50} {wall:8.2f} {worked:12.2f}  ms a file", flush=True)
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1e6
    print(f"{'most memory of these processes':50} {peak:8.1f} GB")


def _run(*arguments: object) -> tuple[float, float]:
    command = [sys.executable, "-c", CHILD, *map(str, arguments)]
    environment = os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"}
    said = subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
    wall, worked = map(float, said.split())
    return wall, worked


def _write(root: Path, count: int, photographs: Path) -> int:
    """Write class folders and COCO's layout with links to the photographs; return how many of these there are."""
    known = json.loads((photographs / "annotations.json").read_text())
    kept, images = root / "kept", root / "coco" / "images"
    for place in (kept, images, *(root / "folder" / "train" / f"class {k}" for k in range(CLASSES))):
        place.mkdir(parents=True)
    for image in known["images"]:
        shutil.copy(photographs / "images" / image["file_name"], kept)
    objects: dict[int, list[dict]] = {image["id"]: [] for image in known["images"]}
    for annotation in known["annotations"]:
        objects[annotation["image_id"]].append(annotation)
    index: dict[str, list] = {"images": [], "annotations": [], "categories": known["categories"]}
    for number in range(count):
        image, name = known["images"][number % len(known["images"])], f"{number:012}.jpg"
        os.link(kept / image["file_name"], images / name)
        os.link(kept / image["file_name"], root / "folder" / "train" / f"class {number % CLASSES}" / name)
        index["images"].append({**image, "id": number, "file_name": name})
        for annotation in objects[image["id"]]:
            index["annotations"].append({**annotation, "id": len(index["annotations"]), "image_id": number})
    (root / "coco" / "annotations.json").write_text(json.dumps(index))
    return len(known["images"])
