"""Two processes that export into one folder at once: each gets versions of its own, all of them whole."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
EACH = 4
# Each writes its versions as fast as it can from when both are ready.
EXPORTER = """
import sys, time
from pathlib import Path
sys.path[:0] = sys.argv[3:]
import toys
from visionmtl import export
folder, own = Path(sys.argv[1]), sys.argv[2]
model = toys.model(toys.tasks(own))
export.save(model, folder.with_name(own))
folder.with_name(f"{own}.ready").touch()
end = time.monotonic() + 300
while len([*folder.parent.glob("*.ready")]) < 2:
    if time.monotonic() > end:
        sys.exit("the other process is not there")
    time.sleep(0.001)
print(*(export.save(model, folder).name for _ in range(EACH)))
""".replace("EACH", str(EACH))


@pytest.mark.slow
def test_each_gets_numbers_of_its_own_and_every_version_is_whole(tmp_path):
    folder, tasks = tmp_path / "toy", ("scene", "weather")
    paths = [str(ROOT), str(ROOT / "tests")]
    exporters = [
        subprocess.Popen(
            [sys.executable, "-c", EXPORTER, folder, task, *paths], cwd=tmp_path, stdout=subprocess.PIPE, text=True
        )
        for task in tasks
    ]
    numbers = {task: exporter.communicate()[0].split() for task, exporter in zip(tasks, exporters, strict=True)}
    assert sorted(int(each) for of in numbers.values() for each in of) == [*range(1, 2 * EACH + 1)]
    assert sorted(path.name for path in folder.iterdir()) == [str(each) for each in range(1, 2 * EACH + 1)]
    for task, of in numbers.items():
        for each in of:
            subprocess.run(["sha256sum", "--check", "--strict", "--quiet", "SHA256SUMS"], cwd=folder / each, check=True)
            assert f'"{task}"' in (folder / each / "labels.json").read_text()
