"""Training pictures drawn as they are learnt from."""

import numpy as np
import pytest
from PIL import Image
from small_recipe import small

from visionmtl import tasks
from visionmtl.training import building
from visionmtl.training.previewing import preview


@pytest.mark.slow
def test_training_pictures_are_drawn_with_their_labels_and_the_first_epoch_is_still_to_come(tmp_path):
    datasets = building.data(small("data.augmentation.mosaic=1.0"), ["train"])
    made = preview(datasets, [tasks.from_spec(spec) for spec in datasets.specs], tmp_path / "seen.png")
    drawn = np.asarray(Image.open(made))
    assert drawn.shape[1] > 4 * 64
    assert drawn.shape[0] > 2 * 64
    assert len(np.unique(drawn.reshape(-1, 3), axis=0)) > 50
    first = next(iter(datasets.train))[0]
    datasets.seek(0)
    again = next(iter(datasets.train))[0]
    np.testing.assert_array_equal(first, again)
