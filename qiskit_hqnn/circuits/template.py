"""An ansatz with every gate angle a Parameter of its own: what shift rules and devices work on.

A parameter that occurs in several gates (data re-uploading) or inside an expression (RY(π·x)) has no simple shift rule;
its gate angles do. The template keeps the map from inputs and weights to angles beside the circuit, so that the chain
rule does the rest, and one transpiled circuit serves every forward and backward pass.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from qiskit.circuit import Parameter, ParameterExpression, ParameterVector, QuantumCircuit

from qiskit_hqnn.circuits.ansatz import Ansatz
from qiskit_hqnn.errors import CircuitError

# exp(−iθG/2) with G² = 1, phases, and projectors: one frequency, so f' = [f(θ + π/2) − f(θ − π/2)] / 2.
_TWO_TERM = frozenset(
    {"rx", "ry", "rz", "p", "u1", "rxx", "ryy", "rzz", "rzx", "cp", "cu1", "mcphase", "u", "u3", "u2"}
)
# Controlled rotations have the frequencies 1/2 and 1 (Anselmetti et al. 2021, arXiv:2104.05695, eq. (10)).
_FOUR_TERM = frozenset({"crx", "cry", "crz"})
_MAX_DECOMPOSITIONS = 10


@dataclass(frozen=True, eq=False)
class Template:
    """A circuit with one Parameter a gate angle, and the map that computes the angles.

    Attributes:
        circuit: the circuit over `angles`; equal to the ansatz when the angles are bound to their expressions.
        angles: K parameters, in the order in which they occur.
        coefficients: array of shape (K, inputs + weights); angle = coefficients @ (inputs, weights) + offsets.
        offsets: array of shape (K,), radians.
        nonlinear: the expression of each angle that is not affine; its row of coefficients is zero.
        terms: for each angle, 2 or 4: the number of shifted evaluations its exact derivative takes.
    """

    circuit: QuantumCircuit
    angles: tuple[Parameter, ...]
    coefficients: np.ndarray
    offsets: np.ndarray
    terms: np.ndarray
    nonlinear: dict[int, ParameterExpression] = field(default_factory=dict)

    @property
    def num_angles(self) -> int:
        return len(self.angles)

    def depends_on(self, parameters: range) -> np.ndarray:
        """Mask of shape (K,): the angles in which one of these columns (inputs, then weights) occurs."""
        mask = (self.coefficients[:, parameters.start : parameters.stop] != 0).any(axis=1)
        for index in self.nonlinear:
            mask[index] = True
        return mask


def make_template(ansatz: Ansatz) -> Template:
    """Split an ansatz into a circuit over its gate angles and the map from inputs and weights to them.

    Raises:
        CircuitError: if a parameterised instruction has no shift rule and no definition in gates that have one.
    """
    source = _in_shiftable_gates(ansatz.circuit)
    expressions = [angle for step in source.data for angle in step.operation.params if _has_parameters(angle)]
    angles = tuple(ParameterVector("angle", len(expressions)))
    circuit = source.copy_empty_like()
    # A phase of the whole circuit changes no outcome, and its parameters would be left over.
    circuit.global_phase = 0
    terms: list[int] = []
    for step in source.data:
        operation = step.operation
        if any(_has_parameters(angle) for angle in operation.params):
            operation = operation.to_mutable()
            fresh = list(operation.params)
            for index, angle in enumerate(fresh):
                if _has_parameters(angle):
                    fresh[index] = angles[len(terms)]
                    terms.append(4 if operation.name in _FOUR_TERM else 2)
            operation.params = fresh
        circuit.append(operation, step.qubits, step.clbits)
    coefficients, offsets, nonlinear = affine_map(expressions, [*ansatz.input_params, *ansatz.weight_params])
    return Template(circuit, angles, coefficients, offsets, np.array(terms, dtype=int), nonlinear)


def _has_parameters(angle: object) -> bool:
    return isinstance(angle, ParameterExpression) and bool(angle.parameters)


def _in_shiftable_gates(circuit: QuantumCircuit) -> QuantumCircuit:
    for _ in range(_MAX_DECOMPOSITIONS):
        others = {
            step.operation.name
            for step in circuit.data
            if any(map(_has_parameters, step.operation.params))
            and step.operation.name not in _TWO_TERM | _FOUR_TERM
        }
        if not others:
            return circuit
        circuit = circuit.decompose(gates_to_decompose=list(others))
    raise CircuitError(
        f"Parameterised instructions must be Qiskit's standard gates or be defined by them, but {sorted(others)} "
        "are not."
    )


def affine_map(
    expressions: list[ParameterExpression], parameters: list[Parameter]
) -> tuple[np.ndarray, np.ndarray, dict[int, ParameterExpression]]:
    """Expressions as slopes (E, P) and offsets (E,) over the parameters, and those that are not affine, by row."""
    column = {parameter: index for index, parameter in enumerate(parameters)}
    coefficients = np.zeros((len(expressions), len(parameters)))
    offsets = np.zeros(len(expressions))
    nonlinear: dict[int, ParameterExpression] = {}
    for row, expression in enumerate(expressions):
        slopes = {parameter: expression.gradient(parameter) for parameter in expression.parameters}
        if any(isinstance(slope, ParameterExpression) and slope.parameters for slope in slopes.values()):
            nonlinear[row] = expression
            continue
        for parameter, slope in slopes.items():
            coefficients[row, column[parameter]] = float(slope)
        offsets[row] = float(expression.bind(dict.fromkeys(expression.parameters, 0.0)))
    return coefficients, offsets, nonlinear
