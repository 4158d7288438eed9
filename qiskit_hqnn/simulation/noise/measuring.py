"""Observables as measured: through the change of basis and the readout, both with their errors.

An expectation value is linear in the state, so each output is one real vector, its effect: ⟨O⟩ = Σ_P e_P r_P. Readout
errors and the gates that change the basis alter effects, once, and cost nothing afterwards.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit
from qiskit.quantum_info import SparsePauliOp
from qiskit_aer.noise import NoiseModel

from qiskit_hqnn.jobs.estimation import measured, measurement_of
from qiskit_hqnn.simulation.noise import channels
from qiskit_hqnn.simulation.noise.attaching import Channel, NoisyCircuit, Operation, attach


@dataclass(frozen=True, eq=False)
class Effect:
    """coefficient · ⊗ vectors, the identity on all other qubits; a term of output `output`."""

    output: int
    coefficient: float
    vectors: dict[int, np.ndarray]


def measured_effects(
    observables: Sequence[SparsePauliOp], where: Sequence[int], num_qubits: int, noise: NoiseModel | None
) -> list[Effect]:
    """The effects of a list of observables, basis by basis as the job manager measures them.

    Args:
        observables: over logical qubits.
        where: the circuit's qubit for each logical one.
        num_qubits: of the circuit.
        noise: of the change of basis and of the readout.
    """
    # Tiny observables would lose their terms to rounding, so they are scaled to 1 first.
    scales = [float(np.abs(o.simplify(atol=0, rtol=0).coeffs).max(initial=0.0)) for o in observables]
    measurement = measurement_of([o / (scale or 1.0) for o, scale in zip(observables, scales, strict=True)])
    constants = measurement.constants * scales
    effects = [Effect(index, value, {}) for index, value in enumerate(constants) if value]
    for basis in measurement.bases:
        behind = attach(measured(QuantumCircuit(num_qubits), basis, where), noise)
        vectors = {bit: _read(*readout, behind.operations) for bit, readout in behind.readouts.items()}
        for output, coefficient, mask in basis.terms:
            bits = [bit for bit in vectors if mask >> bit & 1]
            by_qubit = {behind.readouts[bit][0]: vectors[bit] for bit in bits}
            effects.append(Effect(output, coefficient * scales[output], by_qubit))
    return effects


def parity_effects(noisy: NoisyCircuit) -> list[Effect]:
    """The parities of all 2^m subsets of a measured circuit's m bits, in the order of the subsets as masks."""
    vectors = {
        bit: (qubit, _read(qubit, confusion, ())) for bit, (qubit, confusion) in noisy.readouts.items()
    }
    bits = sorted(vectors)
    return [
        Effect(mask, 1.0, dict(vectors[bit] for place, bit in enumerate(bits) if mask >> place & 1))
        for mask in range(1 << len(bits))
    ]


def _read(qubit: int, confusion: np.ndarray, operations: Sequence[Operation]) -> np.ndarray:
    """The effect of one bit's sign, (−1)^bit, on its qubit before the change of basis."""
    zero, one = confusion @ [1.0, -1.0]
    effect = np.array([(zero + one) / 2, 0, 0, (zero - one) / 2])
    for operation in reversed(operations):
        if operation.qubits == (qubit,):
            assert isinstance(operation, Channel)
            effect = operation.matrix.T @ effect
    return effect


def dense(effects: Sequence[Effect], outputs: int, num_qubits: int) -> np.ndarray:
    """The sums of all effects, of shape (outputs, 4, …, 4)."""
    total = np.zeros((outputs, 4**num_qubits))
    identity = np.eye(4)[channels.IDENTITY]
    for effect in effects:
        vector = np.array([effect.coefficient])
        for qubit in range(num_qubits):
            vector = np.multiply.outer(vector, effect.vectors.get(qubit, identity)).ravel()
        total[effect.output] += vector
    return total.reshape((outputs,) + (4,) * num_qubits)
