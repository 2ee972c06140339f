"""Charts of one measurement: figures by class, confusions, precision and recall."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.figure import Figure

from visionmtl.report.axes import INK, LINES, PALE, plain, set_title


def per_class(values: Mapping[str, float], title: str) -> Figure:
    """Draw one bar per class, best first, with the mean; classes without a value (NaN) come last and say so.

    Args:
        values: by class name, in 0..1, such as the IoU of each class.
        title: what they are.
    """
    order = sorted(values, key=lambda name: (math.isnan(values[name]), -values[name]))
    figure = Figure((6.4, 1.1 + 0.27 * len(order)), layout="constrained")
    axes = plain(figure.add_subplot())
    lengths = [0.0 if math.isnan(values[name]) else values[name] for name in order]
    axes.barh(range(len(order)), lengths, height=0.68, color=LINES[0])
    for row, name in enumerate(order):
        text = "none in this split" if math.isnan(values[name]) else f"{values[name]:.3f}"
        axes.annotate(text, (lengths[row], row), (4, 0), textcoords="offset points", va="center", fontsize=8, color=INK)
    known = [value for value in values.values() if not math.isnan(value)]
    if known:
        mean = sum(known) / len(known)
        axes.axvline(mean, color=LINES[1], linewidth=1, linestyle=(0, (4, 3)))
        axes.set_xlabel(f"mean {mean:.3f}", color=LINES[1], fontsize=9)
    axes.set_yticks(range(len(order)), order)
    axes.set_xlim(0, 1.08)
    axes.set_xticks(np.linspace(0, 1, 6))
    axes.invert_yaxis()
    axes.grid(axis="y", visible=False)
    set_title(axes, title)
    return figure


def confusion(matrix: np.ndarray, classes: Sequence[str], title: str = "confusion") -> Figure:
    """Draw a confusion matrix, each row in shares of its true class.

    Args:
        matrix: counts `[C, C]`, rows the truth, columns the prediction.
        classes: C names.
    """
    matrix = np.asarray(matrix, np.float64)
    shares = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    side = 2.2 + 0.42 * len(classes)
    figure = Figure((side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), classes)
    axes.tick_params(length=0, labelsize=8, colors=INK)
    axes.set_xlabel("prediction", fontsize=9, color=INK)
    axes.set_ylabel("truth", fontsize=9, color=INK)
    for spine in axes.spines.values():
        spine.set_visible(False)
    if len(classes) <= 20:
        for row, column in np.argwhere(shares >= 0.005):
            share = shares[row, column]
            text = "1" if share >= 0.995 else f"{share:.2f}"[1:]
            axes.text(column, row, text, ha="center", va="center", fontsize=7, color="white" if share > 0.55 else INK)
    set_title(axes, title)
    return figure


def precision_recall(precision: np.ndarray, classes: Sequence[str], title: str = "precision and recall") -> Figure:
    """Draw precision over recall for each class.

    Args:
        precision: `[R, C]` at R recalls evenly from 0 to 1; a class of NaN is left out.
        classes: C names.
    """
    figure = Figure((6.4, 4.4), layout="constrained")
    axes = plain(figure.add_subplot())
    recall = np.linspace(0, 1, len(precision))
    shown = [index for index in range(len(classes)) if not np.isnan(precision[:, index]).any()]
    # More curves than colours are a thicket: the classes are grey then, and their mean stands out.
    many = len(shown) > len(LINES)
    for row, index in enumerate(shown):
        axes.plot(
            recall,
            precision[:, index],
            color=PALE if many else LINES[row],
            linewidth=0.7 if many else 1.6,
            label=None if many else f"{classes[index]} {precision[:, index].mean():.2f}",
        )
    if many:
        mean = precision[:, shown].mean(axis=1)
        axes.plot(recall, mean, color=LINES[0], linewidth=2.2, label=f"mean of {len(shown)} classes {mean.mean():.2f}")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.02)
    axes.set_xlabel("recall", fontsize=9, color=INK)
    axes.set_ylabel("precision", fontsize=9, color=INK)
    if shown:
        axes.legend(frameon=False, fontsize=8, labelcolor=INK, loc="upper left", bbox_to_anchor=(1.01, 1))
    set_title(axes, title)
    return figure
