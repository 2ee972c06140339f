"""Blocks and drawings of models, and the page of all schemes that is made from them."""

import importlib.util
import re
from pathlib import Path
from xml.etree import ElementTree

import keras
import pytest

from visionmtl import sharing
from visionmtl.report import blocks, diagram
from visionmtl.sharing import Made, Penalty, Scheme
from visionmtl.sharing.base.stages import run_stages

DOCS = Path(__file__).parents[3] / "docs"
TASKS = ("scene", "objects", "ground")


def described(graph):
    """Return title, owner or "all", and the titles of what it reads, of each block."""
    return [
        (
            block.title,
            block.tasks[0] if len(block.tasks) == 1 else "all",
            [graph.blocks[one].title for one in block.reads],
        )
        for block in graph.blocks
    ]


class Exchange(Scheme):
    """A backbone a task, tied by a penalty; each task's features meet the others' twice."""

    name = "exchange"

    def features(self, image, tasks, make_stages):
        copies = {task: make_stages(f"{task}_") for task in tasks}
        features = {task: run_stages(stages, image) for task, stages in copies.items()}
        variables = [v for stages in copies.values() for _, model in stages for v in model.trainable_variables]
        return Made(features, penalties=[Penalty(lambda: 0.0, variables)])

    def mix(self, maps, tasks):
        for turn in (1, 2):
            own = {
                task: keras.layers.Conv2D(8, 1, name=f"exchange_{task}_own_{turn}")(maps[task]["P3"]) for task in tasks
            }
            met = {task: keras.layers.Add(name=f"exchange_{task}_met_{turn}")(list(own.values())) for task in tasks}
            maps = {task: maps[task] | {"P3": met[task]} for task in tasks}
        return Made(maps)


class Answer(Scheme):
    """Every head reads what the first heads of the other tasks say."""

    name = "answer"

    def heads(self, maps, tasks):
        said = {}
        for name, task in tasks.items():
            first = type(task).from_config(task.get_config() | {"name": f"{name}_first"})
            said[name] = next(iter(first.outputs(maps[name]).values()))
        outputs = {}
        for name, task in tasks.items():
            scale = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"answer_{name}_pool")
            others = [tensor for other, tensor in said.items() if other != name]
            flat = [
                keras.layers.Flatten(name=f"answer_{name}_flat_{place}")(tensor) for place, tensor in enumerate(others)
            ]
            gate = keras.layers.Dense(8, name=f"answer_{name}_gate")(keras.layers.Concatenate()(flat))
            gate = keras.layers.Reshape((1, 1, 8), name=f"answer_{name}_reshape")(gate)
            level = max(maps[name])
            pooled = scale(maps[name][level])
            gate = keras.layers.Multiply(name=f"answer_{name}_scale")([gate, pooled])
            told = keras.layers.Multiply(name=f"answer_{name}_multiply")([maps[name][level], gate])
            outputs[name] = task.outputs(maps[name] | {level: told})
        return Made(outputs)


@pytest.mark.slow
def test_hard_sharing_is_a_chain_and_a_head_a_task(toy_model):
    graph = blocks.of(toy_model())
    assert described(graph) == [
        ("image", "all", []),
        ("P2", "all", ["image"]),
        ("P3", "all", ["P2"]),
        ("neck", "all", ["P2", "P3"]),
        *((task, task, ["neck"]) for task in TASKS),
    ]
    assert sum(block.parameters for block in graph.blocks) == toy_model().count_params()
    assert [block.final for block in graph.blocks] == [False] * 4 + [True] * 3
    assert graph.ties == []


@pytest.mark.slow
def test_what_meets_twice_is_two_blocks_a_task_and_a_penalty_ties_level_by_level(toy_model):
    graph = blocks.of(toy_model(sharing=Exchange()))
    found = described(graph)
    own = [reads for title, task, reads in found if title == "own" and task == "scene"]
    assert own == [["neck"], ["own", "own", "own"]], found
    assert [title for title, task, _ in found if task == "scene"][:3] == ["P2", "P3", "neck"]
    levels = [{graph.blocks[index].level for index in tie} for tie in graph.ties]
    assert levels == [{"P2"}, {"P3"}]
    assert [len(tie) for tie in graph.ties] == [3, 3]


@pytest.mark.slow
def test_the_same_blocks_for_every_task_where_heads_read_each_other(toy_model):
    found = described(blocks.of(toy_model(sharing=Answer())))
    for task in TASKS:
        others = sorted(other for other in TASKS if other != task)
        own = [(title, sorted(reads)) for title, owner, reads in found if owner == task]
        assert own[0] == (task, ["neck"])
        assert own[1] == ("gate", sorted(["neck", *others]))
        assert [title for title, _ in own] == [task, "gate", task]
        assert "gate" in own[2][1]


@pytest.mark.slow
@pytest.mark.parametrize("scheme", ["hard", {"name": "hard", "until": "P2"}, Exchange(), Answer()])
def test_blocks_of_a_drawing_never_overlap(scheme, toy_model):
    model = toy_model(sharing=scheme)
    boxes = diagram.place(blocks.of(model), list(model.tasks))
    for place, one in enumerate(boxes):
        for other in boxes[place + 1 :]:
            apart = one.right < other.x or other.right < one.x or one.bottom < other.y or other.bottom < one.y
            assert apart
    root = ElementTree.fromstring(diagram.svg(model))
    width, height = float(root.get("width")), float(root.get("height"))
    assert all(box.x >= 0 and box.right < width and box.y >= 0 and box.bottom < height for box in boxes)
    texts = [element.text for element in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"image", "P2", "P3", "neck", *TASKS} <= set(texts)
    ties = [line for line in root.iter("{http://www.w3.org/2000/svg}path") if line.get("stroke-dasharray")]
    assert len(ties) == (4 if isinstance(scheme, Exchange) else 0)


def test_the_page_is_what_the_code_says_now_of_every_scheme_that_it_shows():
    spec = importlib.util.spec_from_file_location("draw_sharing", DOCS / "draw_sharing.py")
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    page = (DOCS / "sharing.md").read_text(encoding="utf-8")
    shown = re.findall(r"^## `(\w+)`$", page, re.MULTILINE)
    assert shown
    assert set(shown) <= set(sharing.names())
    for name in shown:  # a new scheme is shown once `python docs/draw_sharing.py` has been run
        assert script.section(name) in page, f"run `python docs/draw_sharing.py {name}`"
    for name in sharing.names():
        for option in sharing.get(name).get_config():
            assert re.search(rf"^\| `{option}` \| `.+` \| .+ \|$", script.section(name), re.MULTILINE), option
    for drawing in re.findall(r"\]\((sharing/.+?\.svg)\)", page):
        ElementTree.parse(DOCS / drawing)
