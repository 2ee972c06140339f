"""Write what the pages of `docs/` take from the code: keys, balancers, tasks and layouts, between marks in these pages.

    python docs/generate.py            # writes them anew
    python docs/generate.py --check    # names the pages that are not what the code says now, and exits with 1

A page is written by hand around `<!-- begin keys -->` and `<!-- end keys -->`; what is between them is made here, from
the same docstrings and declarations that `visionmtl list` prints. The badges of README.md
are made here too; `docs/draw_sharing.py` makes `sharing.md`.
"""

import argparse
import inspect
import json
import os
import re
import sys
import tomllib
from collections.abc import Callable, Iterable
from itertools import zip_longest
from pathlib import Path
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
FOLDER = Path(__file__).parent
FAMILIES = {
    "loss": "Loss balancers: they weigh the losses",
    "gradient": "Gradient balancers: they compare the gradients of the tasks",
    "elementwise": "Elementwise balancers: they combine the gradients number by number",
}


def keys() -> str:
    """Return a table of keys for each section of a recipe."""
    from visionmtl import recipe

    sections: dict[str, list] = {}
    for key in recipe.each_key():
        sections.setdefault(key.name.rpartition(".")[0], []).append(key)
    parts = []
    for section, there in sections.items():
        parts.append(f"## `{section}`" if section else "## At the top")
        parts.append(table(["key", "default", ""], ([code(k.name), code(k.default), k.description] for k in there)))
    return "\n\n".join(parts)


def balancers() -> str:
    """Return a table of all balancers, and a section for each: idea, equation, cost, options, and when to take it."""
    from visionmtl import balancing
    from visionmtl.balancing import catalogue

    entries = list(balancing.BALANCERS.items())
    chosen = ([f"[`{name}`](#{name})", method.promise, method.cost] for name, method in entries)
    parts = [table(["method", "promise", "a step costs"], chosen), text(catalogue.NOTE).replace("*", "\\*")]
    for family, title in FAMILIES.items():
        parts.append(f"## {title}")
        for name, method in entries:
            if method.family == family:
                facts = [f"Take it {method.when}.", f"A step costs {method.cost}."]
                options = balancing.options(name).items()
                rows = [[code(key), code(shown(own.default)), f"{own.meaning}: {own.expected}"] for key, own in options]
                parts += [f"### `{name}`", fenced(method.equation), prose(method), text(" ".join(facts))]
                parts += [table(["option", "default", ""], rows)] if rows else []
    return "\n\n".join(parts)


def tasks() -> str:
    """Return a section for each class of tasks: its labels, loss, predictions and options."""
    from visionmtl import tasks as room
    from visionmtl.commands._printed import said

    parts = []
    for task in dict.fromkeys(room.KINDS.values()):
        told = said(task)
        does = (f"{code(kind)}, to {told.kinds[kind].removesuffix('.')}" for kind in told.kinds)
        kinds = "; or ".join(does) or " or ".join(map(code, task.kinds))
        parts += [f"## `{task.__name__}`", f"Learns labels of kind {kinds}.", prose(task)]
        means = [[code(key), each.unit, each.text] for key, each in task.meanings.items()]
        parts.append(table(["prediction", "unit", ""], means))
        arguments, signature = told.arguments, inspect.signature(task).parameters
        options = [name for name in task.options if name in signature]
        rows = [[code(name), code(shown(signature[name].default)), arguments.get(name, "")] for name in options]
        parts.append(table(["option", "default", ""], rows))
    return "\n\n".join(parts)


def layouts() -> str:
    """Return a section for each source of data, and in it one for each layout by which a folder is recognised."""
    from pipelines import sources

    parts = []
    for name in sources.names():
        source = sources.SOURCES[name]
        parts += [f"### `{name}`", prose(source)]
        rows = []
        for own in source.options():
            choices = f": {', '.join(map(str, own.choices))}" if own.choices else ""
            rows.append([code(own.name), code(shown(own.default)), own.meaning + choices])
        parts += [table(["option", "default", ""], rows)] if rows else []
        for layout in source.layouts:
            signs = "; ".join(code(sign.words) for sign in layout.signs)
            parts += [f"#### {layout.name}", fenced(layout.look), f"Known by {signs}."]
    return "\n\n".join(parts)


BLOCKS: dict[str, tuple[str, Callable[[], str]]] = {
    "keys": ("recipes.md", keys),
    "balancers": ("balancing.md", balancers),
    "tasks": ("tasks.md", tasks),
    "layouts": ("data.md", layouts),
}


