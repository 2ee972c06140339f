"""A drawing of a multi-task model as an SVG: its blocks from left to right, a lane for each task."""

import itertools
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from visionmtl.model import MultiTaskModel
from visionmtl.report import blocks as block_graph
from visionmtl.report.blocks import Block, Blocks

# Of tasks in turn; each carries white text.
COLOURS = tuple(f"#{code}" for code in ("0072B2", "D55E00", "009E73", "8C4FE0", "C2185B", "8A6A00", "4A5568"))
GREY, STRONG, INK, PAPER = "#868E96", "#495057", "#212529", "#FFFFFF"
LANE, TALL, GAP, MARGIN = 62, 40, 34, 16  # pixels: from lane to lane, of a block, between columns, around all
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', 'DejaVu Sans', Arial, sans-serif"


class Box(NamedTuple):
    """Where a block lies, in pixels, and in which column and lanes."""

    x: float
    y: float
    width: float
    height: float
    column: int
    first: int
    last: int

    @property
    def middle(self) -> float:
        return self.y + self.height / 2

    @property
    def bottom(self) -> float:
        return self.y + self.height

    @property
    def right(self) -> float:
        return self.x + self.width


def svg(model: MultiTaskModel) -> str:
    """Draw a model's blocks: what one task owns in its colour and lane, what several share in grey across their lanes.

    A block with a strong rim is what the sharing scheme added; a dashed line ties blocks that a penalty holds together.
    The number under a title counts parameters.

    Example:
        >>> drawing = svg(visionmtl.MultiTaskModel(tasks, sharing="cross_stitch"))
        >>> saved = Path("model.svg").write_text(drawing)
    """
    graph = block_graph.of(model)
    colours = dict(zip(model.tasks, itertools.cycle(COLOURS), strict=False))
    boxes = place(graph, list(model.tasks))
    width = max(box.right for box in boxes) + MARGIN
    height = max(box.bottom for box in boxes) + MARGIN + 30
    parts = [*_arrows(graph, boxes, colours), *_ties(graph, boxes)]
    parts += [_block(block, box, colours) for block, box in zip(graph.blocks, boxes, strict=True)]
    parts.append(_legend(graph, model.count_params(), height - MARGIN))
    heads = "".join(
        f'<marker id="head-{colour[1:]}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="6" markerHeight="6"'
        f' orient="auto"><path d="M0 0.8 7.5 4 0 7.2z" fill="{colour}"/></marker>'
        for colour in (*dict.fromkeys(colours.values()), GREY)
    )
    label = escape(f"Blocks of a model with sharing {model.sharing.name}, tasks {', '.join(model.tasks)}")
    size = f'width="{width:g}" height="{height:g}"'
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} viewBox="0 0 {width:g} {height:g}" role="img"'
        f' aria-label="{label}" font-family="{FONT}">\n<defs>{heads}</defs>\n'
        f'<rect {size} rx="8" fill="{PAPER}"/>\n' + "\n".join(parts) + "\n</svg>\n"
    )


def place(graph: Blocks, tasks: Sequence[str]) -> list[Box]:
    """Return where each block lies.

    A block stands right of all that it reads, in the lanes of its tasks, alone where it stands; predictions stand in
    the last column. Lanes are in the order that makes the blocks of several tasks the smallest.
    """
    lanes = _lanes(graph, tasks)
    spans = [
        (min(lanes[task] for task in block.tasks), max(lanes[task] for task in block.tasks)) for block in graph.blocks
    ]
    columns = _columns(graph, spans)
    widths = [0.0] * (max(columns) + 1)
    for block, column in zip(graph.blocks, columns, strict=True):
        widths[column] = max(widths[column], _width(block))
    lefts = [MARGIN + sum(widths[:column]) + GAP * column for column in range(len(widths))]
    top = MARGIN + 22  # room for lines above all lanes
    boxes = []
    for block, column, (first, last) in zip(graph.blocks, columns, spans, strict=True):
        y, height = float(top + LANE * first), LANE * (last - first) + TALL
        if block.kind == "image":
            y, height = y + height / 2 - TALL / 2, TALL
        boxes.append(Box(lefts[column], y, widths[column], height, column, first, last))
    return boxes


