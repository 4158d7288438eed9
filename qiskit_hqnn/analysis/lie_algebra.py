"""Dimension of the Lie algebra that an ansatz's generators span: it predicts plateaus (Larocca et al. 2022)."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from qiskit.quantum_info import Operator, SparsePauliOp

from qiskit_hqnn._text import drawn
from qiskit_hqnn.analysis.result import Analysis, new_figure
from qiskit_hqnn.circuits import Ansatz, make_template
from qiskit_hqnn.errors import HQNNError

_MAX_QUBITS = 4


def lie_algebra_dimension(ansatz: Ansatz) -> int:
    """Dimension of the dynamical Lie algebra, at most 4^n − 1 (arXiv:2105.14377, definition 2).

    The generators are the Pauli rotations of the weights' gates, each carried through the fixed gates behind it; the
    algebra is closed under commutators.

    Args:
        ansatz: at most 4 qubits.

    Raises:
        HQNNError: if there are more qubits.
    """
    if ansatz.num_qubits > _MAX_QUBITS:
        raise HQNNError(
            f"The Lie algebra is closed for at most {_MAX_QUBITS} qubits, but the ansatz has {ansatz.num_qubits}."
        )
    algebra = _Span(4**ansatz.num_qubits)
    generators = [g for g in _generators(ansatz) if algebra.add(g)]
    fresh = list(generators)
    while fresh:
        found = []
        for new in fresh:
            for generator in generators:
                commutator = new @ generator - generator @ new
                norm = np.linalg.norm(commutator)
                if norm > 1e-9 and algebra.add(commutator / norm):
                    found.append(commutator / norm)
        fresh = found
    return algebra.size


def _generators(ansatz: Ansatz) -> list[np.ndarray]:
    template = make_template(ansatz)
    of_weights = template.depends_on(range(ansatz.num_inputs, ansatz.num_inputs + ansatz.num_weights))
    position = {angle: index for index, angle in enumerate(template.angles)}
    behind = np.eye(2**ansatz.num_qubits, dtype=complex)
    generators = []
    zeros = dict.fromkeys(template.angles, 0.0)
    for step in template.circuit.data:
        qubits = [template.circuit.find_bit(qubit).index for qubit in step.qubits]
        angles = [value for value in step.operation.params if value in position]
        if not angles:
            behind = _on_all(Operator(step.operation).data, qubits, ansatz.num_qubits) @ behind
            continue
        for angle in angles:
            if not of_weights[position[angle]]:
                continue
            # dU/dθ U† at θ = 0 is the generator; fixed gates in front carry it to the start of the circuit.
            small = 1e-6
            gate = step.operation.to_mutable()
            gate.params = [
                small if value is angle or value == angle else zeros.get(value, value)
                for value in gate.params
            ]
            plus = Operator(gate).data
            gate.params = [-small if value == small else value for value in gate.params]
            slope = (plus - Operator(gate).data) / (2 * small)
            generator = _on_all(slope, qubits, ansatz.num_qubits)
            carried = behind.conj().T @ generator @ behind
            carried -= np.trace(carried) / len(carried) * np.eye(len(carried))
            generators.append(carried / np.linalg.norm(carried))
    return generators


def _on_all(matrix: np.ndarray, qubits: list[int], num_qubits: int) -> np.ndarray:
    identity = Operator(SparsePauliOp("I" * num_qubits))
    return identity.compose(Operator(matrix), qargs=qubits).data


class _Span:
    """A growing orthonormal basis of operators."""

    def __init__(self, dimension: int) -> None:
        self._basis = np.zeros((0, 2 * dimension))

    @property
    def size(self) -> int:
        return len(self._basis)

    def add(self, operator: np.ndarray) -> bool:
        """Whether the operator was new (linearly independent over the reals)."""
        vector = np.concatenate([operator.real.ravel(), operator.imag.ravel()])
        for _ in range(2):
            vector = vector - self._basis.T @ (self._basis @ vector)
        norm = np.linalg.norm(vector)
        if norm < 1e-6:
            return False
        self._basis = np.vstack([self._basis, vector / norm])
        return True


def lie_algebra(ansaetze: Mapping[str, Ansatz]) -> Analysis:
    """Dimensions of the Lie algebras of a few ansätze, beside the largest possible one of their sizes.

    A dimension that grows exponentially with the qubits foretells gradients whose variance falls as 1/dimension
    (Larocca et al. 2022, arXiv:2105.14377); one that grows polynomially lets the ansatz be trained.
    """
    rows = []
    for name, ansatz in ansaetze.items():
        size, largest = lie_algebra_dimension(ansatz), 4**ansatz.num_qubits - 1
        rows.append((name, ansatz.num_qubits, ansatz.num_weights, size, largest, size / largest))
    names = ["ansatz", "qubits", "weights", "dimension", "largest", "share"]
    table = pd.DataFrame(rows, columns=names)
    full = [str(name) for name, share in zip(table["ansatz"], table["share"], strict=True) if share == 1]
    summary = (
        f"Controllable, so bound for plateaus as they grow: {', '.join(full)}."
        if full
        else "None is controllable."
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
