"""What a trained network's quantum layer contributes, and how its weights moved."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.stats import binomtest
from torch import Tensor

from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.errors import HQNNError

_SHOWN = 12
"""Outputs that a figure shows; the table has all of them."""


def ablation(
    decode: Callable[[Tensor], Tensor], outputs: Tensor, means: Tensor, labels: Tensor, images: str
) -> Analysis:
    """How much accuracy is lost when the quantum layer's outputs are replaced by their mean over the training images.

    Every output is replaced alone, then all of them: the latter shows what the classical rest achieves by
    itself. The two predictions are compared image by image (McNemar's exact test); the interval of the loss
    is that of the paired differences.

    Args:
        decode: the part after the quantum layer, from outputs to logits.
        outputs: of the quantum layer, (N, …).
        means: of the outputs over training images, of the shape of one image's outputs.
        labels: (N,).
        images: what the N images are, for the title.

    Example:
        >>> import torch
        >>> labels = torch.tensor([0, 1, 0, 1])
        >>> logits = torch.eye(2)[labels]  # outputs that are the right answers themselves
        >>> lost = ablation(lambda outputs: outputs, logits, logits.mean(dim=0), labels, "four images")
        >>> lost.table.shape[0]  # all outputs, then each alone
        3
    """
    flat, mean = outputs.flatten(1), means.flatten()
    right = _right(decode, outputs, labels)
    rows = []
    for name, columns in [
        ("all", torch.arange(flat.shape[1])),
        *((str(k), torch.tensor([k])) for k in range(flat.shape[1])),
    ]:
        replaced = flat.clone()
        replaced[:, columns] = mean[columns]
        rows.append((name, *_compared(right, _right(decode, replaced.view_as(outputs), labels))))
    names = ["replaced", "accuracy", "lost", "low", "high", "images lost", "images won", "p (McNemar)"]
    table = pd.DataFrame(rows, columns=names)
    accuracy, whole = float(right.float().mean()), table.iloc[0]
    summary = (
        f"On {len(labels)} {images} the network is right in {100 * accuracy:.1f} %; with all outputs of the quantum "
        f"layer at their mean, in {100 * whole['accuracy']:.1f} %: {100 * whole['lost']:.1f} points are lost (95 % "
        f"interval {100 * whole['low']:.1f} to {100 * whole['high']:.1f}). "
    )
    if whole["low"] > 0:
        summary += (
            "This network reads its quantum layer. Whether a classical layer in its place would do as well, only "
            "the controls tell."
        )
    elif whole["images lost"] + whole["images won"] == 0:
        summary += "No image is classified differently: the network does as well without its quantum layer."
    else:
        summary += "No loss is shown on these images: the interval includes 0."
    return Analysis("Ablation of the quantum layer", summary, table, lambda: _draw_losses(table))


def _compared(right: Tensor, still: Tensor) -> tuple[float, float, float, float, int, int, float]:
    """The loss of the second of two predictions: accuracy, loss and its interval, images lost and won, McNemar's p."""
    lost, won = int((right & ~still).sum()), int((~right & still).sum())
    loss = (lost - won) / len(right)
    variance = (lost + won) / len(right) - loss**2
    half = 1.96 * math.sqrt(max(variance, 0) / len(right))
    p = binomtest(lost, lost + won).pvalue if lost + won else 1.0
    return float(still.float().mean()), loss, loss - half, loss + half, lost, won, p


def _draw_losses(table: pd.DataFrame) -> Figure:
    figure = new_figure(8, 0.8 + 0.26 * len(table.head(_SHOWN + 1)))
    axis = figure.subplots()
    shown = table.head(_SHOWN + 1).iloc[::-1]
    spread = [shown["lost"] - shown["low"], shown["high"] - shown["lost"]]
    axis.barh(shown["replaced"], 100 * shown["lost"], xerr=[100 * part for part in spread], color="#6f8fb3")
    axis.set_xlabel("accuracy lost, points")
    axis.set_ylabel("output at its mean")
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def weight_movement(before: Tensor, after: Tensor) -> Analysis:
    """How far each quantum weight moved during training, on the circle.

    Args:
        before: initial angles in radians, (W,).
        after: trained ones.

    Raises:
        HQNNError: if the shapes differ.

    Example:
        >>> import torch
        >>> weight_movement(torch.zeros(1, 3), torch.full((1, 3), 0.1)).table.shape[0]
        1
    """
    if before.shape != after.shape:
        raise HQNNError(
            f"Weights before and after must be of one shape, but are {before.shape} and {after.shape}."
        )
    moved = torch.remainder(after - before + math.pi, 2 * math.pi) - math.pi
    table = pd.DataFrame(
        {
            "weight": range(len(before)),
            "before": before.tolist(),
            "after": after.tolist(),
            "moved": moved.tolist(),
        }
    )
    size = moved.abs()
    still = int((size < 1e-6).sum())
    summary = (
        f"Half of the {len(before)} quantum weights moved by more than {float(size.median()):.3f} rad, the furthest by "
        f"{float(size.max()):.3f}; {still} did not move at all, so no output depends on them or they were frozen."
    )

    def draw() -> Figure:
        figure = new_figure(8, 3)
        axis = figure.subplots()
        axis.bar(range(len(moved)), moved.tolist(), color="#6f8fb3", width=0.9)
        axis.axhline(0, color="#333333", linewidth=0.6)
        axis.set_xlabel("quantum weight")
        axis.set_ylabel("moved, rad")
        axis.spines[["top", "right"]].set_visible(False)
        return figure

    return Analysis("Movement of the quantum weights", summary, table, draw)


def gradient_norms(history: Sequence[Mapping[str, float]]) -> Analysis:
    """Norm of each part's gradient at the end of every epoch: a plateau shows as a quantum line that sinks to zero.

    Args:
        history: rows with "epoch" and "gradient_PART" for each part, as in a run folder's metrics.csv.

    Raises:
        HQNNError: if no column begins with "gradient_".

    Example:
        >>> rows = [{"epoch": 1, "gradient_quantum": 0.2}, {"epoch": 2, "gradient_quantum": 0.1}]
        >>> gradient_norms(rows).table["quantum"].tolist()
        [0.2, 0.1]
    """
    parts = sorted({name for row in history for name in row if name.startswith("gradient_")})
    if not parts:
        raise HQNNError(
            "This run has no gradient norms: its metrics.csv has no column that begins with gradient_."
        )
    table = pd.DataFrame([{name: row.get(name) for name in ("epoch", *parts)} for row in history])
    table.columns = ["epoch", *(name.removeprefix("gradient_") for name in parts)]
    last = table.iloc[-1]
    summary = "Gradient norms in the last epoch: " + ", ".join(
        f"{name} {last[name]:.3g}" for name in table.columns[1:]
    )
    if "quantum" in table:
        summary += f"; that of the quantum weights began at {table['quantum'].iloc[0]:.3g}"

    def draw() -> Figure:
        figure = new_figure(7, 3.4)
        axis = figure.subplots()
        for name in table.columns[1:]:
            axis.plot(table["epoch"], table[name], marker="o", markersize=3, label=name)
        axis.set_yscale("log")
        axis.set_xlabel("epoch")
        axis.set_ylabel("gradient norm")
        axis.legend(frameon=False)
        axis.spines[["top", "right"]].set_visible(False)
        return figure

    return Analysis("Gradient norms during training", summary + ".", table, draw)


def _right(decode: Callable[[Tensor], Tensor], outputs: Tensor, labels: Tensor) -> Tensor:
    with torch.no_grad():
        return decode(outputs).argmax(dim=1) == labels
