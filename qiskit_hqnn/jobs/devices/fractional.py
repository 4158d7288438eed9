"""Fractional gates: rx and rzz of any angle in one pulse, which some devices have beside their fixed gates.

IBM's devices take an rzz only with an angle in [0, π/2]. A device's fractional gates are therefore left out, unless
they are asked for; then every angle is folded into that range, which no outcome can tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from itertools import count
from typing import TypeAlias

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import CircuitInstruction, Parameter, ParameterExpression
from qiskit.circuit.library import RXGate, RZGate, RZZGate, XGate
from qiskit.exceptions import QiskitError
from qiskit.transpiler import PassManager, Target
from qiskit.transpiler.passes import Optimize1qGatesDecomposition

from qiskit_hqnn.jobs.devices.identity import circuit_bytes

FRACTIONAL = ("rx", "rzz")
_KEPT = 32
GatesForFolds: TypeAlias = frozenset[str] | frozenset[tuple[str, frozenset[tuple[int, ...]]]]
_folded: dict[tuple[bytes, GatesForFolds], FoldedCircuit] = {}
_OF_FOLDS = frozenset({"rz", "rx", "x"})
"""The gates that a fold takes beside rzz."""
_SUBSETS = (("rx", "rzz"), ("rzz",), ("rx",))


def fractional_gates(target: Target) -> tuple[str, ...]:
    """The fractional gates that a device has on its qubits; a simulator's gates, which have no qubits, are none."""
    return tuple(
        name
        for name in FRACTIONAL
        if name in target.operation_names and any(qubits is not None for qubits in target[name])
    )


def without_fractional(target: Target) -> tuple[Target, tuple[str, ...]]:
    """A device's gates without the fractional ones, and which these are; one that nothing else can replace stays."""
    has = fractional_gates(target)
    for left_out in _SUBSETS:
        if set(left_out) <= set(has):
            smaller = _without(target, left_out)
            if _is_universal(smaller):
                return smaller, left_out
    return target, ()


def _without(target: Target, left_out: Sequence[str]) -> Target:
    kept = Target(
        description=target.description,
        num_qubits=target.num_qubits,
        dt=target.dt,
        granularity=target.granularity,
        min_length=target.min_length,
        pulse_alignment=target.pulse_alignment,
        acquire_alignment=target.acquire_alignment,
        qubit_properties=target.qubit_properties,
        concurrent_measurements=target.concurrent_measurements,
    )
    for name in target.operation_names:
        operation = target.operation_from_name(name)
        if name in left_out:
            continue
        if isinstance(operation, type):
            kept.add_instruction(operation, name=name)
        else:
            properties = target[name]
            globally = set(properties) == {None}
            kept.add_instruction(operation, None if globally else dict(properties), name=name)
    return kept


def _is_universal(target: Target) -> bool:
    """Whether any gate of one qubit, and a CX if there are two, can be written in a device's gates."""
    circuit = QuantumCircuit(min(2, target.num_qubits))
    circuit.u(0.1, 0.2, 0.3, 0)
    if circuit.num_qubits > 1:
        circuit.cx(0, 1)
    try:
        transpile(circuit, target=target, optimization_level=0, seed_transpiler=0)
    except QiskitError:
        return False
    return True


@dataclass(frozen=True)
class Fold:
    """What an rzz of an open angle has become.

    RZZ(θ) = RZ(z)⊗RZ(z) · (RX(x)⊗1) RZZ(θ') (RX(x)⊗1) up to a phase, with z and x in {0, π} and θ' in [0, π/2].

    Attributes:
        angle: θ.
        names: of the parameters z, x and θ'.
    """

    angle: ParameterExpression
    names: tuple[str, str, str]


@dataclass(frozen=True, eq=False)
class FoldedCircuit:
    """A circuit whose every rzz takes an angle in [0, π/2], and the values that it takes for those of the given one."""

    circuit: QuantumCircuit
    folds: tuple[Fold, ...] = ()

    def values(self, names: Sequence[str], values: np.ndarray) -> tuple[tuple[str, ...], np.ndarray]:
        """Names and values of the folded circuit's parameters.

        Args:
            names: of the columns.
            values: array of shape (sets, parameters of the given circuit), radians.
        """
        if not self.folds:
            return tuple(names), values
        columns = {name: values[:, index] for index, name in enumerate(names)}
        for fold in self.folds:
            angle = _evaluated(fold.angle, columns, len(values))
            # Whole turns are a phase of the circuit.
            angle = angle - 2 * np.pi * np.round(angle / (2 * np.pi))
            beyond = np.abs(angle) > np.pi / 2
            flipped = (angle < 0) != beyond
            inside = np.where(beyond, np.pi - np.abs(angle), np.abs(angle)).clip(0, np.pi / 2)
            columns |= dict(zip(fold.names, (np.pi * beyond, np.pi * flipped, inside), strict=True))
        present = {parameter.name for parameter in self.circuit.parameters}
        kept = {name: column for name, column in columns.items() if name in present}
        return tuple(kept), np.stack(list(kept.values()), axis=1) if kept else np.zeros((len(values), 0))


