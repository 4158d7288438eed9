"""Curves and confusion matrices, as PNG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from qiskit_hqnn._files import write_whole
from qiskit_hqnn._text import drawn


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss and accuracy by epoch, training and validation."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axis, quantity in zip(axes, ("loss", "accuracy"), strict=True):
        for part, colour in (("train", "#6f8fb3"), ("validation", "#c4572e")):
            values = [row.get(f"{part}_{quantity}") for row in history]
            if any(value is not None for value in values):
                # A line through one point is nothing to see.
                size = 7 if len(epochs) == 1 else 3
                marker = "o" if len(epochs) < 30 else ""
                axis.plot(epochs, values, color=colour, marker=marker, markersize=size, label=part)
        axis.set_xlabel("epoch")
        axis.set_ylabel(quantity)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[0].legend(frameon=False)
    write_whole(path, lambda beside: figure.savefig(beside, dpi=120))
    plt.close(figure)


def draw_confusion(confusion: Tensor, class_names: Sequence[str], title: str, path: Path) -> None:
    """Counts by true (rows) and predicted (columns) class."""
    class_names = [drawn(name) for name in class_names]
    side = max(3.2, 0.5 * len(class_names) + 1.4)
    figure, axis = plt.subplots(figsize=(side, side), layout="constrained")
    shares = confusion / confusion.sum(dim=1, keepdim=True).clamp_min(1)
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for row in range(len(class_names)):
        for column in range(len(class_names)):
            if count := int(confusion[row, column]):
                colour = "white" if shares[row, column] > 0.5 else "#333333"
                axis.text(column, row, str(count), ha="center", va="center", fontsize=8, color=colour)
    crowded = max(map(len, class_names)) > 3
    axis.set_xticks(
        range(len(class_names)),
        class_names,
        rotation=60 if crowded else 0,
        ha="right" if crowded else "center",
    )
    axis.set_yticks(range(len(class_names)), class_names)
    axis.set_xlabel("predicted")
    axis.set_ylabel("true")
    axis.set_title(drawn(title), fontsize=10)
    write_whole(path, lambda beside: figure.savefig(beside, dpi=120))
    plt.close(figure)
