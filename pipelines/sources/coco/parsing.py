"""A JSON file of COCO parsed, or the sentence that says what it is instead and where it breaks."""

from pathlib import Path
from typing import Any

from pipelines.collecting import uncollected
from pipelines.errors import DataError
from pipelines.sources.coco.peeking import Kind
from pipelines.sources.files.json_files import read_json

KEYS = ("images", "annotations", "categories")


def parse(path: Path) -> dict[str, list[dict[str, Any]]]:
    """Parse a COCO instance file.

    Returns:
        Its `images`, `annotations` and `categories`, each a list of objects.

    Raises:
        DataError: it is no JSON, or no COCO.
    """
    with uncollected():
        content = read_json(path, ", ".join(KEYS))
    for key in KEYS:
        rows = content.get(key) if isinstance(content, dict) else None
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
            said = _instead(content, key)
            raise DataError(f"'{path}' is no COCO instance file: it needs a list of objects '{key}'{said}.")
    return {key: content[key] for key in KEYS}


def _instead(content: object, key: str) -> str:
    """Say what a JSON is that lacks a key of COCO's."""
    if isinstance(content, list):
        row = content[0] if content and isinstance(content[0], dict) else {}
        return f"; it holds {Kind.RESULTS.value}" if "image_id" in row else "; it is a list"
    if not isinstance(content, dict):
        return f"; it is a {type(content).__name__}"
    if key in content:
        return "; what it has of that name is none"
    annotations = content.get("annotations")
    if (
        isinstance(annotations, list)
        and annotations
        and isinstance(annotations[0], dict)
        and "caption" in annotations[0]
    ):
        return f"; it holds {Kind.CAPTIONS.value}"
    if key == "annotations" and isinstance(content.get("images"), list):
        return f"; it holds {Kind.IMAGES.value}"
    return f"; it has {', '.join(map(repr, list(content)[:6]))}" if content else "; it has nothing"