def _lanes(graph: Blocks, tasks: Sequence[str]) -> dict[str, int]:
    """Return each task's lane: those that share something lie side by side, in the given order if that is as good."""
    shared = [block.tasks for block in graph.blocks if 1 < len(block.tasks) < len(tasks)]
    links = [
        (first, second)
        for block in graph.blocks
        for read in block.reads
        for first, second in itertools.product(graph.blocks[read].tasks, block.tasks)
        if len(block.tasks) == len(graph.blocks[read].tasks) == 1
    ]

    def cost(order: tuple[str, ...]) -> int:
        lane = {task: index for index, task in enumerate(order)}
        spread = sum(max(lane[task] for task in of) - min(lane[task] for task in of) for of in shared)
        return 10 * spread + sum(abs(lane[first] - lane[second]) for first, second in links)

    orders: list[tuple[str, ...]] = list(itertools.permutations(tasks)) if len(tasks) <= 6 else [tuple(tasks)]
    best = min(orders, key=cost)
    return {task: index for index, task in enumerate(best)}


def _columns(graph: Blocks, spans: Sequence[tuple[int, int]]) -> list[int]:
    """Return each block's column: levels one after the other, no two blocks of one column in the same lane."""
    columns: dict[int, int] = {}
    taken: dict[int, set[int]] = {}

    def urgency(index: int) -> tuple:
        block = graph.blocks[index]
        kinds = ("image", "backbone", "sharing", "neck", "head")
        return (block.level or "P9", kinds.index(block.kind), spans[index]) if index else ()

    read = {index for block in graph.blocks for index in block.reads}
    while len(columns) < len(graph.blocks):
        ready = [
            index
            for index, block in enumerate(graph.blocks)
            if index not in columns and all(source in columns for source in block.reads)
        ]
        index = min(ready, key=urgency)
        own = set(range(spans[index][0], spans[index][1] + 1))
        column = 1 + max((columns[source] for source in graph.blocks[index].reads), default=-1)
        while taken.setdefault(column, set()) & own:
            column += 1
        columns[index] = column
        taken[column] |= own
    ends = {index for index, block in enumerate(graph.blocks) if block.final and index not in read}
    inner = max(column for index, column in columns.items() if index not in ends)
    last = max(inner + 1, *columns.values())
    return [last if index in ends else columns[index] for index in range(len(graph.blocks))]


def _lines(block: Block) -> list[str]:
    """Return the lines of a block's title: a block of several lanes has room for several."""
    return block.title.replace(", ", ",\n").replace(" ", "\n").split("\n") if len(block.tasks) > 1 else [block.title]


def _width(block: Block) -> float:
    return max(52.0, 8.2 * max(len(line) for line in _lines(block)) + 18)


def _colour(tasks: Sequence[str], colours: Mapping[str, str]) -> str:
    return colours[tasks[0]] if len(tasks) == 1 else GREY


def _block(block: Block, box: Box, colours: Mapping[str, str]) -> str:
    """Draw one block: its title, and how many parameters it has."""
    colour, ink = _colour(block.tasks, colours), INK
    fill, rim = _tint(colour, 0.12), 1.2
    if block.kind == "sharing":
        fill, rim = _tint(colour, 0.34), 2.4
    if block.kind == "head" and block.final:
        fill, ink = colour, PAPER
    stroke = STRONG if block.kind == "sharing" and colour == GREY else colour
    count = _short(block.parameters)
    texts = [(line, 13, 600) for line in _lines(block)] + ([(count, 10, 400)] if count else [])
    x, y = box.x + box.width / 2, box.middle + 4.5 - 7 * (len(texts) - 1)
    drawn = "".join(
        f'<text x="{x:g}" y="{y + 14 * line:g}" text-anchor="middle" font-size="{size}" font-weight="{weight}"'
        f' fill="{ink}">{escape(text)}</text>'
        for line, (text, size, weight) in enumerate(texts)
    )
    return (
        f'<rect x="{box.x:g}" y="{box.y:g}" width="{box.width:g}" height="{box.height:g}" rx="7" fill="{fill}"'
        f' stroke="{stroke}" stroke-width="{rim}"/>{drawn}'
    )


