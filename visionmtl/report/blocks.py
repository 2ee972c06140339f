"""A multi-task model as a graph of few blocks: backbone stages, what the sharing scheme adds, necks and heads."""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from visionmtl import keras_graph
from visionmtl.keras_graph import Node
from visionmtl.model import MultiTaskModel

LEVEL = re.compile(r"P\d+")
# Words of layers' names that say how, not what.
PLAIN = frozenset(
    [
        *("add", "concat", "concatenate", "multiply", "sum", "stack", "pool", "resize", "reshape", "up", "down"),
        *("from", "to", "of", "read", "write", "block", "conv", "convolution", "normalisation"),
    ]
)
SHORT = 8  # letters of a scheme's name that a block of one level has room for


class Block(NamedTuple):
    """Some layers that belong together.

    Attributes:
        kind: "image", "backbone", "sharing", "neck" or "head".
        title: what it is, in a word or two.
        tasks: whose it is; several where they share it.
        level: such as "P3"; "" where it reads several.
        parameters: of its layers; those also called by an earlier block are counted there.
        reads: the blocks that it reads, by their places in the list of all.
        final: whether it gives predictions of its task.
    """

    kind: str
    title: str
    tasks: tuple[str, ...]
    level: str
    parameters: int
    reads: tuple[int, ...]
    final: bool


class Blocks(NamedTuple):
    """All of a model.

    Attributes:
        blocks: each after those that it reads.
        ties: groups of blocks whose parameters a penalty ties together, by their places.
    """

    blocks: list[Block]
    ties: list[tuple[int, ...]]


class _Label(NamedTuple):
    """What the calls of a block have in common; `owner` is the one task it belongs to, if it is one."""

    kind: str
    owner: str | None
    level: str = ""
    name: str = ""  # tells apart what is never one block: stages, and the heads before and after a scheme
    phase: int = 0  # how often the way from the image went from block to block


def of(model: MultiTaskModel) -> Blocks:
    """Collapse a model's graph into blocks.

    Layers of one part of the model, of one task and, before the necks, of one level become one block. Where that would
    close a circle, as in a head that others read and that goes on from what comes back, they become several, in the
    same way for every task.
    """
    calls = _Calls(model)
    reads = {node: set(calls.reads[node]) for node in calls.order}
    labels = calls.labels()
    merged = _merged(labels, reads)
    labels = {node: merged[label] for node, label in labels.items()}
    members: dict[_Label, list[Node]] = {}
    for node in calls.order:
        members.setdefault(labels[node], []).append(node)
    edges = {
        label: {labels[source] for node in nodes for source in reads[node]} - {label}
        for label, nodes in members.items()
    }

    order: list[_Label] = []
    while len(order) < len(members):
        order.append(next(label for label in members if label not in order and edges[label] <= set(order)))
    counted: set[int] = set()
    holder: dict[int, int] = {}  # which block a variable is in
    blocks = []
    for place, label in enumerate(order):
        operations = [calls.called[node] for node in members[label]]
        layers = {id(layer): layer for layer in operations if hasattr(layer, "weights") and id(layer) not in counted}
        counted |= set(layers)
        holder |= {id(variable): place for layer in layers.values() for variable in layer.weights}
        tasks = {label.owner} if label.owner else {task for node in members[label] for task in calls.serves(node)}
        blocks.append(
            Block(
                label.kind,
                _title(model, label, operations),
                tuple(task for task in model.tasks if task in tasks),
                label.level,
                sum(layer.count_params() for layer in layers.values()),
                tuple(sorted(order.index(source) for source in edges[label])),
                any(node in calls.final for node in members[label]),
            )
        )
    return Blocks(blocks, _ties(model, blocks, holder))


