"""Curves and confusion matrices as files; figures belong to no window, so that a notebook shows none by itself."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from qiskit_hqnn._files import write_whole
from qiskit_hqnn._text import drawn

_NUMBERED = 30
"""Up to so many classes the cells of a confusion matrix have numbers in them."""


def best_epoch(history: Sequence[Mapping[str, float]]) -> Mapping[str, float] | None:
    """The epoch whose weights are kept: that of the best validation accuracy, and among equals of the lowest loss.

    None where there were no validation images: the last one counts then.
    """
    rows = [row for row in history if "validation_accuracy" in row and "validation_loss" in row]
    # As `Classifier` ranks them.
    return max(
        rows,
        key=lambda row: row["validation_accuracy"] - 1e-5 * min(row["validation_loss"], 5.0),
        default=None,
    )


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss and accuracy by epoch, training and validation, as PNG."""
    write_whole(path, lambda beside: _curves(history).savefig(beside, dpi=120))


def curves_svg(history: Sequence[Mapping[str, float]]) -> bytes:
    """The same as vector graphics."""
    file = io.BytesIO()
    _curves(history).savefig(file, format="svg")
    return file.getvalue()


def _curves(history: Sequence[Mapping[str, float]]) -> Figure:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, 2)
    epochs = [row["epoch"] for row in history]
    best = best_epoch(history)
    for axis, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        for part, colour in (("train", "#6f8fb3"), ("validation", "#c4572e")):
            values = [row.get(f"{part}_{quantity}") for row in history]
            if any(value is not None for value in values):
                # A line through one point is nothing to see.
                size = 7 if len(epochs) == 1 else 3
                marker = "o" if len(epochs) < 30 else ""
                axis.plot(epochs, values, color=colour, marker=marker, markersize=size, label=part)
        if best is not None and len(epochs) > 1:
            axis.axvline(best["epoch"], color="#555555", linewidth=0.9, linestyle=":")
        axis.set_xlabel("epoch")
        axis.set_ylabel(quantity)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[0].legend(frameon=False)
    return figure


def draw_confusion(confusion: Tensor, class_names: Sequence[str], title: str, path: Path) -> None:
    """Counts by true (rows) and predicted (columns) class."""
    class_names = [drawn(name) for name in class_names]
    count = len(class_names)
    numbered = count <= _NUMBERED
    side = max(3.2, (0.5 if count <= 12 else 0.3 if numbered else 0.15) * count + 1.4)
    figure = Figure(figsize=(side, side), layout="constrained")
    axis = figure.subplots()
    shares = confusion / confusion.sum(dim=1, keepdim=True).clamp_min(1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row, column in confusion.nonzero().tolist() if numbered else []:
        colour = "white" if shares[row, column] > 0.5 else "#333333"
        text = str(int(confusion[row, column]))
        axis.text(column, row, text, ha="center", va="center", fontsize=8 if count <= 12 else 6, color=colour)
    crowded = max(map(len, class_names)) > 3
    axis.set_xticks(
        range(count),
        class_names,
        rotation=(60 if numbered else 90) if crowded else 0,
        ha="right" if crowded and numbered else "center",
        fontsize=None if count <= 12 else 7,
    )
    axis.set_yticks(range(count), class_names, fontsize=None if count <= 12 else 7)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.set_title(drawn(title), fontsize=10)
    write_whole(path, lambda beside: figure.savefig(beside, dpi=120))
