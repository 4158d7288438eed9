"""A trained quantum layer as plain torch: trigonometric features of its inputs times a matrix, exactly.

Where inputs enter by rotations, an output is a trigonometric polynomial of them: a gate exp(−iθG/2) with G² = 1 gives
1, cos θ and sin θ (Schuld, Sweke and Meyer 2021, arXiv:2008.08605, section II), so five angles give 3^5 features. The
weights are in the matrix. Two operators remain that every runtime has, without a state vector.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from qiskit_hqnn.circuits import Ansatz, Template, make_template
from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.layers import QuantumLayer

LARGEST = 3**10
"""Most features of one copy; beyond, the matrix takes longer to compute and to apply than the circuit."""

_LARGEST_MATRIX = 2**24
"""Most numbers in the matrices of all copies: 64 MB."""

AGREES = 1e-9
"""Largest difference from the layer, at `POINTS` random inputs."""
POINTS = 64


class ClosedForm(nn.Module):
    """An exact quantum layer with fixed weights: (..., copies · inputs) → (..., copies · outputs).

    Args:
        directions: (copies, G, I); each of G angles is a combination of a copy's I inputs.
        frequencies: for each of the G angles, its K_g frequencies, rising from 0 on.
        matrix: (copies, Π (2 K_g − 1), O).
    """

    directions: Tensor
    matrix: Tensor

    def __init__(self, directions: Tensor, frequencies: Sequence[Tensor], matrix: Tensor) -> None:
        super().__init__()
        self.register_buffer("directions", directions)
        self.register_buffer("matrix", matrix)
        for index, values in enumerate(frequencies):
            self.register_buffer(f"frequencies_{index}", values)
        self.angles = len(frequencies)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (..., copies · O) of inputs (..., copies · I)."""
        copies, _, width = self.directions.shape
        own = inputs.to(self.matrix.dtype).unflatten(-1, (copies, width))
        angles = torch.einsum("...ci,cgi->...cg", own, self.directions)
        features = torch.ones_like(angles[..., :1]) if self.angles else own.new_ones(*own.shape[:-1], 1)
        for index in range(self.angles):
            each = self._features(angles[..., index : index + 1], getattr(self, f"frequencies_{index}"))
            features = (features[..., :, None] * each[..., None, :]).flatten(-2)
        outputs = torch.einsum("...cf,cfo->...co", features, self.matrix)
        return outputs.flatten(-2).to(inputs.dtype)

    @staticmethod
    def _features(angle: Tensor, frequencies: Tensor) -> Tensor:
        """1, and cosines and sines (…, 2 K − 1) of the frequencies (K,) but the first, which is 0, of angles (…, 1)."""
        turned = angle * frequencies
        return torch.cat([torch.cos(turned), torch.sin(turned[..., 1:])], dim=-1)


@dataclass(frozen=True, eq=False)
class _Angles:
    """The angles of one copy's gates that follow from inputs, gathered by direction.

    Attributes:
        directions: (G, I).
        frequencies: for each of the G, those of the outputs.
        slopes: (K, G); gate angle k is slopes[k] @ u + offsets[k], with u = directions @ inputs.
        offsets: (K,).
    """

    directions: np.ndarray
    frequencies: tuple[np.ndarray, ...]
    slopes: np.ndarray
    offsets: np.ndarray

    @property
    def features(self) -> int:
        return math.prod(2 * len(own) - 1 for own in self.frequencies)


def closed_form(layer: QuantumLayer) -> ClosedForm:
    """A quantum layer with its present weights as plain torch; it is checked to agree up to rounding.

    Example:
        >>> import torch
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> from qiskit_hqnn.layers import QuantumLayer
        >>> layer = QuantumLayer(hqnn_parallel(num_qubits=2, depth=1))
        >>> plain = closed_form(layer)
        >>> plain.matrix.shape  # 3 · 3 features, 2 outputs
        torch.Size([1, 9, 2])
        >>> x = torch.rand(4, 2)
        >>> torch.allclose(plain(x), layer(x), atol=1e-6)
        True

    Raises:
        HQNNError: if its inputs do not enter by angles that are sums of them, or there are too many features.
    """
    ansatz = layer.ansatz
    weights = layer.weight.detach().double().cpu().reshape(layer.copies, -1)
    bound = [_with_weights(ansatz, row.tolist()) for row in weights]
    templates = [make_template(one) for one in bound]
    angles = [_gathered(template, ansatz) for template in templates]
    _check_size(angles, ansatz)
    matrices = [_matrix(template, ansatz, own) for template, own in zip(templates, angles, strict=True)]
    first = angles[0]
    if any(_differs(first, own) for own in angles):
        raise HQNNError(
            f"Circuit {ansatz.name!r} scales its inputs by weights, so each copy has different frequencies: export it "
            "with one copy."
        )
    plain = ClosedForm(
        torch.from_numpy(np.stack([own.directions for own in angles])),
        [torch.from_numpy(own) for own in first.frequencies],
        torch.from_numpy(np.stack(matrices)),
    )
    _check_agreement(plain, layer)
    return plain.to(layer.weight.dtype)


def _with_weights(ansatz: Ansatz, weights: list[float]) -> Ansatz:
    values = dict(zip(ansatz.weight_params, weights, strict=True))
    circuit = ansatz.circuit.assign_parameters(values)
    return Ansatz(circuit, ansatz.input_params, (), ansatz.observables, ansatz.reference, ansatz.name)


