"""Pauli twirling of gates: one circuit whose rotation angles say which Paulis are in it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from qiskit import QuantumCircuit, transpile
from qiskit.circuit import CircuitInstruction

from qiskit_hqnn.errors import MitigationError

if TYPE_CHECKING:
    from samplomatic.samplex import Samplex

_CLIFFORD = frozenset({"cx", "cz", "ecr"})
_ONE_QUBIT = frozenset({"rz", "sx", "x"})


@dataclass(frozen=True, eq=False)
class GateTwirl:
    """A circuit with every one-qubit gate as a product of rotations whose angles carry the twirl.

    Attributes:
        circuit: the template; on the qubits of the given circuit.
        parameters: names of its parameters, in the order of the columns of `values`.
        samplex: draws the angles of random twirls.
        order: columns of the given values, in the samplex's order.
    """

    circuit: QuantumCircuit
    parameters: tuple[str, ...]
    samplex: Samplex
    order: np.ndarray

    def values(self, values: np.ndarray, draws: int, seed: int) -> np.ndarray:
        """Angles of random twirls, the same ones for the same seed.

        Args:
            values: array of shape (sets, parameters of the given circuit).
            draws: random twirls of each set.
            seed: of the twirls.

        Returns:
            Array of shape (draws, sets, parameters of the template), radians.
        """
        rng = np.random.default_rng(seed)
        result = np.empty((draws, len(values), len(self.parameters)))
        for index, row in enumerate(np.asarray(values, dtype=float)[:, self.order]):
            given = {"parameter_values": row} if len(row) else {}
            sampled = self.samplex.sample(given, num_randomizations=draws, rng=rng, max_workers=1)
            result[:, index] = sampled["parameter_values"]
        return result


def twirled(circuit: QuantumCircuit, names: Sequence[str]) -> GateTwirl:
    """Prepare a circuit for gate twirling; random Paulis merge with the one-qubit gates beside them.

    Args:
        circuit: unmeasured; its two-qubit gates are cx, cz and ecr.
        names: of its parameters, in the order of the columns of values.

    Raises:
        MitigationError: if another two-qubit gate is in it, or it measures.
    """
    if circuit.num_clbits:
        raise MitigationError(
            f"Gate twirling takes circuits that measure nothing themselves, but {circuit.name!r} does."
        )
    from samplomatic import build
    from samplomatic.transpiler import generate_boxing_pass_manager

    others = {
        step.operation.name
        for step in circuit.data
        if len(step.qubits) > 1 and step.operation.name not in _CLIFFORD | {"barrier"}
    }
    if others:
        raise MitigationError(
            f"Gate twirling takes the two-qubit gates cx, cz and ecr, but the circuit has {', '.join(sorted(others))}; "
            "transpile it for a device that has one of those, and leave fractional gates out."
        )
    used = sorted(
        {
            circuit.find_bit(qubit).index
            for step in circuit.data
            for qubit in step.qubits
            if not _barrier(step)
        }
    )
    small = _moved(circuit, {qubit: place for place, qubit in enumerate(used)}, len(used))
    if not set(small.count_ops()) <= _CLIFFORD | _ONE_QUBIT | {"barrier"}:  # on Aer, which takes any gate
        small = transpile(small, basis_gates=sorted(_CLIFFORD | _ONE_QUBIT), optimization_level=0)
    boxed = generate_boxing_pass_manager(
        enable_gates=True, enable_measures=False, twirling_strategy="active"
    ).run(small)
    template, samplex = build(boxed)
    whole = _moved(template, dict(enumerate(used)), circuit.num_qubits)
    column = {name: index for index, name in enumerate(names)}
    order = np.array([column[parameter.name] for parameter in boxed.parameters], dtype=int)
    return GateTwirl(whole, tuple(parameter.name for parameter in template.parameters), samplex, order)


def _barrier(step: CircuitInstruction) -> bool:
    return bool(step.operation.name == "barrier")


def _moved(circuit: QuantumCircuit, place: dict[int, int], qubits: int) -> QuantumCircuit:
    """The circuit on other qubits; barriers keep to the qubits that have a place."""
    result = QuantumCircuit(qubits, name=circuit.name)
    for step in circuit.data:
        where = [circuit.find_bit(qubit).index for qubit in step.qubits]
        kept = [place[qubit] for qubit in where if qubit in place]
        if _barrier(step):
            result.barrier(kept)
        else:
            result.append(step.operation, kept)
    return result
