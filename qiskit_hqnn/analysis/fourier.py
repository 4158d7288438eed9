"""The Fourier series of an output in its inputs (Schuld et al. 2021, arXiv:2008.08605; Senokosov et al., A.2)."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz, make_template
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.simulation import compile_ansatz

_LARGEST_DENOMINATOR = 24
_MOST_POINTS = 200_000
_CHECKED = 5


@dataclass(frozen=True)
class Spectrum:
    """The possible frequencies of one input: multiples of `step` from −degree to degree.

    Attributes:
        step: greatest common divisor of all frequencies of its gates, at most 1.
        degree: the largest frequency, in steps: the sum over all gates that the input turns.
    """

    step: Fraction
    degree: int

    @property
    def points(self) -> np.ndarray:
        """2 · degree + 1 values over one period, which determine the series."""
        size = 2 * self.degree + 1
        return 2 * math.pi / float(self.step) * np.arange(size) / size

    @property
    def frequencies(self) -> np.ndarray:
        return float(self.step) * np.arange(-self.degree, self.degree + 1)


def spectrum(ansatz: Ansatz, input_index: int) -> Spectrum:
    """The frequencies of one input: those of its gates, times the factors with which it enters them.

    A rotation and a phase have the frequency 1, a controlled rotation 1/2 and 1 (its generator has the eigenvalues 0
    and ±1/2).

    Raises:
        HQNNError: if the input enters through a nonlinear expression, or its factors have no common divisor.
    """
    template = make_template(ansatz)
    name = ansatz.input_params[input_index].name
    bent = any(
        name in {parameter.name for parameter in expression.parameters}
        for expression in template.nonlinear.values()
    )
    factors = np.abs(template.coefficients[:, input_index])
    fractions = [Fraction(factor).limit_denominator(_LARGEST_DENOMINATOR) for factor in factors]
    if bent or not np.allclose(factors, [float(fraction) for fraction in fractions], rtol=1e-12, atol=1e-12):
        raise HQNNError(
            "Fourier coefficients need inputs that enter gates with integer factors or simple fractions, but this "
            f"ansatz scales or bends {name}; analyse the circuit without the scaling."
        )
    smallest = [
        fraction / 2 if terms == 4 else fraction
        for fraction, terms in zip(fractions, template.terms, strict=True)
        if fraction
    ]
    step = Fraction(1, math.lcm(*(part.denominator for part in smallest)))
    return Spectrum(step, int(sum(fractions, start=Fraction(0)) / step))


def coefficients(
    ansatz: Ansatz, inputs: tuple[int, ...], output: int, weight_sets: int, seed: int = 0
) -> np.ndarray:
    """c_ω of one output in some inputs, the others at 0, for random weights in [0, 2π).

    f(x) = Σ_ω c_ω exp(i ω·x). Evaluated on a grid of 2 d + 1 points over one period for each input of degree d, which
    determines the series exactly, and transformed by FFT. The series is compared with the output between the points.

    Returns:
        Complex array of shape (weight_sets, 2 d_1 + 1, 2 d_2 + 1, …), frequencies from −d to d steps of `spectrum`,
        which are 1 where inputs enter rotations with integer factors, and 1/2 where they enter controlled ones.

    Raises:
        HQNNError: if an input has no such frequencies, or there are too many.

    Example:
        >>> from qiskit_hqnn.circuits import textbook
        >>> abs(coefficients(textbook(), (0,), output=0, weight_sets=1)).round(3)  # of 1/2 + sin(θ)/2
        array([[0.25, 0.5 , 0.25]])
    """
    _check(ansatz, inputs, output)
    spectra = [spectrum(ansatz, index) for index in inputs]
    sizes = [len(each.frequencies) for each in spectra]
    if math.prod(sizes) > _MOST_POINTS:
        raise HQNNError(
            f"{math.prod(sizes):,} frequencies are too many to be computed (at most {_MOST_POINTS:,}): choose fewer "
            "inputs."
        )
    points = np.array(list(itertools.product(*(each.points for each in spectra))))
    generator = torch.Generator().manual_seed(seed)
    weights = (
        torch.rand(weight_sets, ansatz.num_weights, generator=generator, dtype=torch.float64) * 2 * math.pi
    )
    between = np.random.default_rng(seed).uniform(-2 * math.pi, 2 * math.pi, (_CHECKED, len(inputs)))
    values = _outputs(ansatz, inputs, output, np.vstack([points, between]), weights)
    grid = values[:, : len(points)].reshape(weight_sets, *sizes)
    axes = tuple(range(1, grid.ndim))
    found = np.fft.fftshift(np.fft.fftn(grid, axes=axes) / len(points), axes=axes)
    frequencies = np.array(list(itertools.product(*(each.frequencies for each in spectra))))
    series = found.reshape(weight_sets, -1) @ np.exp(1j * frequencies @ between.T)
    if not np.allclose(series, values[:, len(points) :], atol=1e-6):
        raise HQNNError(
            f"Output {output} of {ansatz.name} has other frequencies than its gates should give, so its Fourier "
            "coefficients cannot be computed."
        )
    return found


def _outputs(
    ansatz: Ansatz, inputs: Sequence[int], output: int, points: np.ndarray, weights: torch.Tensor
) -> np.ndarray:
    """One output for every weight set and point, of shape (weight sets, points)."""
    values = torch.zeros(len(points), len(weights), ansatz.num_inputs, dtype=torch.float64)
    values[:, :, list(inputs)] = torch.from_numpy(points)[:, None, :]
    with torch.no_grad():
        return compile_ansatz(ansatz).expectation_values(values, weights)[..., output].T.numpy()


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

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> fourier(hqnn_parallel(2, 1), weight_sets=10).table.columns.tolist()[:2]
        ['frequency', 'mean |c|']
    """
    output %= ansatz.num_outputs
    values = coefficients(ansatz, inputs, output, weight_sets, seed)
    spectra = [spectrum(ansatz, index) for index in inputs]
    frequencies = itertools.product(*(each.frequencies for each in spectra))
    flat = values.reshape(weight_sets, -1)
    labels = [",".join(f"{part:g}" for part in frequency) for frequency in frequencies]
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

    reach = [
        f"{each.frequencies[-1]:g}" + ("" if each.step == 1 else f" in steps of {float(each.step):g}")
        for each in spectra
    ]
    return Analysis(
        f"Fourier coefficients of {ansatz.name}, output {output}",
        f"{int(accessible.sum())} of {len(labels)} frequencies are reached over {weight_sets} random weight sets; "
        f"largest frequencies of the inputs: {', '.join(reach)}.",
        table,
        lambda: _draw(flat, labels, inputs),
    )


def _draw(flat: np.ndarray, labels: Sequence[str], inputs: Sequence[int]) -> Figure:
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


def _check(ansatz: Ansatz, inputs: tuple[int, ...], output: int) -> None:
    if not ansatz.num_inputs:
        raise HQNNError(f"Fourier coefficients are of inputs, but ansatz {ansatz.name!r} has none.")
    if not inputs or len(set(inputs)) != len(inputs) or not all(0 <= i < ansatz.num_inputs for i in inputs):
        raise HQNNError(
            f"Argument `inputs` must be different indices from 0 to {ansatz.num_inputs - 1}, but is {inputs}."
        )
    if not 0 <= output < ansatz.num_outputs:
        raise HQNNError(f"Argument `output` must be from 0 to {ansatz.num_outputs - 1}, but is {output}.")
