"""Whether an ansatz can be trained: how its gradients shrink with qubits and depth (McClean et al. 2018)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from scipy.stats import t as student

from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation import compile_ansatz


def weight_gradients(ansatz: Ansatz, samples: int, output: int = 0, seed: int = 0) -> np.ndarray:
    """Gradients (samples, weights) of one output at random inputs and weights in [0, 2π).

    Raises:
        HQNNError: if the ansatz has no weights.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> weight_gradients(hqnn_parallel(2, 1), samples=10).shape
        (10, 6)
    """
    if not ansatz.num_weights:
        raise HQNNError(f"Ansatz {ansatz.name!r} has no weights, so there is no gradient.")
    generator = torch.Generator().manual_seed(seed)
    inputs = torch.rand(1, samples, ansatz.num_inputs, generator=generator, dtype=torch.float64) * 2 * math.pi
    weights = torch.rand(samples, ansatz.num_weights, generator=generator, dtype=torch.float64) * 2 * math.pi
    weights.requires_grad_()
    # Each sample is a copy with separate weights: one backward pass gives all their gradients.
    compile_ansatz(ansatz).expectation_values(inputs, weights)[..., output].sum().backward()
    assert weights.grad is not None
    return weights.grad.numpy()


def gradient_variance(
    factory: Callable[..., Ansatz],
    qubits: Sequence[int] = (2, 4, 6, 8, 10, 12),
    depths: Sequence[int] = (1, 5, 10, 20),
    samples: int = 200,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Variance of the gradient's components against qubits and depth, with the slope of its logarithm.

    A barren plateau is a slope below zero that stays: Var ∝ exp(slope · n) (McClean et al. 2018, arXiv:1803.11173).

    Args:
        factory: returns the ansatz for num_qubits and depth.
        qubits, depths: sizes.
        samples: random parameter sets for each size.
        seed: of the parameters.
        progress: called with each finished size.

    Raises:
        HQNNError: if the ansatz has no weights, or the output depends on none of them.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> gradient_variance(hqnn_parallel, qubits=(2, 3), depths=(1,), samples=10).table.shape[0]
        2
    """
    rows = []
    for depth in depths:
        for count in qubits:
            gradients = weight_gradients(factory(num_qubits=count, depth=depth), samples, seed=seed)
            variance = float(gradients.var(axis=0).mean())
            if variance < 1e-30:
                raise HQNNError(
                    f"Output 0 depends on no weight with {count} qubits and {depth} layers, so there is no gradient."
                )
            rows.append({"qubits": count, "layers": depth, "variance": variance})
            if progress:
                progress(f"{count} qubits, {depth} layers: {rows[-1]['variance']:.3g}")
    table = pd.DataFrame(rows)
    slopes = {depth: _slope(table[table["layers"] == depth]) for depth in depths}

    deepest = max(depths)
    slope, half = slopes[deepest]
    return Analysis(
        "Gradient variance",
        f"At {deepest} layers the variance changes by a factor of {math.exp(slope):.2f} per qubit (log slope "
        f"{slope:.2f} ± {half:.2f}, 95 %).",
        table,
        lambda: _draw(table),
    )


def _draw(table: pd.DataFrame) -> Figure:
    figure = new_figure(7, 4)
    axis = figure.subplots()
    for depth in table["layers"].unique():
        part = table[table["layers"] == depth]
        axis.semilogy(part["qubits"], part["variance"], marker="o", label=f"{depth} layers")
    axis.set_xlabel("qubits")
    axis.set_ylabel("variance of ∂⟨O⟩/∂θ")
    axis.legend(frameon=False)
    return figure


def _slope(part: pd.DataFrame) -> tuple[float, float]:
    """Slope of log variance against qubits, and half of its 95 % interval."""
    x, y = part["qubits"].to_numpy(dtype=float), np.log(part["variance"].to_numpy())
    if len(x) < 3:
        return (float((y[-1] - y[0]) / (x[-1] - x[0])) if len(x) > 1 else float("nan")), float("nan")
    slope, offset = np.polyfit(x, y, 1)
    residual = y - slope * x - offset
    error = math.sqrt((residual**2).sum() / (len(x) - 2) / ((x - x.mean()) ** 2).sum())
    return float(slope), float(student.ppf(0.975, len(x) - 2) * error)
