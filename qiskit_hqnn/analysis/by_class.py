"""A trained quantum layer's outputs and its qubits' Bloch vectors, by class of the images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from matplotlib.patches import Circle
from torch import Tensor

from qiskit_hqnn._text import drawn
from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.simulation import compile_ansatz

_SHOWN = 12
"""Outputs that a figure shows; the table has all of them."""


def outputs_by_class(outputs: Tensor, labels: Tensor, class_names: Sequence[str]) -> Analysis:
    """Each output's distribution by class, and the share of its variance that the class explains (η²).

    Args:
        outputs: of the quantum layer, (N, …); further axes are flattened.
        labels: (N,).
        class_names: by label.

    Example:
        >>> import torch
        >>> outputs_by_class(torch.rand(6, 2), torch.tensor([0, 0, 0, 1, 1, 1]), ["cat", "dog"]).table.shape[0]
        2
    """
    flat = outputs.flatten(1).double()
    rows = []
    for column in range(flat.shape[1]):
        values = flat[:, column]
        means = torch.stack([values[labels == label].mean() for label in labels.unique()])
        counts = torch.stack([(labels == label).sum() for label in labels.unique()])
        between = float((counts * (means - values.mean()) ** 2).sum())
        total = float(((values - values.mean()) ** 2).sum())
        rows.append(
            (column, float(values.mean()), float(values.std()), between / total if total > 1e-12 else 0.0)
        )
    table = pd.DataFrame(rows, columns=["output", "mean", "standard deviation", "explained by class"])
    best = table.loc[table["explained by class"].idxmax()]
    silent = int((table["standard deviation"] < 0.01).sum())
    summary = (
        f"Output {int(best['output'])} separates the classes best: the class explains "
        f"{100 * best['explained by class']:.0f} % of its variance (mean over all outputs "
        f"{100 * table['explained by class'].mean():.0f} %). {silent} of {len(table)} outputs hardly vary from image "
        "to image (standard deviation below 0.01)."
    )
    return Analysis(
        "Outputs of the quantum layer by class",
        summary,
        table,
        lambda: _draw_outputs(table, flat, labels, class_names),
    )


def _draw_outputs(table: pd.DataFrame, flat: Tensor, labels: Tensor, class_names: Sequence[str]) -> Figure:
    shown = table.sort_values("explained by class", ascending=False)["output"].head(_SHOWN).sort_values()
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_figure(2.6 * columns, 1.9 * lines + 0.5)
    axes = figure.subplots(lines, columns, squeeze=False)
    for axis, output in zip(axes.flat, shown, strict=False):
        values = flat[:, int(output)].numpy()
        bins = np.linspace(values.min() - 1e-6, values.max() + 1e-6, 25)
        for label in labels.unique().tolist():
            chosen = values[(labels == label).numpy()]
            axis.hist(chosen, bins, histtype="step", density=True, label=drawn(class_names[label]))
        axis.set_title(f"output {int(output)}", fontsize=9)
        axis.set_yticks([])
        axis.spines[["top", "right", "left"]].set_visible(False)
    for axis in list(axes.flat)[len(shown) :]:
        axis.set_axis_off()
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=8)
    return figure


def bloch_vectors(ansatz: Ansatz, inputs: Tensor, weights: Tensor) -> Tensor:
    """(⟨X⟩, ⟨Y⟩, ⟨Z⟩) of every qubit before measurement: inputs (N, copies, I) to (N, copies · qubits, 3).

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import textbook
        >>> bloch_vectors(textbook(), torch.zeros(1, 1, 1), torch.zeros(1, 0)).shape  # x, y, z of each qubit
        torch.Size([1, 1, 3])
    """
    with torch.no_grad():
        states = compile_ansatz(ansatz).statevectors(inputs, weights)
    vectors = []
    for qubit in range(ansatz.num_qubits):
        parts = states.reshape(*states.shape[:-1], -1, 2, 2**qubit)
        zero, one = parts[..., 0, :].flatten(-2), parts[..., 1, :].flatten(-2)
        overlap = (zero.conj() * one).sum(-1)
        difference = (zero.abs() ** 2).sum(-1) - (one.abs() ** 2).sum(-1)
        vectors.append(torch.stack([2 * overlap.real, 2 * overlap.imag, difference], dim=-1))
    return torch.stack(vectors, dim=-2).flatten(1, 2)


def bloch_by_class(
    ansatz: Ansatz, inputs: Tensor, weights: Tensor, labels: Tensor, class_names: Sequence[str]
) -> Analysis:
    """Bloch vectors of the qubits right before measurement, averaged by class.

    A short mean vector of a class means that the qubit is entangled with others or differs from image to image; classes
    whose vectors coincide are not separated by that qubit alone.

    Args:
        ansatz: of one copy.
        inputs: of the layer, (N, copies, I).
        weights: trained, (copies, W).
        labels: (N,).
        class_names: by label.

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import textbook
        >>> labels = torch.tensor([0, 0, 1, 1])
        >>> bloch_by_class(textbook(), torch.rand(4, 1, 1), torch.zeros(1, 0), labels, ["cat", "dog"]).table.shape[0]
        2
    """
    vectors = bloch_vectors(ansatz, inputs, weights).double()
    found = labels.unique().tolist()
    means = torch.stack([vectors[labels == label].mean(dim=0) for label in found])  # (classes, qubits, 3)
    lengths = vectors.norm(dim=-1).mean(dim=0)
    spread = _spread(means)
    widest = int(spread.argmax())
    rows = [
        (
            f"{qubit // ansatz.num_qubits}",
            qubit % ansatz.num_qubits,
            class_names[label],
            *means[k, qubit].tolist(),
        )
        for qubit in range(vectors.shape[1])
        for k, label in enumerate(found)
    ]
    table = pd.DataFrame(rows, columns=["copy", "qubit", "class", "⟨X⟩", "⟨Y⟩", "⟨Z⟩"])
    summary = (
        f"Bloch vectors are {float(lengths.mean()):.2f} long on average (1 is a qubit that is not entangled, 0 one "
        f"that carries no information by itself); the classes' mean vectors lie {float(spread.mean()):.2f} from their "
        f"centre, most on qubit {widest % ansatz.num_qubits} of copy {widest // ansatz.num_qubits}."
    )

    return Analysis(
        "Bloch vectors by class", summary, table, lambda: _draw_discs(ansatz, means, found, class_names)
    )


def _spread(means: Tensor) -> Tensor:
    """How far the classes' mean vectors lie from their centre, of each qubit: (classes, qubits, 3) to (qubits,)."""
    return (means - means.mean(dim=0)).norm(dim=-1).mean(dim=0)


