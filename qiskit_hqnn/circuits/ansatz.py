"""`Ansatz`, which all other packages build on: a parameterised circuit with its inputs, weights and outputs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.circuits.operators import as_operators
from qiskit_hqnn.circuits.snapshot import snapshot
from qiskit_hqnn.errors import CircuitError

if TYPE_CHECKING:
    from qiskit_hqnn.circuits.observables import Observables
    from qiskit_hqnn.circuits.selecting import Parameters


class Ansatz:
    """A parameterised, unmeasured circuit with its inputs, weights and outputs.

    It is a snapshot: later changes to the given circuit or observables do not alter it, and `circuit` and
    `observables` return copies. So everything computed from an ansatz stays valid.

    Args:
        circuit: the circuit; qubit 0 is the first qubit of the paper. It has no measurements.
        input_params: one Parameter for each input feature, in the order of the features.
        weight_params: one Parameter for each trainable weight, in the order of the flattened weight tensor.
        observables: one Hermitian operator for each output; `P(1)` of a qubit is `(I - Z) / 2`. As in Qiskit's
            EstimatorQNN, a single operator is one output, however many terms it has.
        reference: where the ansatz is published, with the equation or figure.
        name: the word that commands and job files use.

    Raises:
        CircuitError: if there is no qubit, a parameter of the circuit is neither input nor weight (or both), one that
            is listed does not occur in the circuit, an observable has a different number of qubits or is not
            Hermitian, or the circuit has classical bits.
    """

    def __init__(
        self,
        circuit: QuantumCircuit,
        input_params: Iterable[Parameter],
        weight_params: Iterable[Parameter],
        observables: Iterable[SparsePauliOp] | SparsePauliOp,
        reference: str = "",
        name: str = "custom",
    ) -> None:
        self._circuit = snapshot(circuit)
        self._input_params, self._weight_params = tuple(input_params), tuple(weight_params)
        self._observables = as_operators(observables)
        self._reference, self._name = reference, name
        if not self._circuit.num_qubits:
            raise CircuitError(f"An ansatz needs at least one qubit, but circuit {circuit.name!r} has none.")
        _check_parameters(self._circuit, self._input_params, self._weight_params)
        _check_observables(self._circuit, self._observables)
        self._observables = tuple(observable.copy() for observable in self._observables)
        if self._circuit.num_clbits:
            raise CircuitError(
                f"An ansatz must be unmeasured, but circuit {circuit.name!r} has {circuit.num_clbits} "
                "classical bits; pass what to measure as `observables`."
            )

    @classmethod
    def from_circuit(
        cls,
        circuit: QuantumCircuit,
        inputs: Parameters | None = None,
        weights: Parameters | None = None,
        observables: Observables | None = None,
        *,
        name: str | None = None,
        reference: str = "",
    ) -> Ansatz:
        """An ansatz of a custom circuit.

        Args:
            circuit: not altered. Measurements at its end are left out (nothing but barriers, delays and further
                measurements follows on their qubits), resets of fresh qubits too, and loops are unrolled.
            inputs, weights: patterns such as "x*" (in natural order: x2 before x10; several are separated by commas),
                or parameters and vectors of them. If one of them is None, it is all that the other one does
                not name. If both are None, the inputs are the parameters named x, x0, x_0, x[0] and the like;
                the weights are the rest.
            observables: words such as "Z*" (each qubit), "Z0*Z1", "ZZI" (its first letter is the last qubit) or
                "0.5 - 0.5*Z0", or operators. None is ⟨Z⟩ of each qubit or, if the circuit was measured, of each
                measured qubit in the order of its bits.
            name: None is the circuit's.
            reference: where it is published.

        Raises:
            CircuitError: if a pattern matches nothing, a parameter is matched twice or not at all, an observable cannot
                be read, or the circuit measures, resets or branches in the middle.
        """
        from qiskit_hqnn.circuits.from_circuit import parts_of_circuit

        return cls(*parts_of_circuit(circuit, inputs, weights, observables, name=name, reference=reference))

    @classmethod
    def from_file(
        cls,
        path: str | Path,
        inputs: Parameters | None = None,
        weights: Parameters | None = None,
        observables: Observables | None = None,
        *,
        name: str | None = None,
    ) -> Ansatz:
        """An ansatz from a QPY, OpenQASM 2 or OpenQASM 3 file; the format is recognised by the content.

        Args:
            path: of the file. OpenQASM 2 has no parameters: such a circuit has neither inputs nor weights.
            inputs, weights, observables: as in `from_circuit`; what Qiskit wrote to OpenQASM as _x_0_ becomes
                x[0] again.
            name: None is the file's.

        Raises:
            CircuitError: as `from_circuit`, or if the file is missing, damaged or of a different kind.
        """
        from qiskit_hqnn.circuits.from_circuit import parts_of_file

        return cls(*parts_of_file(path, inputs, weights, observables, name=name))

    @property
    def circuit(self) -> QuantumCircuit:
        """A copy of the circuit."""
        return self._circuit.copy()

    @property
    def input_params(self) -> tuple[Parameter, ...]:
        return self._input_params

    @property
    def weight_params(self) -> tuple[Parameter, ...]:
        return self._weight_params

    @property
    def observables(self) -> tuple[SparsePauliOp, ...]:
        """Copies of the observables."""
        return tuple(observable.copy() for observable in self._observables)

    @property
    def reference(self) -> str:
        return self._reference

    @property
    def name(self) -> str:
        return self._name

    @property
    def num_qubits(self) -> int:
        return int(self._circuit.num_qubits)

    @property
    def num_inputs(self) -> int:
        return len(self._input_params)

    @property
    def num_weights(self) -> int:
        return len(self._weight_params)

    @property
    def num_outputs(self) -> int:
        return len(self._observables)

    def __repr__(self) -> str:
        return (
            f"Ansatz({self.name!r}: {self.num_qubits} qubits, {self.num_inputs} inputs, {self.num_weights} weights, "
            f"{self.num_outputs} outputs; {self.reference or 'no reference'})"
        )


def _check_parameters(
    circuit: QuantumCircuit, inputs: Sequence[Parameter], weights: Sequence[Parameter]
) -> None:
    listed = [*inputs, *weights]
    if len(set(listed)) != len(listed):
        twice = sorted({p.name for p in listed if listed.count(p) > 1})
        raise CircuitError(
            f"Each parameter must be listed once, as an input or as a weight, but {_names(twice)} twice."
        )
    foreign = sorted(p.name for p in circuit.parameters if p not in set(listed))
    if foreign:
        raise CircuitError(
            f"Every parameter of the circuit must be in `input_params` or `weight_params`, but {_names(foreign)} in "
            "neither."
        )
    present = set(circuit.parameters)
    missing = sorted(p.name for p in listed if p not in present)
    if missing:
        raise CircuitError(
            f"Every listed parameter must occur in the circuit, but {_names(missing)} not in it."
        )


def _check_observables(circuit: QuantumCircuit, observables: Sequence[SparsePauliOp]) -> None:
    if not observables:
        raise CircuitError("An ansatz needs at least one observable, but `observables` is empty.")
    for index, observable in enumerate(observables):
        if not isinstance(observable, SparsePauliOp):
            raise CircuitError(
                f"Observable {index} must be a SparsePauliOp, but is a {type(observable).__name__}."
            )
        if observable.num_qubits != circuit.num_qubits:
            raise CircuitError(
                f"Observable {index} must act on the circuit's {circuit.num_qubits} qubits, but acts on "
                f"{observable.num_qubits}."
            )
        if observable.coeffs.dtype == object or not np.isfinite(observable.coeffs).all():
            raise CircuitError(f"Observable {index} must have finite coefficients, but is {observable}.")
        # Rounding of products of real coefficients, relative to their size: small observables are valid too.
        if abs(observable.coeffs.imag).max() > 1e-12 * abs(observable.coeffs).max():
            raise CircuitError(
                f"Observable {index} must be Hermitian, but has complex coefficients: {observable}."
            )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    return f"{shown} {'is' if len(names) == 1 else 'are'}"
