"""How much of state space an ansatz reaches, and how much it entangles (Sim et al. 2019, arXiv:1905.10876)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure
from torch import Tensor

from qiskit_hqnn._text import drawn
from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.analysis.sampling import random_states
from qiskit_hqnn.circuits import Ansatz


@dataclass(frozen=True, eq=False)
class Fidelities:
    """Fidelities of pairs of random states.

    Attributes:
        values: array of shape (pairs,), in [0, 1].
        dimension: 2^n.
    """

    values: np.ndarray
    dimension: int

    def divergence(self, bins: int = 75) -> float:
        """Kullback–Leibler divergence from Haar-random states, in nats, over equal bins (arXiv:1905.10876, eq. (9))."""
        edges = np.linspace(0, 1, bins + 1)
        counts, _ = np.histogram(np.clip(self.values, 0, 1), edges)
        # Haar: P(F ≤ f) = 1 − (1 − f)^(N − 1), arXiv:1905.10876 below eq. (8).
        haar = np.diff(1 - (1 - edges) ** (self.dimension - 1))
        shares = counts / counts.sum()
        seen = shares > 0
        return float((shares[seen] * np.log(shares[seen] / np.maximum(haar[seen], 1e-300))).sum())


def fidelities(ansatz: Ansatz, pairs: int = 5000, seed: int = 0) -> Fidelities:
    """|⟨φ|ψ⟩|² of pairs of states at independent random parameters.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> fidelities(hqnn_parallel(2, 1), pairs=100).values.shape
        (100,)
    """
    first, second = random_states(ansatz, 2 * pairs, seed).split(pairs)
    return Fidelities(((first.conj() * second).sum(dim=1).abs() ** 2).numpy(), 2**ansatz.num_qubits)


def meyer_wallach(states: Tensor) -> Tensor:
    """Meyer–Wallach measure of each state (…, 2^n): 0 for product states, 1 for GHZ.

    Q = 2 (1 − mean purity of the single qubits) (Brennen 2003, quant-ph/0305094, eq. (6)).

    Example:
        >>> import torch
        >>> bell = torch.tensor([[1, 0, 0, 1]]) / 2**0.5
        >>> meyer_wallach(bell.to(torch.complex128))
        tensor([1.0000], dtype=torch.float64)
    """
    num_qubits = (states.shape[-1] - 1).bit_length()
    purities = []
    for qubit in range(num_qubits):
        parts = states.reshape(*states.shape[:-1], -1, 2, 2**qubit)
        reduced = torch.einsum("...aib,...ajb->...ij", parts, parts.conj())
        purities.append((reduced.abs() ** 2).sum(dim=(-2, -1)))
    return 2 * (1 - torch.stack(purities).mean(dim=0))


def expressibility(
    ansaetze: dict[str, Ansatz],
    pairs: int = 5000,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> Analysis:
    """Expressibility and entangling capability of some ansätze, side by side.

    Args:
        ansaetze: by name; inputs and weights are both drawn from [0, 2π).
        pairs: pairs of states of each.
        seed: of the parameters.
        progress: called with each ansatz before it starts.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> expressibility({"depth 1": hqnn_parallel(2, 1)}, pairs=100).table["ansatz"].tolist()
        ['depth 1']
    """
    samples = {}
    rows = []
    for name, ansatz in ansaetze.items():
        if progress:
            progress(f"{name}: {pairs} pairs of states, {ansatz.num_qubits} qubits")
        samples[name] = fidelities(ansatz, pairs, seed)
        entangling = meyer_wallach(random_states(ansatz, pairs, seed + 1))
        rows.append(
            {
                "ansatz": name,
                "qubits": ansatz.num_qubits,
                "KL divergence": samples[name].divergence(),
                "entangling": float(entangling.mean()),
                "± (95 %)": float(1.96 * entangling.std() / pairs**0.5),
            }
        )
    table = pd.DataFrame(rows)

    best = table.loc[table["KL divergence"].idxmin(), "ansatz"]
    return Analysis(
        "Expressibility and entangling capability",
        f"Nearest to Haar-random states is {best}; 0 is Haar. Entangling is Meyer–Wallach's measure, 1 at most.",
        table,
        lambda: _draw(samples),
    )


def _draw(samples: dict[str, Fidelities]) -> Figure:
    figure = new_figure(9, 2.6 * -(-len(samples) // 3))
    axes = figure.subplots(-(-len(samples) // 3), min(3, len(samples)), squeeze=False)
    for axis in axes.flat[len(samples) :]:
        axis.set_visible(False)
    for axis, (name, sample) in zip(axes.flat, samples.items(), strict=False):
        edges = np.linspace(0, 1, 76)
        axis.hist(sample.values, edges, density=True, color="#6f8fb3", label="ansatz")
        axis.plot(
            edges,
            (sample.dimension - 1) * (1 - edges) ** (sample.dimension - 2),
            color="#c4572e",
            label="Haar",
        )
        axis.set_title(f"{drawn(name)}: {sample.divergence():.3f}", fontsize=9)
        axis.set_xlabel("fidelity")
        axis.set_yscale("log")
        axis.set_ylim(1e-3, 5 * sample.dimension)
    axes.flat[0].legend(frameon=False, fontsize=8)
    return figure
