"""The source of a plan, and how two circuits are recognised as equal."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

from qiskit.circuit import Parameter, ParameterExpression

from qiskit_hqnn.circuits import Ansatz, Template, make_template, postfix
from qiskit_hqnn.simulation.planning.lowering import Fixed, Primitive, lower


@dataclass(frozen=True, eq=False)
class Source:
    """An ansatz, prepared for planning.

    Attributes:
        ansatz: its parameters and observables are used.
        template: of the ansatz.
        primitives: of the template.
    """

    ansatz: Ansatz
    template: Template
    primitives: list[Primitive]

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Inputs, then weights."""
        return (*self.ansatz.input_params, *self.ansatz.weight_params)

    def content(self) -> Hashable:
        """Everything that a plan depends on, parameters by position: equal only if the plans are."""
        template, ansatz = self.template, self.ansatz
        observables = ansatz.observables
        return (
            (ansatz.num_qubits, ansatz.num_inputs, ansatz.num_weights, template.num_angles),
            tuple(_primitive(gate) for gate in self.primitives),
            (template.coefficients.tobytes(), template.offsets.tobytes()),
            tuple(
                (row, _items(formula, self.parameters)) for row, formula in sorted(template.nonlinear.items())
            ),
            tuple((op.paulis.x.tobytes(), op.paulis.z.tobytes(), op.coeffs.tobytes()) for op in observables),
        )


def source_of(ansatz: Ansatz) -> Source:
    """The template of an ansatz and its primitives.

    Raises:
        CircuitError: if a gate is not unitary or has no definition.
    """
    template = make_template(ansatz)
    return Source(ansatz, template, lower(template.circuit, template.angles))


def _primitive(gate: Primitive) -> Hashable:
    return (gate.qubit, gate.matrix.tobytes()) if isinstance(gate, Fixed) else gate


def _items(formula: ParameterExpression, parameters: Sequence[Parameter]) -> Hashable:
    position = {parameter: index for index, parameter in enumerate(parameters)}
    return tuple((position[item],) if isinstance(item, Parameter) else item for item in postfix(formula))