def _draw_discs(ansatz: Ansatz, means: Tensor, labels: Sequence[int], class_names: Sequence[str]) -> Figure:
    """The classes' mean vectors on the eight qubits that separate them most, in the plane of the largest distances."""
    shown = sorted(_spread(means).argsort(descending=True)[:8].tolist())
    # Of the three axes, the one that adds least is left out.
    plane = sorted((means - means.mean(dim=0)).square().sum(dim=(0, 1)).argsort(descending=True)[:2].tolist())
    columns = min(4, len(shown))
    lines = -(-len(shown) // columns)
    figure = new_figure(2.3 * columns + 1, 2.4 * lines)
    axes = figure.subplots(lines, columns, squeeze=False)
    for axis, qubit in zip(axes.flat, shown, strict=False):
        axis.add_patch(Circle((0, 0), 1, fill=False, color="#bbbbbb", linewidth=0.8))
        for k, label in enumerate(labels):
            across, up = means[k, qubit, plane].tolist()
            axis.plot(
                [0, across],
                [0, up],
                marker="o",
                markevery=[1],
                markersize=4,
                label=drawn(class_names[label]),
            )
        axis.set(xlim=(-1.1, 1.1), ylim=(-1.1, 1.1), aspect="equal", xticks=[-1, 0, 1], yticks=[-1, 0, 1])
        axis.set_title(f"copy {qubit // ansatz.num_qubits}, qubit {qubit % ansatz.num_qubits}", fontsize=9)
        axis.set_xlabel(f"⟨{'XYZ'[plane[0]]}⟩", fontsize=8)
        axis.set_ylabel(f"⟨{'XYZ'[plane[1]]}⟩", fontsize=8)
    for axis in list(axes.flat)[len(shown) :]:
        axis.set_axis_off()
    handles, names = axes.flat[0].get_legend_handles_labels()
    figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=8)
    return figure
