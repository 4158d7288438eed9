"""Dimension of the Lie algebra that an ansatz generates: it predicts plateaus (Larocca et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from qiskit import QuantumCircuit
from qiskit.circuit import Parameter
from qiskit.quantum_info import Operator

from qiskit_hqnn._text import drawn
from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.errors import HQNNError

_MAX_QUBITS = 4
_POINTS = 6
"""Points of the derivatives: 0 and random weights. For gates exp(−iθH), the first one is enough."""
_STEP = 1e-3
_STENCIL = ((-2, 1 / 12), (-1, -8 / 12), (1, 8 / 12), (2, -1 / 12))
"""Step of fourth-order differences, at which errors are those of rounding, 1e-13."""


def lie_algebra_dimension(ansatz: Ansatz) -> int:
    """Dimension of the dynamical Lie algebra, at most 4^n − 1 (arXiv:2105.14377, definition 2).

    It is the algebra that U† ∂U/∂θ_k of all weights k at all θ, with inputs at 0, generate under commutators: the
    smallest one whose group contains U(θ)† U(θ') for all θ, θ'. If every weight has one gate exp(−iθH), these are the
    generators H, each conjugated by the fixed gates before it. A weight that several gates share gives one element,
    their sum; if its gates do not commute, or a gate is not an exponential of its angle, the element varies with θ, and
    those of several θ are included.

    Args:
        ansatz: at most 4 qubits.

    Raises:
        HQNNError: if there are more qubits, or a derivative is not a number.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> lie_algebra_dimension(hqnn_parallel(2, 1))  # of at most 4**2 - 1
        6
    """
    if ansatz.num_qubits > _MAX_QUBITS:
        raise HQNNError(
            f"The Lie algebra is computed for at most {_MAX_QUBITS} qubits, but the ansatz has {ansatz.num_qubits}."
        )
    algebra = _Algebra(2**ansatz.num_qubits)
    rng = np.random.default_rng(0)
    for point in range(_POINTS if ansatz.num_weights else 0):
        weights = rng.uniform(0, 2 * np.pi, ansatz.num_weights) if point else np.zeros(ansatz.num_weights)
        algebra.extend(_derivatives(ansatz, weights))
    return algebra.size


def _derivatives(ansatz: Ansatz, weights: np.ndarray) -> list[np.ndarray]:
    """U† ∂U/∂θ_k for every weight."""
    values = dict.fromkeys(ansatz.input_params, 0.0) | dict(
        zip(ansatz.weight_params, weights.tolist(), strict=True)
    )
    size = 2**ansatz.num_qubits
    before = np.eye(size, dtype=complex)
    found = {parameter: np.zeros((size, size), dtype=complex) for parameter in ansatz.weight_params}
    for step in ansatz.circuit.data:
        if step.operation.name in ("barrier", "delay"):
            continue
        qubits = [ansatz.circuit.find_bit(qubit).index for qubit in step.qubits]
        gate = QuantumCircuit(len(qubits))
        gate.append(step.operation, range(len(qubits)))
        matrix = _matrix(gate, values)
        for parameter in gate.parameters & found.keys():
            slope = sum(
                weight / _STEP * _matrix(gate, values | {parameter: values[parameter] + shift * _STEP})
                for shift, weight in _STENCIL
            )
            whole = _on_all(matrix.conj().T @ slope, qubits, size)
            found[parameter] += before.conj().T @ whole @ before
        before = _on_all(matrix, qubits, size) @ before
    if not all(np.isfinite(element).all() for element in found.values()):
        raise HQNNError(
            f"The Lie algebra needs derivatives at weights from 0 to 2π and inputs at 0, but {ansatz.name} has an "
            "angle that is not a number there."
        )
    return list(found.values())


def _matrix(gate: QuantumCircuit, values: Mapping[Parameter, float]) -> np.ndarray:
    bound = gate.assign_parameters({parameter: values[parameter] for parameter in gate.parameters})
    return np.asarray(Operator(bound).data)


def _on_all(matrix: np.ndarray, qubits: list[int], size: int) -> np.ndarray:
    return np.asarray(Operator(np.eye(size)).compose(Operator(matrix), qargs=qubits).data)


class _Algebra:
    """A Lie algebra of traceless anti-Hermitian matrices that grows by elements."""

    def __init__(self, size: int) -> None:
        self._identity = np.eye(size)
        self._basis = np.zeros((0, 2 * size**2))
        self._generators: list[np.ndarray] = []
        self._members: list[np.ndarray] = []

    @property
    def size(self) -> int:
        return len(self._members)

    def extend(self, elements: list[np.ndarray]) -> None:
        """Add elements, and close under commutators."""
        fresh = [member for element in elements if (member := self._add(element)) is not None]
        if not fresh:
            return
        self._generators += fresh
        waiting = list(self._members)  # the earlier elements have not been commuted with the new generators
        while waiting and self.size < len(self._identity) ** 2 - 1:
            member = waiting.pop()
            for generator in self._generators:
                found = self._add(member @ generator - generator @ member)
                if found is not None:
                    waiting.append(found)

    def _add(self, element: np.ndarray) -> np.ndarray | None:
        """The element, normalised, if it is linearly independent over the reals of the present ones."""
        element = (element - element.conj().T) / 2
        element = element - np.trace(element) / len(element) * self._identity
        norm = np.linalg.norm(element)
        if norm < 1e-7:
            return None
        element = element / norm
        vector = np.concatenate([element.real.ravel(), element.imag.ravel()])
        for _ in range(2):
            vector = vector - self._basis.T @ (self._basis @ vector)
        if np.linalg.norm(vector) < 1e-6:
            return None
        self._basis = np.vstack([self._basis, vector / np.linalg.norm(vector)])
        self._members.append(element)
        return element


def lie_algebra(ansaetze: Mapping[str, Ansatz]) -> Analysis:
    """Dimensions of the Lie algebras of a few ansätze, beside the largest possible one of their sizes.

    A dimension that grows exponentially with the qubits predicts gradients whose variance falls as 1/dimension
    (Larocca et al. 2022, arXiv:2105.14377); with one that grows polynomially the ansatz can be trained.

    Example:
        >>> from qiskit_hqnn.circuits import hqnn_parallel
        >>> lie_algebra({"depth 1": hqnn_parallel(2, 1)}).table["ansatz"].tolist()
        ['depth 1']
    """
    rows = []
    for name, ansatz in ansaetze.items():
        size, largest = lie_algebra_dimension(ansatz), 4**ansatz.num_qubits - 1
        rows.append((name, ansatz.num_qubits, ansatz.num_weights, size, largest, size / largest))
    names = ["ansatz", "qubits", "weights", "dimension", "largest", "share"]
    table = pd.DataFrame(rows, columns=names)
    full = [str(name) for name, share in zip(table["ansatz"], table["share"], strict=True) if share == 1]
    summary = (
        f"Every unitary of its size is reached, if it is repeated often enough, by {', '.join(full)}: with more "
        "qubits, deep circuits of this kind have plateaus."
        if full
        else "None reaches every unitary of its size."
    )

    def draw() -> Figure:
        figure = new_figure(7, 1.2 + 0.35 * len(table))
        axis = figure.subplots()
        shown = table.iloc[::-1]
        labels = [
            f"{drawn(name)}, {qubits} qubits" if qubits > 1 else f"{drawn(name)}, 1 qubit"
            for name, qubits in zip(shown["ansatz"], shown["qubits"], strict=True)
        ]
        axis.barh(labels, shown["largest"], color="#e3e3e3", label="largest possible")
        axis.barh(labels, shown["dimension"], color="#3b6ea5", height=0.5, label="ansatz")
        axis.set_xlabel("dimension of the Lie algebra")
        figure.legend(loc="outside upper right", ncols=2, frameon=False, fontsize=8)
        axis.spines[["top", "right"]].set_visible(False)
        return figure

    return Analysis("Lie algebra of the generators", summary, table, draw)