class _Calls:
    """The calls of a model's layers, and what each is."""

    def __init__(self, model: MultiTaskModel):
        self.tasks, self.height = list(model.tasks), model.image_size[0]
        self.parts = {part: set(names) for part, names in model.parts.items()}
        self.levels = [part for part in model.parts if LEVEL.fullmatch(part)]
        self.called = keras_graph.operations(model.outputs)
        self.reads = {
            node: [keras_graph.key(x) for x in read] for node, read in keras_graph.calls(model.outputs).items()
        }
        self.order = _order(self.reads)
        self.final = {
            keras_graph.key(x) for task in model.tasks for x in model.raw_outputs(task, model.output).values()
        }
        ends = {keras_graph.key(x): task for task, outputs in model.task_outputs().items() for x in outputs}

        self.reached: dict[Node, set[str]] = {node: {ends[node]} if node in ends else set() for node in self.order}
        self.necked = {node: self.called[node].name in self.parts["neck"] for node in self.order}
        self.last = {node: node in self.final for node in self.order}  # and what leads there within a task's head
        self.named: dict[str, set[str]] = {}  # all that layers of one name serve, whatever the level
        for node in reversed(self.order):
            self.named.setdefault(_any_level(self.called[node].name), set()).update(self.reached[node])
            for source in self.reads[node]:
                self.reached[source] |= self.reached[node]
                self.necked[source] |= self.necked[node]
                self.last[source] |= self.last[node] and self._head(source) == self._head(node) is not None
        necks = self.parts["neck"]
        self.necks = {task for task in self.tasks if any(name.startswith(f"{task}_neck") for name in necks)}

    def labels(self) -> dict[Node, _Label]:
        """Return the block that each call belongs to, cut as fine as circles may ever ask for."""
        labels: dict[Node, _Label] = {}
        for node in self.order:
            read = [labels[source] for source in self.reads[node]]
            label = self._label(node, read)
            steps = [before.phase + (before._replace(phase=0) != label) for before in read]
            labels[node] = label._replace(phase=max(steps, default=0))
        return labels

    def serves(self, node: Node) -> set[str]:
        """Return the tasks of a call that no single task owns."""
        name = self.called[node].name
        if name in self.parts["neck"]:
            own = self._neck(name)
            return {task for task in self.reached[node] if task == own or task not in self.necks} or self.reached[node]
        return self.reached[node] or set(self.tasks)

    def _label(self, node: Node, read: list[_Label]) -> _Label:
        name = self.called[node].name
        if name in self.parts["backbone"]:
            owner = next((task for task in self.tasks if name in self.parts[task]), None)
            return _Label("backbone", owner, next(level for level in self.levels if name in self.parts[level]), name)
        if name in self.parts["neck"]:
            return _Label("neck", None, "", self._neck(name) or "")
        if not read:
            return _Label("image" if name == "image" else "sharing", None)
        read = [label._replace(phase=0) for label in read]
        head = self._head(node)
        if head is not None:
            before = next((label for label in read if label.kind == "head" and label.owner == head), None)
            last = _Label("head", head, "", "last")
            return last if self.last[node] else before or _Label("head", head, "", "first")
        if not getattr(self.called[node], "weights", ()) and len(set(read)) == 1 and not self.necked[node]:
            return read[0]  # it passes on what another block has made
        served = self.named[_any_level(name)]
        named = [task for task in self.tasks if task in served and f"_{task}_" in f"_{name}_"]
        owner = named[0] if named else next(iter(served)) if len(served) == 1 else None
        return _Label("sharing", owner, self._level(node, read) if self.necked[node] else "")

    def _neck(self, name: str) -> str | None:
        """Return the task that a neck is named after."""
        return max((task for task in self.necks if name.startswith(f"{task}_neck")), key=len, default=None)

    def _head(self, node: Node) -> str | None:
        """Return the task whose head, or what others read of it, a layer is of."""
        name = self.called[node].name
        if name in self.parts["backbone"] or name in self.parts["neck"]:
            return None
        return max((task for task in self.tasks if name.startswith(f"{task}_")), key=len, default=None)

    def _level(self, node: Node, read: list[_Label]) -> str:
        """Return the level of a layer before the necks: from its name, its map's size, or from what it reads."""
        named = [level for level in self.levels if f"_{level}_" in f"_{self.called[node].name}_"]
        if named:
            return named[0]
        shape = keras_graph.outputs(self.called[node], node)[0].shape
        stride = self.height // shape[1] if len(shape) == 4 and shape[1] else 0
        by_size = f"P{stride.bit_length() - 1}"
        return by_size if by_size in self.levels else max(label.level for label in read)


