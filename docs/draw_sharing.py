"""Write `docs/sharing.md`, the page of all sharing schemes, and a drawing of each into `docs/sharing/`.

    python docs/draw_sharing.py [SCHEME ...]

Everything on the page comes from the code: what a scheme is from the docstring of its file, its options from those of
its class, the drawing from the blocks of a model with three tasks. With names, only their drawings are made again.
"""

import argparse
import inspect
import json
import os
import re
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import visionmtl
from visionmtl import sharing
from visionmtl.report import diagram, tables
from visionmtl.tasks import Classification, Detection, Segmentation

FOLDER = Path(__file__).parent
HEAD = """# How tasks share a network

A scheme is one word: `sharing="{name}"` in Python, `model.sharing={name}` on the command line, and with options
`{{name: {name}, option: value}}`. Each drawing is of three tasks on EfficientNet-Lite0, made from the model itself.
What one task owns stands in its lane and colour, what several share is grey and crosses their lanes, and what the
scheme adds has a strong rim. `P2` to `P5` are the backbone's maps, of stride 4 to 32; a number counts parameters. What
each scheme costs and reaches is in [benchmarks/RESULTS.md](../benchmarks/RESULTS.md#ways-of-sharing).

<!-- Made by docs/draw_sharing.py: change the docstrings, not this page. -->
"""


def page() -> str:
    """Return the page of all registered schemes."""
    names = sharing.names()
    contents = "\n".join(f"- [`{name}`](#{name}): {sharing.describe(name)}" for name in names)
    return "\n".join([HEAD.format(name=names[0]), contents, *map(section, names)])


def section(name: str) -> str:
    """Return a scheme's section of the page: its drawing, what it is, and its options."""
    scheme = sharing.SCHEMES[name]
    about = inspect.cleandoc(sys.modules[scheme.__module__].__doc__ or "")
    text = f"\n## `{name}`\n\n![The blocks of a model with sharing {name}](sharing/{name}.svg)\n\n{about}\n"
    described, defaults = _described(scheme.__doc__ or ""), sharing.get(name).get_config()
    rows = [[f"`{option}`", f"`{_yaml(value)}`", described.get(option, "")] for option, value in defaults.items()]
    if rows:
        text += "\n" + tables.markdown(["option", "default", ""], rows) + "\n"
    reference = re.search(r"References?: (.+?)(?:\n\s*\n|$)", inspect.cleandoc(scheme.__doc__ or ""), re.DOTALL)
    return text + (f"\nReference: {' '.join(reference[1].split())}\n" if reference else "")


def drawing(name: str) -> str:
    """Return the SVG of a scheme."""
    tasks = [Segmentation("segmentation", 10), Detection("detection", 10), Classification("classification", 10)]
    return diagram.svg(visionmtl.MultiTaskModel(tasks, "efficientnet_lite0", (64, 64, 3), sharing=name))


def _described(docstring: str) -> dict[str, str]:
    """Return what a docstring says of each argument."""
    arguments = re.search(r"^Args:\n(.*?)(?:^\S|\Z)", inspect.cleandoc(docstring), re.DOTALL | re.MULTILINE)
    described = re.findall(
        r"^    (\w+): (.*?)(?=^    \w|\Z)", arguments[1] if arguments else "", re.DOTALL | re.MULTILINE
    )
    return {name: " ".join(text.split()) for name, text in described}


def _yaml(value: Any) -> str:
    """Return a default as a recipe would say it."""
    return value if isinstance(value, str) else json.dumps(value)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("schemes", nargs="*", metavar="SCHEME", help="draw these alone; default all")
    chosen = parser.parse_args().schemes or sharing.names()
    (FOLDER / "sharing").mkdir(exist_ok=True)
    for name in chosen:
        path = FOLDER / "sharing" / f"{name}.svg"
        path.write_text(drawing(name), encoding="utf-8")
        print(path)
    (FOLDER / "sharing.md").write_text(page(), encoding="utf-8")
    print(FOLDER / "sharing.md")


if __name__ == "__main__":
    main()
