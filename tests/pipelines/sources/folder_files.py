"""Pictures, masks and colours of folders, and how tests read them."""

import numpy as np

import pipelines

SIZE = (40, 60)
GROUND = np.zeros(SIZE, np.uint8)
GROUND[5:25, 10:30] = 1
PHOTO = np.arange(40 * 60 * 3, dtype=np.uint32).reshape(40, 60, 3).astype(np.uint8)
ROAD, CAR = (128, 64, 128), (64, 0, 128)
COLOURS = np.where(GROUND[..., None] == 1, np.array(CAR, np.uint8), np.array(ROAD, np.uint8))


def load(folder, **options):
    """Load a folder that is recognised, in order."""
    options = {"splits": ["train", "validation"], "shuffle": False, **options}
    return pipelines.load(str(folder), SIZE, 1, **options)


def mask(data, split="train", index=0):
    """Return the mask of one image."""
    return list(data.splits[split].as_numpy_iterator())[index][1]["segmentation"][0]
