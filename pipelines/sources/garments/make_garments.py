"""Make garments.npz from the original Fashion-MNIST files: a subset, cut out of the background, in 15 shades.

    python pipelines/sources/garments/make_garments.py /usr/share/datasets/fashion-mnist

(Debian's package dataset-fashion-mnist puts them there.) Training and validation garments are different ones of the
original training set, test garments come from the original test set.
"""

import gzip
import sys
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

CLASSES = ("t-shirt", "trousers", "pullover", "dress", "coat", "sandal", "shirt", "sneaker", "bag", "boot")
COUNTS = {"train": 130, "validation": 25, "test": 25}  # garments of each class
SHADES = 15  # 0 is left for what is not garment
DARKEST = 24  # original grey level below which a pixel at the rim is background


def read(path: Path, header: int) -> np.ndarray:
    """Read an IDX file of bytes."""
    return np.frombuffer(gzip.decompress(path.read_bytes()), np.uint8, offset=header)


def cut_out(garment: np.ndarray) -> np.ndarray:
    """Set the background of a garment `[28, 28]` to 0 and quantise the rest, dark parts inside too, to 1..SHADES."""
    bright = Image.fromarray(np.pad(np.where(garment >= DARKEST, 255, 0).astype(np.uint8), 2))
    closed = bright.filter(ImageFilter.MaxFilter(3)).filter(ImageFilter.MinFilter(3))  # a dark seam is no gap
    ImageDraw.floodfill(closed, (0, 0), 128)
    inside = np.asarray(closed)[2:-2, 2:-2] != 128
    return np.where(inside, 1 + np.round(garment / 255 * (SHADES - 1)), 0).astype(np.uint8)


def main(folder: Path) -> None:
    """Write garments.npz beside this file: for each split `images` (two pixels a byte) and `labels`."""
    arrays: dict[str, Any] = {"classes": np.array(CLASSES)}
    first = {"train": 0, "validation": COUNTS["train"], "test": 0}
    for split, count in COUNTS.items():
        stem = "t10k" if split == "test" else "train"
        images = read(folder / f"{stem}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
        labels = read(folder / f"{stem}-labels-idx1-ubyte.gz", 8)
        order = [np.flatnonzero(labels == c)[first[split] : first[split] + count] for c in range(len(CLASSES))]
        rows = np.concatenate(order)
        shades = np.stack([cut_out(image) for image in images[rows]])
        arrays[f"{split}_images"] = shades[..., ::2] * 16 + shades[..., 1::2]
        arrays[f"{split}_labels"] = labels[rows]
    np.savez_compressed(Path(__file__).with_name("garments.npz"), **arrays)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