def badge(what: str, value: str, colour: str) -> str:
    """Return a badge as an SVG, so that no page asks another host for one."""
    left, right = 7 * len(what) + 12, 7 * len(value) + 12
    return f"""<svg xmlns="http://www.w3.org/2000/svg" width="{left + right}" height="20" role="img">
  <title>{what}: {value}</title>
  <clipPath id="r"><rect width="{left + right}" height="20" rx="3"/></clipPath>
  <g clip-path="url(#r)">
    <rect width="{left}" height="20" fill="#484848"/>
    <rect x="{left}" width="{right}" height="20" fill="{colour}"/>
  </g>
  <g fill="#fff" text-anchor="middle" font-family="Verdana,DejaVu Sans,sans-serif" font-size="11">
    <text x="{left / 2}" y="14">{what}</text>
    <text x="{left + right / 2}" y="14">{value}</text>
  </g>
</svg>
"""


def badges() -> dict[str, str]:
    """Return the badges of README.md by their paths, of what pyproject.toml and the package say."""
    import visionmtl

    project = tomllib.loads((FOLDER.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    bounds = dict(bound.split(">=") for bound in project["dependencies"])
    said = {
        "licence": (project["license"], "#2e7d32"),
        "version": (visionmtl.__version__, "#1565c0"),
        "python": (project["requires-python"].replace(">=", "") + " or later", "#1565c0"),
        "tensorflow": (f"{bounds['tensorflow']} or later", "#b23c00"),
        "keras": (f"{bounds['keras']} or later", "#c62828"),
    }
    titles = {"python": "Python", "tensorflow": "TensorFlow", "keras": "Keras"}
    return {f"images/{name}.svg": badge(titles.get(name, name), *of) for name, of in said.items()}


def pages() -> dict[str, str]:
    """Return the pages and badges with what the code says now, by name."""
    made = badges()
    for block, (page, make) in BLOCKS.items():
        begin, end = f"<!-- begin {block} -->", f"<!-- end {block} -->"
        before, _, rest = (FOLDER / page).read_text(encoding="utf-8").partition(begin)
        _, found, after = rest.partition(end)
        if not found:
            sys.exit(f"docs/{page} has no '{begin}' before '{end}'.")
        note = "<!-- Made by docs/generate.py: change the docstrings, not this part. -->"
        made[page] = f"{before}{begin}\n{note}\n\n{make()}\n\n{end}{after}"
    return made


def stale() -> list[str]:
    """Return the names of the pages that are not what the code says now."""
    made = {FOLDER / name: page for name, page in pages().items()}
    old = [path for path, page in made.items() if not path.exists() or path.read_text(encoding="utf-8") != page]
    return [path.relative_to(FOLDER).as_posix() for path in old]


def prose(cls: type) -> str:
    """Return a class's docstring as Markdown, without its arguments."""
    doc = re.sub(
        r"^(Args|Attributes|Kinds):\n(?:    .*\n?|\n(?=    ))*", "", inspect.getdoc(cls) or "", flags=re.MULTILINE
    )
    doc = re.sub(
        r"^Example:\n((?:    .*\n?|\n(?=    ))*)",
        lambda found: f"```pycon\n{inspect.cleandoc(found[1])}\n```\n",
        doc,
        flags=re.MULTILINE,
    )
    parts = []
    for part in re.split(r"\n\s*\n", doc.strip()):
        lines = re.sub(r"^(References?|Scale|Fall-back|Preference|Heads): ?", r"**\1.** ", part, flags=re.MULTILINE)
        parts.append(part if part.startswith("```") else text(re.sub(r"\n(?=\*\*)", "\n\n", lines)))
    return "\n\n".join(parts)


def text(words: str) -> str:
    """Return words in which nothing but code between backticks, bold words and lists is Markdown."""
    spoken = re.split(r"(`[^`]*`)", words)
    plain = (re.sub(r"([\[\]{}])", r"\\\1", part).replace("<", "&lt;") for part in spoken[::2])
    return "".join(part for both in zip_longest(plain, spoken[1::2], fillvalue="") for part in both)


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(map(cell, line)) + " |" for line in lines)


def cell(words: str) -> str:
    """Return words as they may stand in a cell: links and code stay what they are."""
    safe = words if words.startswith("[`") else text(words)
    return " ".join(safe.replace("|", "\\|").replace("*", "\\*" if "`" not in safe else "*").split())


def code(words: str) -> str:
    """Return words as code; nothing for nothing."""
    return f"`{words}`" if words else ""


def fenced(words: str) -> str:
    """Return words in a block of their own."""
    return f"```text\n{words}\n```"


def shown(value: Any) -> str:
    """Return a default as a recipe would say it."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def main() -> None:
    """Write the pages, or check them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, and fail where a page is stale")
    if parser.parse_args().check:
        if old := stale():
            sys.exit(f"Stale, run `python docs/generate.py`: {', '.join(old)}")
        return
    (FOLDER / "images").mkdir(exist_ok=True)
    for name, page in pages().items():
        (FOLDER / name).write_text(page, encoding="utf-8")
        print(FOLDER / name)


if __name__ == "__main__":
    main()