def _arrows(graph: Blocks, boxes: Sequence[Box], colours: Mapping[str, str]) -> list[str]:
    """Draw what each block reads; a line that passes other blocks runs in a channel beside the lanes, and paler."""
    near: list[str] = []
    far: list[str] = []
    for target, block in enumerate(graph.blocks):
        for source in block.reads:
            tasks = min(graph.blocks[source].tasks, block.tasks, key=len)
            colour = _colour(tasks, colours)
            path, passing = _path(boxes[source], boxes[target], boxes)
            style = f'stroke="{colour}" stroke-width="{1.2 if passing else 1.8}" opacity="{0.55 if passing else 1}"'
            (far if passing else near).append(
                f'<path d="{path}" fill="none" {style} marker-end="url(#head-{colour[1:]})"/>'
            )
    return [*far, *near]


def _path(source: Box, target: Box, boxes: Sequence[Box]) -> tuple[str, bool]:
    """Return the way of an arrow, and whether it had to leave its lane to pass other blocks."""
    start, end = _ends(source, target)
    x, goal, half = source.right, target.x - 1, GAP / 2
    between = [box for box in boxes if source.column < box.column < target.column]
    gaps = [target.y + LANE * lane - (LANE - TALL) / 2 for lane in range(1, target.last - target.first + 1)]
    for y in (end, *(gap for gap in gaps if source.y < gap < source.bottom)):
        if not any(box.y - 4 < y < box.bottom + 4 for box in between):
            if start == end or y != end:
                return f"M{x:g} {y:g}L{goal:g} {y:g}", False
            turn = min(x + GAP, goal)
            return f"M{x:g} {start:g}C{x + half:g} {start:g} {turn - half:g} {y:g} {turn:g} {y:g}L{goal:g} {y:g}", False
    if target.first < target.last:  # above all lanes, and down onto the block
        y, up, down = MARGIN + 10, source.x + source.width / 2, target.x + target.width / 2
        way = f"M{up:g} {source.y:g}Q{up:g} {y:g} {up + 10:g} {y:g}L{down - 10:g} {y:g}"
        return f"{way}Q{down:g} {y:g} {down:g} {target.y - 1:g}", True
    y = target.y - 6  # just above the block's lane, behind what crosses it
    start = y if source.y < y < source.bottom else start
    way = f"M{x:g} {start:g}C{x + half:g} {start:g} {x + half:g} {y:g} {x + GAP:g} {y:g}"
    return f"{way}L{goal - half:g} {y:g}Q{goal - half / 2:g} {y:g} {goal:g} {target.y + TALL / 4:g}", True


def _ends(source: Box, target: Box) -> tuple[float, float]:
    """Return the heights at which an arrow leaves and arrives: level where the two lie side by side."""
    low, high = max(source.y, target.y), min(source.bottom, target.bottom)
    if low < high:
        return (low + high) / 2, (low + high) / 2
    return source.middle, target.middle


def _ties(graph: Blocks, boxes: Sequence[Box]) -> list[str]:
    """Draw dashed lines between blocks whose parameters a penalty ties together."""
    lines = []
    for tie in graph.ties:
        tied = sorted((boxes[index] for index in tie), key=lambda box: box.y)
        for upper, lower in itertools.pairwise(tied):
            x = upper.x + upper.width / 2
            lines.append(
                f'<path d="M{x:g} {upper.bottom:g}L{x:g} {lower.y:g}" stroke="{INK}" stroke-width="1.6"'
                f' stroke-dasharray="3 3"/>'
            )
    return lines


def _legend(graph: Blocks, parameters: int, y: float) -> str:
    """Explain under the drawing what its lines and rims mean, those that occur."""
    notes = [f"{_short(parameters)} parameters in all"]
    if any(block.kind == "sharing" for block in graph.blocks):
        notes.append("strong rim: added by the scheme")
    if any(block.kind == "head" and not block.final for block in graph.blocks):
        notes.append("pale head: a first prediction")
    if graph.ties:
        notes.append("dashed: tied by a penalty")
    return f'<text x="{MARGIN}" y="{y:g}" font-size="11" fill="{STRONG}">{" · ".join(notes)}</text>'


def _short(count: int) -> str:
    """Return a count in thousands or millions; nothing for none."""
    if count < 1000:
        return f"{count}" if count else ""
    return f"{count / 1000:.3g} k" if count < 999_500 else f"{count / 1e6:.3g} M"


def _tint(colour: str, strength: float) -> str:
    """Return a colour mixed with white."""
    tones = [round(255 + strength * (tone - 255)) for tone in bytes.fromhex(colour[1:])]
    return "#" + bytes(tones).hex().upper()