def _order(reads: Mapping[Node, list[Node]]) -> list[Node]:
    """Return the calls by their distance from the image, the longest way."""
    depths: dict[Node, int] = {}
    todo = list(reads)
    while todo:
        missing = [source for source in reads[todo[-1]] if source not in depths]
        if missing:
            todo += missing
        else:
            node = todo.pop()
            depths[node] = 1 + max((depths[source] for source in reads[node]), default=-1)
    return sorted(reads, key=depths.__getitem__)


def _merged(labels: Mapping[Node, _Label], reads: Mapping[Node, Iterable[Node]]) -> dict[_Label, _Label]:
    """Return which blocks may be one with a block of an earlier phase, those of all tasks at once or none."""
    edges = {(labels[source], labels[node]) for node, read in reads.items() for source in read}
    families: dict[tuple, dict[_Label, None]] = {}
    for label in sorted(set(labels.values()), key=lambda label: label.phase):
        families.setdefault((label.kind, label.level, label.name), {})[label] = None
    merged = {label: label for label in labels.values()}
    for family in families.values():
        for phase in sorted({label.phase for label in family})[1:]:
            trial = dict(merged)
            for label in family:
                if label.phase == phase:
                    alike = (earlier for earlier in family if earlier.owner == label.owner and earlier.phase < phase)
                    trial[label] = merged[max(alike, key=lambda earlier: earlier.phase, default=label)]
            if trial != merged and not _circular({(trial[source], trial[target]) for source, target in edges}):
                merged = trial
    return merged


def _circular(edges: Iterable[tuple[_Label, _Label]]) -> bool:
    """Return whether some way along the edges comes back to where it began."""
    left = {(source, target) for source, target in edges if source != target}
    while left:
        targets = {target for _, target in left}
        rest = {(source, target) for source, target in left if source in targets}
        if rest == left:
            return True
        left = rest
    return False


def _ties(model: MultiTaskModel, blocks: list[Block], holder: Mapping[int, int]) -> list[tuple[int, ...]]:
    """Return the blocks that penalties tie together, level by level."""
    ties: dict[tuple[int, ...], None] = {}
    for penalty in model.penalties:
        tied = sorted({holder[id(variable)] for variable in penalty.variables if id(variable) in holder})
        for level in dict.fromkeys(blocks[index].level for index in tied):
            group = tuple(index for index in tied if blocks[index].level == level)
            if len(group) > 1:
                ties[group] = None
    return list(ties)


def _title(model: MultiTaskModel, label: _Label, operations: list) -> str:
    """Return a block's title; what a scheme adds is called by the name of its largest layer."""
    if label.kind == "backbone":
        return label.level
    if label.kind != "sharing":
        return label.owner or label.kind
    largest = max(operations, key=lambda layer: layer.count_params() if hasattr(layer, "weights") else -1)
    scheme, word = model.sharing.name.replace("_", " "), _word(largest.name, model)
    if label.owner is None:
        return scheme if word in scheme.split() else f"{scheme} {word}".strip()
    return word or (label.level if len(scheme) > SHORT else "") or scheme


def _word(name: str, model: MultiTaskModel) -> str:
    """Return the first word of a layer's name that is not the scheme's, a task's, a level's, a number or plain."""
    name = f"_{name}_".replace(f"_{model.sharing.name}_", "_", 1)
    for task in model.tasks:
        name = name.replace(f"_{task}_", "_")
    words = [word for word in _any_level(name).split("_") if word and not word.isdigit() and word not in PLAIN]
    return words[0] if words else ""


def _any_level(name: str) -> str:
    return "_".join(word for word in name.split("_") if not LEVEL.fullmatch(word))
