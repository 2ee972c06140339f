"""Folders, tables and JSON for sources to read, made up on the spot."""

import coco_files
import pytest
from folder_files import SIZE
from PIL import Image

from pipelines.errors import noted


@pytest.fixture
def write(picture, tmp_path):
    """A function that writes files of these names, pictures or, where an array is given, masks, or texts."""

    def write(files):
        for name, content in dict.fromkeys(files, None).items() if not isinstance(files, dict) else files.items():
            path = tmp_path / "data" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, str):
                path.write_text(content)
            elif name.lower().endswith((".jpeg", ".jpg")):
                Image.new("RGB", SIZE[::-1], (90, 90, 90)).save(path, "JPEG")
            else:
                picture(name, content)
        return tmp_path / "data"

    return write


@pytest.fixture
def clutter(tmp_path):
    """A function that leaves what people and systems leave beside data, and returns how many files are told."""

    def clutter():
        root = tmp_path / "data"
        files = ["README.md", "docs/figure.png", "__MACOSX/._a.jpg", ".DS_Store", "Thumbs.db", "unknown.json"]
        files += ["runs/cats-1/recipe.yaml", "runs/cats-1/history.csv", "runs/cats-1/samples/a.png", "runs/._a.png"]
        for name in files:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text("x")
        return {"docs/figure.png", "unknown.json"}

    return clutter


@pytest.fixture
def tabled(tmp_path, picture, ask):
    """A function that reads a table of the pictures `images/a.jpg` to `images/d.jpg`; what it gives, and the notes."""

    def read(text, **options):
        for stem in "abcd":
            picture(f"images/{stem}.jpg")
        (tmp_path / "data" / "labels.csv").write_text(text)
        with noted() as notes:
            source, _ = ask("csv", **options)
        return source, notes

    return read


@pytest.fixture
def wild(tmp_path):
    """A function that writes COCO of some pictures, its first annotation changed, and reads it."""

    def load(change=None, names=("a.jpg", "b.jpg"), files=None, on_error="stop", **options):
        root = tmp_path / "data"
        content = coco_files.cat(files or names)
        for name in names:
            coco_files.picture(root / "images" / name)
        if callable(change):
            content = change(content) or content
        else:
            content["annotations"][0].update(change or {})
        coco_files.write(root / "annotations.json", content)
        return coco_files.read(root, splits=["train"], on_error=on_error, **options)

    return load