def _gathered(template: Template, ansatz: Ansatz) -> _Angles:
    """Gate angles by what they depend on: proportional angles share a direction, and their frequencies add up."""
    if template.nonlinear:
        angle = next(iter(template.nonlinear.values()))
        raise HQNNError(
            f"Circuit {ansatz.name!r} has an angle that is not a sum of its inputs ({angle}): it has no closed form."
        )
    directions: list[np.ndarray] = []
    slopes = np.zeros((template.num_angles, template.num_angles))
    for gate, row in enumerate(template.coefficients):
        if not row.any():
            continue
        scale = row[np.flatnonzero(row)[0]]
        known = (
            index for index, own in enumerate(directions) if np.allclose(own, row / scale, rtol=0, atol=1e-12)
        )
        index = next(known, len(directions))
        if index == len(directions):
            directions.append(row / scale)
        slopes[gate, index] = scale
    slopes = slopes[:, : len(directions)]
    frequencies = tuple(_frequencies(slopes[:, index], template.terms) for index in range(len(directions)))
    return _Angles(
        np.array(directions).reshape(len(directions), ansatz.num_inputs),
        frequencies,
        slopes,
        template.offsets,
    )


def _frequencies(slopes: np.ndarray, terms: np.ndarray) -> np.ndarray:
    """All sums of the gates' frequencies, not negative: 0 and 1 of a rotation, also 1/2 of a controlled one."""
    found = {0.0}
    for slope, count in zip(slopes, terms, strict=True):
        if not slope:
            continue
        steps = (0.0, slope) if count == 2 else (0.0, slope / 2, slope)
        found = {round(abs(one + sign * step), 12) for one in found for step in steps for sign in (1, -1)}
        if 2 * len(found) - 1 > LARGEST:
            break
    return np.array(sorted(found))


def _check_size(angles: Sequence[_Angles], ansatz: Ansatz) -> None:
    own = angles[0]
    numbers = len(angles) * own.features * ansatz.num_outputs
    if own.features <= LARGEST and numbers <= _LARGEST_MATRIX:
        return
    each = " · ".join(str(2 * len(one) - 1) for one in own.frequencies[:4])
    dots = " · …" if len(own.frequencies) > 4 else ""
    raise HQNNError(
        f"The closed form of circuit {ansatz.name!r} would have {own.features:.3g} features ({each}{dots}, of "
        f"{len(own.frequencies)} angles that follow from inputs) and {numbers:.3g} numbers in its matrix, above the "
        f"limits of {LARGEST:,} and {_LARGEST_MATRIX:,}: export it as .safetensors instead."
    )


def _differs(first: _Angles, other: _Angles) -> bool:
    return len(first.frequencies) != len(other.frequencies) or any(
        one.shape != two.shape or not np.allclose(one, two)
        for one, two in zip(first.frequencies, other.frequencies, strict=True)
    )


def _matrix(template: Template, ansatz: Ansatz, own: _Angles) -> np.ndarray:
    """(features, outputs), from the outputs on a grid of points of all angles, by each one's inverse."""
    grids = [_points(frequencies) for frequencies in own.frequencies]
    inverses = [
        np.linalg.inv(_features(points, frequencies))
        for points, frequencies in zip(grids, own.frequencies, strict=True)
    ]
    mesh = (
        np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, len(grids))
        if grids
        else np.zeros((1, 0))
    )
    over_angles = Ansatz(template.circuit, template.angles, (), ansatz.observables)
    evaluated = QuantumLayer(over_angles).double()
    with torch.no_grad():
        parts = torch.from_numpy(mesh @ own.slopes.T + own.offsets).split(4096)
        values = torch.cat([evaluated(part) for part in parts]).numpy()
    tensor = values.reshape(*(len(points) for points in grids), ansatz.num_outputs)
    for axis, inverse in enumerate(inverses):
        tensor = np.moveaxis(np.tensordot(inverse, tensor, (1, axis)), 0, axis)
    return tensor.reshape(-1, ansatz.num_outputs)


def _points(frequencies: np.ndarray) -> np.ndarray:
    """The same number of points as features: over one period if frequencies are proportional to whole numbers."""
    count = 2 * len(frequencies) - 1
    if count == 1:
        return np.zeros(1)
    period = 2 * math.pi / frequencies[1]
    whole = np.allclose(frequencies / frequencies[1], np.arange(len(frequencies)), atol=1e-9)
    if whole:
        return period * np.arange(count) / count
    # The best conditioned of a few choices: features of unequal frequencies have no natural grid.
    generator = np.random.default_rng(0)
    choices = [np.sort(generator.uniform(0, 2 * period, count)) for _ in range(200)]
    return min(choices, key=lambda points: float(np.linalg.cond(_features(points, frequencies))))


def _features(points: np.ndarray, frequencies: np.ndarray) -> np.ndarray:
    turned = points[:, None] * frequencies
    return np.concatenate([np.cos(turned), np.sin(turned[:, 1:])], axis=1)


def in_double(layer: QuantumLayer) -> QuantumLayer:
    """A quantum layer in double precision on the processor, exact wherever it runs itself."""
    exact = QuantumLayer(layer.ansatz, layer.copies, initial_weights=layer.weight.detach()).double()
    exact.weight.data = layer.weight.detach().double().cpu()
    return exact


def _check_agreement(plain: ClosedForm, layer: QuantumLayer) -> None:
    """Compare the closed form with the layer, at inputs off the grid."""
    exact = in_double(layer)
    generator = torch.Generator().manual_seed(0)
    inputs = 6 * torch.rand(
        POINTS, layer.copies * layer.ansatz.num_inputs, generator=generator, dtype=torch.float64
    )
    with torch.no_grad():
        difference = float((plain(inputs - 3) - exact(inputs - 3)).abs().max())
    if not difference < AGREES:
        raise HQNNError(
            f"The closed form of circuit {layer.ansatz.name!r} is off by {difference:.1e}, as its frequencies lie too "
            "close together: export it as .safetensors instead."
        )
