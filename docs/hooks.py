"""What the build of the pages adds to MkDocs: pages from elsewhere in the repository, and what makes a build fail.

With `mkdocs build --strict` every warning of these hooks ends the build: a page that `docs/generate.py` or
`docs/draw_sharing.py` would make otherwise now, a public name without a docstring or without a place in `docs/api/`,
and a link to a file of the repository that is no page.
"""

import importlib
import inspect
import json
import logging
import posixpath
import re
import sys
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
LOG = logging.getLogger("mkdocs.hooks.visionmtl")
# Files of the repository that are pages too, and where.
ELSEWHERE = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/RESULTS.md": "results.md",
    "benchmarks/toy.png": "images/toy.png",
    "LICENSE": "LICENSE.txt",
    "NOTICE": "NOTICE.txt",
    "CITATION.cff": "CITATION.cff",
}
LINK = re.compile(r"(?<!`)\]\(([^)#\s]+)(#[^)\s]*)?\)")
DIRECTIVE = re.compile(r"^::: ([\w.]+)$", re.MULTILINE)


def on_pre_build(config: Any) -> None:
    """Warn of stale pages, and of public names that are not documented."""
    sys.path[:0] = [str(ROOT), str(ROOT / "docs")]  # not above: MkDocs restores the path once a hook is loaded
    import draw_sharing
    import generate

    for name in generate.stale():
        LOG.warning("docs/%s is stale: run `python docs/generate.py`", name)
    if (ROOT / "docs" / "sharing.md").read_text(encoding="utf-8") != draw_sharing.page():
        LOG.warning("docs/sharing.md is stale: run `python docs/draw_sharing.py`")
    for sentence in undocumented():
        LOG.warning(sentence)


def on_files(files: Any, config: Any) -> Any:
    """Add what lies elsewhere in the repository, notebooks as Markdown among it."""
    for path, place in ELSEWHERE.items():
        if (ROOT / path).exists():
            files.append(File.generated(config, place, abs_src_path=str(ROOT / path)))
    for path in sorted((ROOT / "examples").glob("*.ipynb")):
        files.append(File.generated(config, f"examples/{path.stem}.md", content=of_notebook(path)))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:
    """Turn links to files of the repository into links to the pages that show them."""
    pages = {place: path for path, place in ELSEWHERE.items()}
    own = page.file.src_uri
    source = pages.get(own, own.replace(".md", ".ipynb") if own.startswith("examples/") else f"docs/{own}")

    def moved(found: re.Match) -> str:
        target, anchor = found[1], found[2] or ""
        if re.match(r"[a-z]+:", target):
            return found[0]
        path = posixpath.normpath(posixpath.join(posixpath.dirname(source), target))
        place = ELSEWHERE.get(path, path.removeprefix("docs/") if path.startswith("docs/") else "")
        if path.startswith("examples/") and path.endswith(".ipynb"):
            place = path.replace(".ipynb", ".md")
        if not place:
            LOG.warning("%s links to '%s', which is no page", source, target)
            return found[0]
        return f"]({posixpath.relpath(place, posixpath.dirname(own) or '.')}{anchor})"

    return LINK.sub(moved, markdown)


def of_notebook(path: Path) -> str:
    """Return a notebook as Markdown: its text, and its code with what it printed last."""
    parts = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        text = "".join(cell["source"])
        parts.append(text if cell["cell_type"] == "markdown" else f"```python\n{text}\n```")
    return "\n\n".join([*parts, f"The notebook is `examples/{path.name}` in the repository."])


def undocumented() -> list[str]:
    """Return a sentence for each public name that no page of `docs/api/` shows, or that has no docstring."""
    shown = [
        name for page in (ROOT / "docs" / "api").glob("*.md") for name in DIRECTIVE.findall(page.read_text("utf-8"))
    ]
    faults = [f"{each} has no docstring" for name in shown for each in without_docstring(name)]
    for name in sorted(public() - set(shown)):
        if not any(each.startswith(f"{name}.") for each in shown):
            faults.append(f"{name} is public, and not in docs/api/")
    return faults


def without_docstring(name: str) -> list[str]:
    """Return the names of a thing and its public methods that have no docstring, but for those that Keras asks for."""
    thing = resolved(name)
    missing = [] if inspect.getdoc(thing) else [name]
    if inspect.isclass(thing):
        own = [base for base in thing.__mro__ if base.__module__.partition(".")[0] in ("visionmtl", "pipelines")]
        others = {key for base in thing.__mro__ if base not in own for key in vars(base)}
        for key, member in vars(thing).items():
            field = key in vars(thing).get("__annotations__", {})  # with a function for its default
            asked = inspect.isfunction(member) and not (key.startswith("_") or key in others or field)
            if asked and not inspect.getdoc(getattr(thing, key)):  # of a base's method it gives that one's
                missing.append(f"{name}.{key}")
    return missing


def resolved(name: str) -> Any:
    """Return what a dotted name says, a module only where its parent has nothing else of the name."""
    parent, _, last = name.rpartition(".")
    found = getattr(resolved(parent), last, None) if parent else None
    return importlib.import_module(name) if found is None else found


def public() -> set[str]:
    """Return where the public names of both packages are at home."""
    import pipelines
    import visionmtl

    homes = {f"{home}.{name}" for package in (visionmtl, pipelines) for name, home in package._HOMES.items()}
    return homes | set(visionmtl._ROOMS.values())
