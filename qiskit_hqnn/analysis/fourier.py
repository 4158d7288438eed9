"""The Fourier series that an output is in its inputs (Schuld et al. 2021, arXiv:2008.08605; Senokosov et al., A.2)."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz, make_template
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation import compile_ansatz


def degrees(ansatz: Ansatz) -> np.ndarray:
    """Largest frequency of each input: the sum of the frequencies of all gates that it turns.

    Raises:
        HQNNError: if an input enters through a nonlinear expression or with a factor that is no integer.
    """
    template = make_template(ansatz)
    used = template.coefficients[:, : ansatz.num_inputs]
    inputs = set(ansatz.input_params)
    nonlinear = any(inputs & set(expression.parameters) for expression in template.nonlinear.values())
    if nonlinear or not np.allclose(used, np.round(used)):
        raise HQNNError(
            "Fourier coefficients need inputs that enter gates with integer factors, but this ansatz scales or bends "
            "them; analyse the circuit without the scaling."
        )
    return np.abs(used).sum(axis=0).astype(int)


def coefficients(
    ansatz: Ansatz, inputs: tuple[int, ...], output: int, weight_sets: int, seed: int = 0
) -> np.ndarray:
    """c_ω of one output in some inputs, the others at 0, for random weights in [0, 2π).

    f(x) = Σ_ω c_ω exp(i ω·x). Evaluated on a grid of 2 d + 1 points for each input of degree d, which the series of
    degree d determines exactly, and transformed by FFT.

    Returns:
        Complex array of shape (weight_sets, 2 d_1 + 1, 2 d_2 + 1, …), frequencies from −d to d.
    """
    _check(ansatz, inputs, output)
    sizes = [2 * int(degree) + 1 for degree in degrees(ansatz)[list(inputs)]]
    grids = [2 * math.pi * np.arange(size) / size for size in sizes]
    points = np.array(list(itertools.product(*grids)))
    values = torch.zeros(len(points), weight_sets, ansatz.num_inputs, dtype=torch.float64)
    values[:, :, list(inputs)] = torch.from_numpy(points)[:, None, :]
    generator = torch.Generator().manual_seed(seed)
    weights = (
        torch.rand(weight_sets, ansatz.num_weights, generator=generator, dtype=torch.float64) * 2 * math.pi
    )
    with torch.no_grad():
        outputs = compile_ansatz(ansatz).expectation_values(values, weights)[..., output]
    grid = outputs.T.reshape(weight_sets, *sizes).numpy()
    axes = tuple(range(1, grid.ndim))
    return np.fft.fftshift(np.fft.fftn(grid, axes=axes) / len(points), axes=axes)


def fourier(
    ansatz: Ansatz,
    inputs: tuple[int, ...] = (0, 1),
    output: int = -1,
    weight_sets: int = 100,
    seed: int = 0,
) -> Analysis:
    """The spread of each coefficient over random weights, as figure 10 of Senokosov et al. 2024 shows it.

    Args:
        ansatz: the circuit.
        inputs: one or two inputs that vary.
        output: which observable.
        weight_sets: random weight sets.
        seed: of the weights.
    """
    output %= ansatz.num_outputs
    values = coefficients(ansatz, inputs, output, weight_sets, seed)
    spans = [range(-(size // 2), size // 2 + 1) for size in values.shape[1:]]
    frequencies = list(itertools.product(*spans))
    flat = values.reshape(weight_sets, -1)
    labels = [",".join(map(str, frequency)) for frequency in frequencies]
    accessible = np.abs(flat).max(axis=0) > 1e-9
    table = pd.DataFrame(
        {
            "frequency": labels,
            "mean |c|": np.abs(flat).mean(axis=0),
            "std of Re c": flat.real.std(axis=0),
            "std of Im c": flat.imag.std(axis=0),
            "accessible": accessible,
        }
    )

    def draw() -> Figure:
        figure = new_figure(max(6, 0.45 * len(labels) + 2), 5)
        axes = figure.subplots(2, 1, sharex=True)
        for axis, part, name in zip(axes, (flat.real, flat.imag), ("Re c", "Im c"), strict=True):
            bodies = axis.violinplot(list(part.T), range(len(labels)), widths=0.85, showmedians=True)
            for body in bodies["bodies"]:
                body.set_facecolor("#6f8fb3")
            axis.set_ylabel(name)
            axis.axhline(0, color="#999", linewidth=0.6)
        axes[1].set_xticks(range(len(labels)), labels, rotation=60 if len(labels) > 9 else 0)
        axes[1].set_xlabel("frequency ω of inputs " + ", ".join(map(str, inputs)))
        return figure

    return Analysis(
        f"Fourier coefficients of {ansatz.name}, output {output}",
        f"{int(accessible.sum())} of {len(labels)} frequencies are reached over {weight_sets} random weight sets; "
        f"degrees of the inputs: {', '.join(str(d) for d in degrees(ansatz)[list(inputs)])}.",
        table,
        draw,
    )


def _check(ansatz: Ansatz, inputs: tuple[int, ...], output: int) -> None:
    if not inputs or len(set(inputs)) != len(inputs) or not all(0 <= i < ansatz.num_inputs for i in inputs):
        raise HQNNError(
            f"Argument `inputs` must be different indices from 0 to {ansatz.num_inputs - 1}, but is {inputs}."
        )
    if not 0 <= output < ansatz.num_outputs:
        raise HQNNError(f"Argument `output` must be from 0 to {ansatz.num_outputs - 1}, but is {output}.")
