"""What every floor below builds on: a parameterised circuit that knows its inputs, weights and outputs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qiskit.circuit import Parameter, QuantumCircuit
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.errors import CircuitError


@dataclass(frozen=True, eq=False)
class Ansatz:
    """A parameterised, unmeasured circuit with its inputs, weights and outputs.

    Args:
        circuit: the circuit; qubit 0 is the first qubit of the paper. It has no measurements.
        input_params: one Parameter for each input feature, in the order of the features.
        weight_params: one Parameter for each trainable weight, in the order of the flattened weight tensor.
        observables: one Hermitian operator for each output; `P(1)` of a qubit is `(I - Z) / 2`.
        reference: where the ansatz is published, with the equation or figure.
        name: the word that commands and job files use.

    Raises:
        CircuitError: if a parameter of the circuit is neither input nor weight (or both), one that is listed does
            not occur in the circuit, an observable has another number of qubits or is not Hermitian, or the
            circuit has classical bits.
    """

    circuit: QuantumCircuit
    input_params: tuple[Parameter, ...]
    weight_params: tuple[Parameter, ...]
    observables: tuple[SparsePauliOp, ...]
    reference: str = ""
    name: str = "custom"

    def __post_init__(self) -> None:
        object.__setattr__(self, "input_params", tuple(self.input_params))
        object.__setattr__(self, "weight_params", tuple(self.weight_params))
        object.__setattr__(self, "observables", tuple(self.observables))
        _check_parameters(self.circuit, self.input_params, self.weight_params)
        _check_observables(self.circuit, self.observables)
        if self.circuit.num_clbits:
            raise CircuitError(
                f"An ansatz must be unmeasured, but circuit {self.circuit.name!r} has {self.circuit.num_clbits} "
                "classical bits; give what to measure as `observables`."
            )

    @property
    def num_qubits(self) -> int:
        return int(self.circuit.num_qubits)

    @property
    def num_inputs(self) -> int:
        return len(self.input_params)

    @property
    def num_weights(self) -> int:
        return len(self.weight_params)

    @property
    def num_outputs(self) -> int:
        return len(self.observables)

    def __repr__(self) -> str:
        return (
            f"Ansatz({self.name!r}: {self.num_qubits} qubits, {self.num_inputs} inputs, {self.num_weights} weights, "
            f"{self.num_outputs} outputs; {self.reference or 'no reference'})"
        )


def pauli_on_each(pauli: str, num_qubits: int) -> tuple[SparsePauliOp, ...]:
    """The observables ⟨P_j⟩ for j = 0 … num_qubits − 1, with P one of "X", "Y", "Z"."""
    if pauli.upper() not in {"X", "Y", "Z"}:
        raise CircuitError(f"Argument `pauli` must be one of 'X', 'Y', 'Z', but is {pauli!r}.")
    return tuple(
        SparsePauliOp.from_sparse_list([(pauli.upper(), [qubit], 1.0)], num_qubits)
        for qubit in range(num_qubits)
    )


def probability_of(outcome: int, qubit: int, num_qubits: int) -> SparsePauliOp:
    """The observable whose expectation value is P(outcome) of one qubit: (I ± Z)/2."""
    sign = 1.0 if outcome == 0 else -1.0
    return SparsePauliOp.from_sparse_list([("", [], 0.5), ("Z", [qubit], sign * 0.5)], num_qubits)


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
        if abs(observable.coeffs.imag).max() > 1e-12:
            raise CircuitError(
                f"Observable {index} must be Hermitian, but has complex coefficients: {observable}."
            )


def _names(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:5]) + (
        f" and {len(names) - 5} more" if len(names) > 5 else ""
    )
    return f"{shown} {'is' if len(names) == 1 else 'are'}"
