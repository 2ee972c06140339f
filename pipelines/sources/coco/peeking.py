"""What a JSON file holds, told by its first kilobytes: COCO's labels, something else of COCO, or something else."""

import functools
import os
import re
from enum import Enum
from pathlib import Path

from pipelines.sources.files import layout

BEGINNING, MORE = 1 << 16, 1 << 22  # bytes that are read; more where a long list of categories comes first
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[{}\[\]]')
ROW = 1 << 12  # characters in which the fields of a first row are looked for


class Kind(Enum):
    """What a JSON file holds; the value says it in words."""

    LABELS = "labels of images"
    IMAGES = "images without labels, as COCO's image_info_test*.json does"
    CAPTIONS = "captions, which are not read"
    PANOPTIC = "panoptic segments, which are not read"
    RESULTS = "what a model found (COCO's format of results), no labels"
    OTHER = "something else"
    UNREADABLE = "no JSON"


def peek(path: Path) -> Kind:
    """Tell what a JSON file holds without reading more than its beginning.

    Example:
        >>> peek(Path("data/camvid/train/annotations.json"))
        <Kind.LABELS: 'labels of images'>
    """
    try:
        status = os.stat(path)
        return _peek(path, status.st_size, status.st_mtime_ns)
    except OSError:
        return Kind.UNREADABLE


@functools.lru_cache(maxsize=4096)  # a folder is looked at for every layout that there is
def _peek(path: Path, size: int, changed: int) -> Kind:
    text = layout.beginning(path, BEGINNING).lstrip()
    if text.startswith("["):
        row = text[:ROW]
        found = '"image_id"' in row and any(f'"{key}"' in row for key in ("bbox", "segmentation", "keypoints"))
        return Kind.RESULTS if found else Kind.OTHER
    if not text.startswith("{"):
        return Kind.UNREADABLE
    keys = _keys(text)
    if size > BEGINNING and keys.keys() <= {"info", "licenses", "categories", "type"}:
        text = layout.beginning(path, MORE).lstrip()
        keys = _keys(text)
    if "annotations" in keys:
        return _of_row(text[keys["annotations"] :][:ROW]) if "images" in keys or size > BEGINNING else Kind.OTHER
    if "images" not in keys:
        return Kind.OTHER
    if size > BEGINNING:
        end = _end(path, size)
        return _of_row(end) if '"image_id"' in end or '"annotations"' in end else Kind.IMAGES
    return Kind.IMAGES


def _of_row(text: str) -> Kind:
    """Tell what annotations are by the fields of some."""
    if '"segments_info"' in text:
        return Kind.PANOPTIC
    return Kind.CAPTIONS if '"caption"' in text and '"bbox"' not in text else Kind.LABELS


def _end(path: Path, size: int) -> str:
    with open(path, "rb") as file:
        file.seek(max(0, size - BEGINNING))
        return file.read().replace(b"\0", b"").decode("latin-1")


def _keys(text: str) -> dict[str, int]:
    """Return the keys of the outermost object whose values are lists or objects, each with where its value starts."""
    keys: dict[str, int] = {}
    depth, last, end = 0, "", 0
    for token in TOKEN.finditer(text):
        mark = token.group()
        if mark in "}]":
            depth -= 1
        elif mark in "{[":
            if depth == 1 and text[end : token.start()].strip() == ":":
                keys.setdefault(last, token.start())
            depth += 1
        elif depth == 1:
            last, end = mark[1:-1], token.end()
    return keys
