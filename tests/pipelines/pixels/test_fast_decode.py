"""Large JPEG files decoded smaller: the same places, from memory as from files, and never too small."""

import numpy as np
import pytest
import tensorflow as tf
from cases import few
from PIL import Image

import pipelines
from pipelines.pixels import pictures

SIZE = (40, 60)


@pytest.mark.parametrize(
    ("shape", "zoom", "expected"),
    [
        ((40, 60), 1, 1),
        ((79, 600), 1, 1),
        ((80, 120), 1, 2),
        ((80, 120), 1.5, 1),
        ((160, 240), 1, 4),
        ((1000, 1000), 1, 8),
        ((160, 240), 1.4, 2),
        ((20, 20), 1, 1),
    ],
)
def test_a_picture_stays_as_large_as_is_needed(shape, zoom, expected):
    assert pictures.ratio(shape, SIZE, zoom) == expected


@pytest.fixture
def photographs(coco, tmp_path):
    """Pictures of several kinds and sizes, large ones among them, with a red square each and its box and mask."""
    sizes = {"a.jpg": (331, 487), "b.jpg": (40, 60), "c.png": (331, 487), "d.jpg": (90, 125)}
    rows = {}
    for name, (height, width) in sizes.items():
        rows[name] = [(3, width * 0.25, height * 0.25, width * 0.5, height * 0.25)]
    folder = coco(
        rows,
        masks=True,
        images=[
            {"id": k, "file_name": name, "height": h, "width": w} for k, (name, (h, w)) in enumerate(sizes.items(), 1)
        ],
    )
    for name, (height, width) in sizes.items():
        y, x = np.mgrid[0:height, 0:width]
        inside = (x >= width * 0.25) & (x < width * 0.75) & (y >= height * 0.25) & (y < height * 0.5)
        picture = np.where(inside[..., None], (230, 30, 30), (90, 90, 90)).astype(np.uint8)
        Image.fromarray(picture).save(folder / "images" / name, quality=95)
        Image.fromarray(inside.astype(np.uint8)).save(folder / "masks" / f"{name.split('.')[0]}.png")
    return folder


def load(folder, **options):
    options = {"batch_size": 1, "splits": ["train"], "path": folder, "shuffle": False, **options}
    return pipelines.load("coco", SIZE, **options)


def arrays(dataset):
    return [np.asarray(x) for batch in dataset for x in tf.nest.flatten(batch)]


def extent(pixels):
    y, x = np.nonzero(pixels)
    return (x.min(), y.min(), x.max() + 1, y.max() + 1)


AUGMENTATIONS = [None, {"scale": [0.8, 1.5], "flip": True}, {"rotate": 20}]


@pytest.mark.parametrize("augmentation", AUGMENTATIONS)
@pytest.mark.parametrize("resize", ["stretch", "letterbox"])
def test_pixels_boxes_and_masks_stay_together(photographs, augmentation, resize):
    for images, labels, _ in load(photographs, augmentation=augmentation, resize=resize, fast_decode=True).train:
        image = images[0].numpy().astype(int)
        painted = image[..., 0] - image[..., 1] > 70
        box = labels["detection"]["boxes"][0, 0].numpy()
        np.testing.assert_allclose(extent(painted), box, atol=2.01 if augmentation else 1.01)
        assert (painted != (labels["segmentation"][0].numpy() == 1)).mean() < 0.04


@pytest.mark.slow
@pytest.mark.parametrize("augmentation", few(AUGMENTATIONS, keep=[{"rotate": 20}]))
def test_batches_are_the_same_from_memory_and_from_files_and_smaller_files_are_read(photographs, augmentation):
    options = {"augmentation": augmentation, "fast_decode": True}
    kept, read = (load(photographs, cache=cache, **options) for cache in (True, False))
    for one, other in zip(arrays(kept.train), arrays(read.train), strict=True):
        np.testing.assert_array_equal(one, other)
    kept.seek(0)
    pairs = zip(arrays(kept.train), arrays(load(photographs, augmentation=augmentation).train), strict=True)
    differences = [np.abs(one.astype(float) - other).mean() for one, other in pairs if one.ndim == 4]
    assert max(differences) > 0  # something was read another way
    assert max(differences) < 3  # and is the same picture


def test_a_mixture_reads_each_picture_as_its_source_does(photographs):
    entry = {"source": "coco", "path": photographs, "options": {"divide": False}}
    sources = {"all": entry, "boxes": entry | {"tasks": ["detection"]}}
    mixed = pipelines.load(sources, SIZE, 1, splits=["train"], fast_decode=True)
    alone = {one.tobytes() for one in arrays(load(photographs, fast_decode=True).train) if one.ndim == 4}
    assert {images.numpy().tobytes() for images, _, _ in mixed.train} == alone