def folded(circuit: QuantumCircuit, target: Target | None) -> FoldedCircuit:
    """A device's circuit with its open rzz angles folded into [0, π/2]; itself where it has none."""
    if target is None or "rzz" not in target.operation_names or not any(map(_is_open, circuit.data)):
        return FoldedCircuit(circuit)
    # Each training step brings the same circuit.
    key = (sha256(circuit_bytes(circuit)).digest(), _gates_for_folds(target))
    if key not in _folded:
        _folded[key] = _with_folds(circuit, target)
        while len(_folded) > _KEPT:
            _folded.pop(next(iter(_folded)))
    return _folded[key]


def _gates_for_folds(target: Target) -> GatesForFolds:
    """What of a device a folded circuit follows from: which gates it has, and where, if it lacks those of a fold."""
    names = frozenset(target.operation_names)
    if names >= _OF_FOLDS:
        return _OF_FOLDS
    return frozenset((name, frozenset(target.qargs_for_operation_name(name) or ())) for name in names)


def _with_folds(circuit: QuantumCircuit, target: Target) -> FoldedCircuit:
    taken = {parameter.name for parameter in circuit.parameters}
    fresh = (names for number in count() if not taken & set(names := _names(number)))
    result, folds = circuit.copy_empty_like(), []
    for step in circuit.data:
        if not _is_open(step):
            result.append(step)
            continue
        fold = Fold(step.operation.params[0], next(fresh))
        z, x, inside = map(Parameter, fold.names)
        first, second = step.qubits
        result.append(RZGate(z), [first])
        result.append(RZGate(z), [second])
        result.append(RXGate(x), [first])
        result.append(RZZGate(inside), [first, second])
        result.append(RXGate(x), [first])
        folds.append(fold)
    return FoldedCircuit(_in_gates_of(result, target), tuple(folds))


def with_folded_numbers(circuit: QuantumCircuit, target: Target) -> QuantumCircuit:
    """A device's circuit with every known rzz angle folded into [0, π/2]."""
    if "rzz" not in target.operation_names or not any(map(_is_outside, circuit.data)):
        return circuit
    result = circuit.copy_empty_like()
    for step in circuit.data:
        if not _is_outside(step):
            result.append(step)
            continue
        first, second = step.qubits
        angle = float(step.operation.params[0])
        angle -= 2 * np.pi * round(angle / (2 * np.pi))
        beyond = abs(angle) > np.pi / 2
        if beyond:
            result.append(RZGate(np.pi), [first])
            result.append(RZGate(np.pi), [second])
        flips = [XGate()] if (angle < 0) != beyond else []
        inside = min(abs(angle), np.pi - abs(angle)) if beyond else abs(angle)
        for gate in flips:
            result.append(gate, [first])
        result.append(RZZGate(min(max(inside, 0.0), np.pi / 2)), [first, second])
        for gate in flips:
            result.append(gate, [first])
    merged = PassManager([Optimize1qGatesDecomposition(target=target)]).run(_in_gates_of(result, target))
    merged._layout = circuit._layout  # the qubits are where they were
    return merged


def angle_is_allowed(angle: float | ParameterExpression) -> bool:
    """Whether a device takes an rzz of this angle; an open one is folded when its values are known."""
    if isinstance(angle, ParameterExpression) and angle.parameters:
        return True
    return bool(-1e-12 <= float(angle) <= np.pi / 2 + 1e-12)


def _names(number: int) -> tuple[str, str, str]:
    return f"fold_{number}_z", f"fold_{number}_x", f"fold_{number}_zz"


def _is_open(step: CircuitInstruction) -> bool:
    return (
        step.name == "rzz" and isinstance(step.params[0], ParameterExpression) and step.params[0].parameters
    )


def _is_outside(step: CircuitInstruction) -> bool:
    return step.name == "rzz" and not _is_open(step) and not 0 <= float(step.params[0]) <= np.pi / 2


def _in_gates_of(circuit: QuantumCircuit, target: Target) -> QuantumCircuit:
    """The circuit with the gates of a fold in those of the device, its qubits where they are."""
    if set(target.operation_names) >= _OF_FOLDS:
        return circuit
    return transpile(
        circuit,
        target=target,
        optimization_level=0,
        initial_layout=list(range(circuit.num_qubits)),
        layout_method="trivial",
        routing_method="none",
    )


def _evaluated(angle: ParameterExpression, columns: dict[str, np.ndarray], sets: int) -> np.ndarray:
    """Values (sets,) of an angle; most are sums of parameters with factors."""
    parameters = list(angle.parameters)
    slopes = [angle.gradient(parameter) for parameter in parameters]
    if not any(isinstance(slope, ParameterExpression) and slope.parameters for slope in slopes):
        offset = float(angle.bind(dict.fromkeys(parameters, 0.0)))
        found = np.full(sets, offset)
        for parameter, slope in zip(parameters, slopes, strict=True):
            found = found + float(slope) * columns[parameter.name]
        return found
    rows = zip(*(columns[parameter.name] for parameter in parameters), strict=True)
    return np.array([float(angle.bind(dict(zip(parameters, row, strict=True)))) for row in rows])
