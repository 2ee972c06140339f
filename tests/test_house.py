"""The house keeps its plan: imports run down the floors, in no circle; no room is too large."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = ("visionmtl", "pipelines")
LINES = 300
# From the top floor down; rooms of one floor do not import each other. What is on no floor is the ground.
FLOORS = (
    ("visionmtl.__main__",),
    ("visionmtl.cli",),
    ("visionmtl.commands",),
    ("visionmtl.comparison", "visionmtl.merging"),
    ("visionmtl.training", "visionmtl.prediction", "visionmtl.serving"),
    ("visionmtl.export", "visionmtl.report"),
    ("visionmtl.model",),
    ("visionmtl.step", "visionmtl.callbacks"),
    ("visionmtl.balancing", "visionmtl.sharing", "visionmtl.tasks", "visionmtl.board"),
    ("visionmtl.backbones", "visionmtl.drawing", "visionmtl.recipe"),
    ("visionmtl.layers", "visionmtl.metrics", "visionmtl.checkpoints"),
)
GROUND, BELOW = len(FLOORS), len(FLOORS) + 1


def sources() -> dict[str, Path]:
    """Return the files of the packages by the names of their modules."""
    files = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]
    return {".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path for path in files}


SOURCES = sources()


def imported(module: str) -> Iterator[str]:
    """Yield the modules of the packages that one imports, wherever in its file."""
    for node in ast.walk(ast.parse(SOURCES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                inner = f"{node.module}.{alias.name}"
                yield inner if inner in SOURCES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


IMPORTS = {module: {name for name in imported(module) if name in SOURCES} - {module} for module in SOURCES}


def floor(module: str) -> int:
    """Return the floor of a module, the highest being 0."""
    for number, rooms in enumerate(FLOORS):
        if any(module == room or module.startswith(f"{room}.") for room in rooms):
            return number
    return BELOW if module.startswith("pipelines") else GROUND


def room(module: str) -> str:
    """Return the folder of a module at the top of its package, or the module if it lies loose there."""
    return ".".join(module.split(".")[:2])


def folder(module: str) -> str:
    """Return the folder that a module lies in."""
    return module if SOURCES[module].name == "__init__.py" else module.rpartition(".")[0]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the names along a circle of a graph; none if there is no circle."""
    done: set[str] = set()

    def search(name: str, path: list[str]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for other in sorted(graph.get(name, ())):
            if around := search(other, [*path, name]):
                return around
        done.add(name)
        return []

    return next((around for name in sorted(graph) if (around := search(name, []))), [])


def test_imports_run_down_the_floors():
    up = [
        f"{module} -> {other}"
        for module, others in IMPORTS.items()
        for other in others
        if module not in PACKAGES
        and (
            floor(other) < floor(module)
            or (floor(other) == floor(module) < GROUND and room(other) != room(module))
            or (module.startswith("pipelines") and other.startswith("visionmtl"))
        )
    ]
    assert up == []


def test_no_file_imports_itself_through_others():
    assert circle(IMPORTS) == []


def test_no_folder_imports_itself_through_others():
    folders: dict[str, set[str]] = {}
    for module, others in IMPORTS.items():
        own = folder(module)
        if own not in PACKAGES:
            # An inner folder and the one around it are one room: what its files may not do, the test above says.
            outer = {other for other in map(folder, others) if not f"{other}.".startswith(f"{own}.")}
            apart = {other for other in outer if not f"{own}.".startswith(f"{other}.")}
            folders.setdefault(own, set()).update(apart)
    assert circle(folders) == []


@pytest.mark.parametrize("graph", [{"a": {"b"}, "b": {"c"}, "c": {"a"}}, {"a": {"a"}}])
def test_a_circle_would_be_seen(graph):
    assert circle(graph)


def test_no_file_is_longer_than_a_room():
    lengths = {module: len(path.read_text(encoding="utf-8").splitlines()) for module, path in SOURCES.items()}
    assert {module: length for module, length in lengths.items() if length > LINES} == {}


def test_the_top_holds_no_loose_rooms():
    loose = {path.stem for path in (ROOT / "visionmtl").glob("*.py")}
    assert loose == {
        "__init__",
        "__main__",
        "cli",
        "csvfile",
        "errors",
        "files",
        "keras_graph",
        "known_by",
        "leaving",
        "stopping",
        "terminal",
        "workers",
    }


def test_every_folder_says_what_is_in_it_what_comes_from_outside_and_how_to_add_one():
    doors = {module: path for module, path in SOURCES.items() if path.name == "__init__.py"}
    said = {module: ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "" for module, path in doors.items()}
    assert [module for module, text in said.items() if len(text.splitlines()) < 3] == []


def test_no_two_files_of_tests_have_one_name():
    """They stand in folders that are no packages: pytest would import the first for both."""
    seen: dict[str, Path] = {}
    for path in sorted(ROOT.joinpath("tests").rglob("*.py")):
        if path.name not in ("conftest.py", "__init__.py"):
            assert seen.setdefault(path.name, path) == path


# What writes under a name of its own, and why a half of it is never taken for a whole.
WRITERS = {
    "pipelines/files.py": "it is what writes whole",
    "pipelines/packs/journal.py": "a line more; one that was cut off is passed over",
    "visionmtl/csvfile.py": "a row more, cut off again where it fails",
    "visionmtl/comparison/processes.py": "a log",
    "visionmtl/comparison/compare/children.py": "a log",
    "visionmtl/comparison/compare/merging.py": "under a partial name; what lies beside comes before",
    "visionmtl/prediction/beam/storage.py": "under a partial name of its own, as several processes write at a time",
    "visionmtl/prediction/merging.py": "into a folder that has no name yet",
    "visionmtl/export/running.py": "into a temporary folder",
    "visionmtl/serving/records.py": "into memory",
    "visionmtl/model/gallery.py": "into memory",
    "pipelines/sources/garments/make_garments.py": "what is part of the package",
    **{
        f"visionmtl/export/{name}.py": "into a version that has no name yet"
        for name in ("card", "checksums", "labels", "litert", "proof", "signature")
    },
    **{f"pipelines/writers/{name}.py": "into a data set that has no name yet" for name in ("base", "coco", "keeping")},
}
WHOLE = {"written_whole", "written_folder", "written"}
WRITING = {"write_text", "write_bytes", "savez", "savez_compressed", "savefig"}
OTHERS = {"np.save", "json.dump", "os.replace", "os.rename", "shutil.copy", "shutil.copyfile", "shutil.copytree"}


def writing(node: ast.AST, within: frozenset[str] = frozenset()) -> Iterator[ast.Call]:
    """Yield the calls beneath a node that write a file, and are not within a `with` of what writes whole."""
    if isinstance(node, ast.With):
        calls = [item.context_expr for item in node.items if isinstance(item.context_expr, ast.Call)]
        within |= {ast.unparse(call.func).rpartition(".")[2] for call in calls}
    if isinstance(node, ast.Call) and not within & WHOLE:
        name = ast.unparse(node.func)
        given = [each.value for each in node.args if isinstance(each, ast.Constant) and isinstance(each.value, str)]
        opens = name.rpartition(".")[2] == "open" and any(len(mode) < 4 and set(mode) & set("wax+") for mode in given)
        writes = opens or name in OTHERS or ("." in name and name.rpartition(".")[2] in WRITING)
        if writes and "files." not in name and "devnull" not in ast.unparse(node):
            yield node
    for child in ast.iter_child_nodes(node):
        yield from writing(child, within)


def test_files_are_written_whole_or_it_is_said_why_not():
    found = {}
    for source in SOURCES.values():
        if calls := [f"{call.lineno}: {ast.unparse(call.func)}" for call in writing(ast.parse(source.read_text()))]:
            found[str(source.relative_to(ROOT))] = calls
    new = {path: calls for path, calls in found.items() if path not in WRITERS}
    assert new == {}, "write it by files.written_whole or files.written_folder"
    assert WRITERS.keys() - found.keys() == set(), "they write nothing"
