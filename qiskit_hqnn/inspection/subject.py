"""What is inspected, and what the job manager receives."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import (
    Ansatz,
    make_template,
)
from qiskit_hqnn.errors import CircuitError
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

if TYPE_CHECKING:
    from qiskit_hqnn.training import LoadedRun


@dataclass(frozen=True, eq=False)
class Subject:
    """A circuit as the job manager receives it: a Parameter for each gate angle, as a quantum layer sends it.

    Attributes:
        ansatz: the circuit with its own parameters.
        sent: the circuit over gate angles.
        angles: each gate angle, by name, in terms of the ansatz's parameters; empty if `sent` has these parameters.
        weights: trained values, by name; empty for a circuit alone.
        note: what these are, for the page.
        circuits: sets of values per sample: copies of the ansatz, and patches of an image.
        mitigation: which adds further circuits.
        run: the trained run, if it is one.
    """

    ansatz: Ansatz
    sent: QuantumCircuit
    angles: Mapping[str, ParameterExpression]
    weights: Mapping[str, float] = field(default_factory=dict)
    note: str = ""
    circuits: int = 1
    mitigation: MitigationOptions = field(default_factory=MitigationOptions)
    run: LoadedRun | None = None

    def pub(self, samples: int) -> EstimatorPub:
        """The PUB of this many samples, with values 0: prices do not depend on them."""
        observables = [[[observable]] for observable in self.ansatz.observables]
        if not self.sent.parameters:
            return EstimatorPub.coerce((self.sent, observables))
        names = tuple(parameter.name for parameter in self.sent.parameters)
        values = BindingsArray({names: np.zeros((samples * self.circuits, 1, len(names)))})
        return EstimatorPub.coerce((self.sent, observables, values))

    def in_own_parameters(self, isa: QuantumCircuit) -> QuantumCircuit:
        """An ISA circuit of `sent` with the ansatz's parameters instead of the gate angles."""
        if not self.angles:
            return isa
        # By name: a template that the job manager cached has different Parameter objects.
        return isa.assign_parameters({angle: self.angles[angle.name] for angle in isa.parameters})

    def trained(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """A circuit over the ansatz's parameters with the trained weights bound; the inputs stay open."""
        by_name = {parameter.name: parameter for parameter in circuit.parameters}
        return circuit.assign_parameters(
            {by_name[name]: value for name, value in self.weights.items() if name in by_name}
        )

    @property
    def shown(self) -> Ansatz:
        """The ansatz, trained weights bound."""
        if not self.weights:
            return self.ansatz
        reference = "; ".join(filter(None, (self.ansatz.reference, self.note)))
        circuit = self.trained(self.ansatz.circuit)
        left = tuple(p for p in self.ansatz.weight_params if p.name not in self.weights)
        observables = self.ansatz.observables
        return Ansatz(circuit, self.ansatz.input_params, left, observables, reference, self.ansatz.name)


def as_sent(ansatz: Ansatz) -> tuple[QuantumCircuit, dict[str, ParameterExpression]]:
    """The circuit over gate angles that a quantum layer sends, and each angle, by name, in the ansatz's own parameters.

    A circuit that no layer accepts, because one of its gates has no shift rule, is sent unchanged.
    """
    try:
        template = make_template(ansatz)
    except CircuitError:
        return ansatz.circuit, {}
    parameters = [*ansatz.input_params, *ansatz.weight_params]
    if {angle.name for angle in template.angles} & {parameter.name for parameter in parameters}:
        return ansatz.circuit, {}  # gate angles already
    angles: dict[str, ParameterExpression] = {}
    for row, angle in enumerate(template.angles):
        expression: object = template.nonlinear.get(row)
        if expression is None:
            expression = float(template.offsets[row])
            for column in np.flatnonzero(template.coefficients[row]):
                slope, parameter = float(template.coefficients[row, column]), parameters[column]
                term = parameter if slope == 1 else slope * parameter
                expression = term if expression == 0 else expression + term
        angles[angle.name] = expression
    return template.circuit, angles
