"""Curves and confusion matrices as files; figures have no window, so a notebook shows none by itself."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor

from qiskit_hqnn._files import write_whole
from qiskit_hqnn._text import drawn
from qiskit_hqnn.training.losses import rank
from qiskit_hqnn.training.scores import ACCURACY, R2, Score

_NUMBERED = 30
"""Up to this many classes the cells of a confusion matrix contain numbers."""


def best_epoch(history: Sequence[Mapping[str, float]]) -> Mapping[str, float] | None:
    """The epoch whose weights are kept: that of the best validation accuracy, and among equals (and of numbers) of the
    lowest loss.

    None where there were no validation images: the last one counts then.
    """
    rows = [row for row in history if "validation_loss" in row]
    return max(
        rows, key=lambda row: rank(row["validation_loss"], row.get("validation_accuracy")), default=None
    )


def score_of_history(history: Sequence[Mapping[str, float]]) -> Score:
    """The score of the epochs of a history."""
    return R2 if any("train_r2" in row for row in history) else ACCURACY


def draw_curves(history: Sequence[Mapping[str, float]], path: Path) -> None:
    """Loss and score by epoch, training and validation, as PNG."""
    draw_curves_of_runs([history], path)


def draw_curves_of_runs(histories: Sequence[Sequence[Mapping[str, float]]], path: Path) -> None:
    """The same of several runs: each one pale, and their means."""
    write_whole(path, lambda beside: _curves(histories).savefig(beside, dpi=120))


def curves_svg(history: Sequence[Mapping[str, float]]) -> bytes:
    """The same of one run as vector graphics."""
    file = io.BytesIO()
    _curves([history]).savefig(file, format="svg")
    return file.getvalue()


def _curves(histories: Sequence[Sequence[Mapping[str, float]]]) -> Figure:
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, 2)
    best = best_epoch(histories[0]) if len(histories) == 1 else None
    score = score_of_history(histories[0])
    for axis, (quantity, name) in zip(axes, (("loss", "loss"), (score.key, score.name)), strict=True):
        for part, colour in (("train", "#6f8fb3"), ("validation", "#c4572e")):
            lines = [_line(history, f"{part}_{quantity}") for history in histories]
            _draw_lines(axis, [line for line in lines if line], colour, part)
        if best is not None and len(histories[0]) > 1:
            axis.axvline(best["epoch"], color="#555555", linewidth=0.9, linestyle=":")
        axis.set_xlabel("epoch")
        axis.set_ylabel(name)
        axis.spines[["top", "right"]].set_visible(False)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes[0].legend(frameon=False)
    return figure


def _line(history: Sequence[Mapping[str, float]], key: str) -> dict[float, float]:
    """A quantity by epoch."""
    return {row["epoch"]: row[key] for row in history if key in row}


def _draw_lines(axis: Axes, lines: Sequence[Mapping[float, float]], colour: str, label: str) -> None:
    """One line for each run, pale if there are several, and then their mean over the epochs that all have."""
    for line in lines if len(lines) > 1 else ():
        axis.plot(list(line), list(line.values()), color=colour, alpha=0.25, linewidth=0.8)
    if lines:
        epochs = [epoch for epoch in lines[0] if all(epoch in line for line in lines)]
        mean = [sum(line[epoch] for line in lines) / len(lines) for epoch in epochs]
        # A line through one point is invisible.
        size, marker = 7 if len(epochs) == 1 else 3, "o" if len(epochs) < 30 else ""
        axis.plot(epochs, mean, color=colour, marker=marker, markersize=size, label=label)
        for line in lines if len(lines) > 1 and len(epochs) == 1 else ():
            axis.plot(list(line), list(line.values()), "o", color=colour, alpha=0.25, markersize=4)


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
