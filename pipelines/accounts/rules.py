"""What is set aside by names alone: what systems, editors, tools and trainings leave beside data."""

import re
from collections.abc import Set

HIDDEN = "hidden"
SYSTEM = "left by a system"
ULTRALYTICS = "a run of Ultralytics"
PREDICTED = "what `visionmtl predict` wrote"
FILES = {"thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"}
FOLDERS = {"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found", "__pycache__"}
# What lies beside data and is no part of it. A picture, or a file that could hold labels, is never among these.
BESIDE = (
    ("a document", re.compile(r"(^|.*/)(readme|licen[sc]e|copying|changelog|citation)[^/.]*(\.cff)?", re.IGNORECASE)),
    ("a document", re.compile(r"(^|.*/)(readme[^/]*|licen[sc]e|copying|changelog)\.txt", re.IGNORECASE)),
    ("a document", re.compile(r".*\.(md|rst|pdf|docx?|odt|pptx?|html?|bib|tex|rtf|log)", re.IGNORECASE)),
    ("an archive, not opened", re.compile(r".*\.(zip|tar|tgz|gz|bz2|xz|7z|rar)", re.IGNORECASE)),
    ("a program", re.compile(r".*\.(py|pyc|ipynb|sh|bat|m|r|js)", re.IGNORECASE)),
    ("a tool's cache", re.compile(r".*\.cache", re.IGNORECASE)),
    ("a model", re.compile(r".*\.(keras|h5|pt|pth|onnx|tflite|pb|ckpt|safetensors|weights)", re.IGNORECASE)),
)


# Folders that training and predicting wrote, by what is in each; and where Ultralytics and YOLOv5 put what they predict
# and measure.
RUNS = (
    (PREDICTED, {"predict.json", "labels.json"}),
    (PREDICTED, {"predictions.json", "overlays"}),  # of version 0.1.0
    ("a run of visionmtl", {"recipe.yaml", "history.csv"}),
    (ULTRALYTICS, {"args.yaml", "results.csv"}),
    (ULTRALYTICS, {"args.yaml", "weights"}),
    (ULTRALYTICS, {"opt.yaml", "hyp.yaml"}),
)
OUTPUT = re.compile(r"(.*/)?runs/(detect|segment|classify|pose|obb|(train|val|predict)(-seg|-cls)?/exp\d*)")


def left_by_system(name: str, folder: bool = False) -> str | None:
    """Return the rule by which a file or folder of this name is no data anywhere, or None.

    Example:
        >>> left_by_system("._cat.txt")
        'hidden'
        >>> left_by_system("cat.txt")
    """
    if name.startswith("."):
        return HIDDEN
    return SYSTEM if name.lower() in (FOLDERS if folder else FILES) else None


def of_a_run(folder: str, entries: Set[str]) -> str | None:
    """Return the rule by which a folder is what training or predicting left, and no data, or None.

    Args:
        folder: its name, relative to the folder of the data.
        entries: the names of what is in it.

    Example:
        >>> of_a_run("old", {"args.yaml", "results.csv", "labels.jpg"})
        'a run of Ultralytics'
    """
    if OUTPUT.fullmatch(folder):
        return ULTRALYTICS
    return next((rule for rule, names in RUNS if names <= entries), None)


def beside(name: str) -> str | None:
    """Return the rule by which a file that no source claims lies beside the data, or None.

    Args:
        name: relative to the folder of the data, as "docs/readme.txt".
    """
    return next((rule for rule, pattern in BESIDE if pattern.fullmatch(name)), None)
