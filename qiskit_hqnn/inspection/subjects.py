"""What can be inspected, and what the job manager is given of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from qiskit import QuantumCircuit
from qiskit.circuit import ParameterExpression
from qiskit.primitives.containers.bindings_array import BindingsArray
from qiskit.primitives.containers.estimator_pub import EstimatorPub

from qiskit_hqnn.circuits import (
    Ansatz,
    Selection,
    Template,
    choose_ansatz,
    is_factory,
    is_file,
    make_template,
)
from qiskit_hqnn.errors import CircuitError, HQNNError
from qiskit_hqnn.inspection.reading import ansatz_of, read_ansatz
from qiskit_hqnn.jobs.estimation.mitigation import MitigationOptions

if TYPE_CHECKING:
    from qiskit_hqnn.training import LoadedRun


@dataclass(frozen=True, eq=False)
class Subject:
    """A circuit as the job manager is given it: a Parameter for each gate angle, as a quantum layer sends it.

    Attributes:
        ansatz: the circuit with its own parameters.
        sent: the circuit over gate angles.
        angles: what each gate angle, by name, is in the ansatz's parameters; empty where `sent` has these themselves.
        weights: trained values, by name; empty for a circuit alone.
        note: what these are, for the page.
        circuits: sets of values that one sample takes: copies of the ansatz, and patches of an image.
        mitigation: what else is sampled besides.
        run: the trained run, where it is one.
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
        """The PUB of so many samples, its values 0: prices do not depend on them."""
        observables = [[[observable]] for observable in self.ansatz.observables]
        if not self.sent.parameters:
            return EstimatorPub.coerce((self.sent, observables))
        names = tuple(parameter.name for parameter in self.sent.parameters)
        values = BindingsArray({names: np.zeros((samples * self.circuits, 1, len(names)))})
        return EstimatorPub.coerce((self.sent, observables, values))

    def in_own_parameters(self, isa: QuantumCircuit) -> QuantumCircuit:
        """An ISA circuit of `sent` with the ansatz's parameters in place of the gate angles."""
        if not self.angles:
            return isa
        # By name: a template that the job manager keeps was made with other Parameter objects.
        return isa.assign_parameters({angle: self.angles[angle.name] for angle in isa.parameters})

    def trained(self, circuit: QuantumCircuit) -> QuantumCircuit:
        """A circuit over the ansatz's parameters with the trained weights in it; the inputs stay open."""
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


def subject_of(
    what: Any,
    copies: int | None,
    copy: int | None,
    data_root: str | Path,
    sizes: Mapping[str, Any],
    selection: Selection | None = None,
) -> Subject:
    """What a user names or holds, ready to be inspected.

    Args:
        what: an ansatz by name, "mine.py:factory", a run folder or a circuit file; or an Ansatz, a Template or a
            QuantumCircuit.
        copies: circuits that one sample takes; None is 1, and of a run the run's own.
        copy: of a run: whose weights are in the circuit; None is the first.
        data_root: of a run: folder of the data sets.
        sizes: arguments of an ansatz by name or of a factory.
        selection: inputs, weights and observables of a circuit of the user's own.

    Raises:
        HQNNError: if it is nothing of these, or an option does not belong to it.
    """
    selection = selection or Selection()
    if isinstance(what, str) and (is_factory(what) or not (is_file(what) or Path(what).is_dir())):
        _refuse(copy=copy)
        return _subject(choose_ansatz(what, selection, **sizes), copies)
    _refuse(what=what, **sizes)
    if isinstance(what, str | os.PathLike):
        path = Path(what)
        if path.is_dir():
            _refuse(what=what, copies=copies, **vars(selection))
            from qiskit_hqnn.inspection.trained import trained_subject

            return trained_subject(path, copy or 0, Path(data_root))
        _refuse(copy=copy)
        if not path.exists() and not path.suffix:
            raise CircuitError(f"There is no run folder or circuit file {str(path)!r}.")
        return _subject(read_ansatz(path, selection), copies)
    _refuse(copy=copy)
    if isinstance(what, Ansatz):
        _refuse(**vars(selection))
        return _subject(what, copies)
    if isinstance(what, Template):
        what = what.circuit
    if isinstance(what, QuantumCircuit):
        return _subject(ansatz_of(what, selection), copies)
    raise HQNNError(
        "Argument `what` must be the name of an ansatz, a path, an Ansatz, a Template or a QuantumCircuit, but is a "
        f"{type(what).__name__}."
    )


def _refuse(what: object = None, **options: object) -> None:
    """Raises HQNNError if an option is given that what is inspected has no use for."""
    circuit = "a circuit file, or a factory that makes a circuit"
    home = {"copy": "a run folder", "copies": "a circuit, while a run has its own"}
    home |= dict.fromkeys(("inputs", "weights", "observables"), circuit)
    for option, value in options.items():
        if value is not None:
            belongs = home.get(option, "an ansatz by name")
            but = f", but {str(what)!r} is none" if isinstance(what, str | os.PathLike) else ""
            raise HQNNError(f"Argument `{option}` belongs to {belongs}{but}.")


def _subject(ansatz: Ansatz, copies: int | None) -> Subject:
    if copies is not None and copies < 1:
        raise HQNNError(f"Argument `copies` must be at least 1, but is {copies}.")
    sent, angles = as_sent(ansatz)
    return Subject(ansatz, sent, angles, circuits=copies or 1)


def as_sent(ansatz: Ansatz) -> tuple[QuantumCircuit, dict[str, ParameterExpression]]:
    """The circuit over gate angles that a quantum layer sends, and each angle, by name, in the ansatz's own parameters.

    A circuit that no layer takes, because a gate of it has no shift rule, is sent as it is.
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
        expression: Any = template.nonlinear.get(row)
        if expression is None:
            expression = float(template.offsets[row])
            for column in np.flatnonzero(template.coefficients[row]):
                slope, parameter = float(template.coefficients[row, column]), parameters[column]
                term = parameter if slope == 1 else slope * parameter
                expression = term if expression == 0 else expression + term
        angles[angle.name] = expression
    return template.circuit, angles
