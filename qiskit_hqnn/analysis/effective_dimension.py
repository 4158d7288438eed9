"""Effective dimension of an ansatz as a model (Abbas et al. 2021, arXiv:2011.00027), by qiskit-machine-learning."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from qiskit_machine_learning.neural_networks import EffectiveDimension

from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import PackedEstimatorQNN

SMALLEST_SIZE = 19
"""n / (2π ln n), whose logarithm is the divisor, is below 1 from 2 to 18."""
SIZES = (1_000, 10_000, 100_000, 1_000_000)


def effective_dimension(
    ansatz: Ansatz,
    sizes: Sequence[int] = SIZES,
    weight_samples: int = 50,
    input_samples: int = 50,
    seed: int = 0,
) -> Analysis:
    """How many directions of weight space an ansatz can use, as a function of the number of training samples n.

    Equation (2) of arXiv:2011.00027 with γ = 1. Each output ⟨O⟩ is read as a coin with probabilities (1 ± ⟨O⟩)/2, as in
    qiskit-machine-learning. Weights are drawn from [0, 2π), inputs from a standard normal distribution.

    Args:
        ansatz: with at least one weight; observables with values in [−1, 1].
        sizes: numbers n of training samples, each above 2π ln n, so at least 19. The measure is one of many samples:
            below a thousand or so it is larger than the number of weights.
        weight_samples, input_samples: random draws for the average.
        seed: of both.

    Raises:
        HQNNError: if there is no weight, a size or a number of draws is too small, an output leaves [−1, 1],
            or no output depends on a weight.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> effective_dimension(hqnn_parallel(2, 1), (1000,), weight_samples=2, input_samples=2).table.shape[0]
        1
    """
    _check_arguments(ansatz, sizes, weight_samples, input_samples)
    generator = np.random.default_rng(seed)
    computed = EffectiveDimension(
        PackedEstimatorQNN(ansatz),
        weight_samples=generator.uniform(0, 2 * np.pi, (weight_samples, ansatz.num_weights)),
        input_samples=generator.normal(size=(input_samples, ansatz.num_inputs)),
    )
    # One size at a time: the library allocates a (sizes, draws, weights, weights) array for all of them together.
    gradients, outputs = computed.run_monte_carlo()
    _check_coins(ansatz, gradients, outputs)
    fisher, _ = computed.get_normalized_fisher(computed.get_fisher_information(gradients, outputs))
    values = [float(computed._get_effective_dimension(fisher, int(size))) for size in sizes]
    ranks = np.linalg.matrix_rank(fisher, tol=1e-8, hermitian=True)
    table = pd.DataFrame(
        {
            "n": list(sizes),
            "effective dimension": values,
            "share of weights": np.array(values) / ansatz.num_weights,
        }
    )
    share = f"({100 * values[-1] / ansatz.num_weights:.0f} %)"
    if values[-1] > 1.02 * ansatz.num_weights:
        share = f"({share[1:-1]}: there are too few samples for this measure)"
    summary = (
        f"With {sizes[-1]:,} training samples {ansatz.name} uses {values[-1]:.1f} of its {ansatz.num_weights} weights "
        f"{share}. Its Fisher information, averaged over {input_samples} inputs, has rank "
        f"{np.median(ranks):.0f}, the number of directions of weight space that change an output at all."
    )
    return Analysis(
        f"Effective dimension of {ansatz.name}", summary, table, lambda: _draw(table, ansatz.num_weights)
    )


def _draw(table: pd.DataFrame, num_weights: int) -> Figure:
    figure = new_figure(6, 3.6)
    axis = figure.subplots()
    axis.semilogx(table["n"], table["effective dimension"], marker="o", color="#3b6ea5")
    axis.axhline(num_weights, color="#999999", linestyle="--", linewidth=0.8)
    axis.annotate(
        "weights", (table["n"].iloc[0], num_weights), textcoords="offset points", xytext=(0, 4), fontsize=8
    )
    axis.set_xlabel("training samples n")
    axis.set_ylabel("effective dimension")
    axis.set_ylim(0, 1.12 * max(num_weights, table["effective dimension"].max()))
    axis.spines[["top", "right"]].set_visible(False)
    return figure


def _check_arguments(ansatz: Ansatz, sizes: Sequence[int], weight_samples: int, input_samples: int) -> None:
    if not ansatz.num_weights:
        raise HQNNError(f"The effective dimension is one of weights, but {ansatz.name} has none.")
    if min(sizes) < SMALLEST_SIZE:
        raise HQNNError(
            f"Argument `sizes` must hold numbers n above 2π ln n, so of at least {SMALLEST_SIZE}, but holds "
            f"{min(sizes)}."
        )
    if min(weight_samples, input_samples) < 1:
        raise HQNNError(
            f"Arguments `weight_samples` and `input_samples` must be at least 1, but are {weight_samples} and "
            f"{input_samples}."
        )


def _check_coins(ansatz: Ansatz, gradients: np.ndarray, outputs: np.ndarray) -> None:
    """Raises HQNNError if outputs cannot be read as coins, whose probabilities are (1 ± ⟨O⟩)/2."""
    if outputs.min() < -1e-9:
        largest = 1 - 2 * outputs.min()
        raise HQNNError(
            f"The effective dimension reads outputs in [−1, 1], but {ansatz.name} has one of ±{largest:.3g}; divide "
            "its observables."
        )
    if not np.abs(gradients).max() > 1e-12:
        raise HQNNError(
            f"The effective dimension needs weights that affect an output, but {ansatz.name} has none."
        )
