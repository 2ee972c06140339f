"""Annotation files of Pascal VOC as tools write them, and folders of them with their pictures."""

from pathlib import Path

import numpy as np
from PIL import Image

SIZE = (40, 60)  # height and width of the pictures
CLUTTER = ("README.md", "docs/guide.pdf", "__MACOSX/._a.jpg", ".DS_Store", "Thumbs.db", "._a.xml")


def thing(name, box, more=""):
    """Return an <object>."""
    edges = "".join(f"<{e}>{v}</{e}>" for e, v in zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True))
    return f"<object><name>{name}</name>{more}<bndbox>{edges}</bndbox></object>"


def page(*objects, filename="a.jpg", size=SIZE, head=""):
    """Return a file of annotations."""
    sides = "" if size is None else f"<size><width>{size[1]}</width><height>{size[0]}</height><depth>3</depth></size>"
    return f"{head}<annotation><folder>f</folder><filename>{filename}</filename>{sides}{''.join(objects)}</annotation>"


def put(root: Path, **files) -> Path:
    """Write files by their names, "/" between folders: text, bytes, a mask `[h, w]`, or None for a grey picture."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            Image.fromarray(np.full((*SIZE, 3), 90, np.uint8)).save(
                path, path.suffix.lower()[1:].replace("jpg", "jpeg")
            )
        elif isinstance(content, np.ndarray):
            Image.fromarray(content.astype(np.uint8)).save(path)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return root


def clutter(root: Path) -> Path:
    """Write beside the data what strangers have there: documents, what systems leave, a run of ours."""
    files = dict.fromkeys(CLUTTER, b"x")
    put(
        root,
        **files,
        **{"runs/demo-1/recipe.yaml": b"", "runs/demo-1/history.csv": b"", "runs/demo-1/plots/a.png": None},
    )
    return root
