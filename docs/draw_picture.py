"""Draw the picture at the head of README.md: scenes of the test split, the truth, and what a run's model says.

    make demo && python docs/draw_picture.py runs/demo

The scenes are spread over the split by `samples.pick`, always the same; none was chosen by hand.
"""

import argparse
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
from PIL import Image

from visionmtl.drawing import samples
from visionmtl.training import building, runs

FOLDER = Path(__file__).parent
SCENES = 2


def main() -> None:
    """Write `docs/images/garments.jpg`."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("run", metavar="RUN", help="the folder of a finished training of garments")
    model, recipe = runs.load_model(Path(parser.parse_args().run))
    batch = samples.pick(building.data(recipe, ["test"], model).splits["test"], SCENES)
    picture = Image.fromarray(np.concatenate(list(samples.strips(model, *batch))))
    path = FOLDER / "images" / "garments.jpg"
    picture.save(path, quality=88)
    print(path, *picture.size, path.stat().st_size)


if __name__ == "__main__":
    main()
