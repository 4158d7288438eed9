"""The same circuit with the same channels, as density matrices in PennyLane, tensorcircuit-ng and pyqtorch.

Each peer is given the circuit as it runs on the device: turns about Z with their angles, and every gate and error as
Kraus operators (gates as matrices, where there is one operator only). Angles, and outputs from the density matrices,
are computed alike for all of them in torch, under torch's autograd.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from importlib.util import find_spec
from typing import Any

import numpy as np
import torch
from qiskit.quantum_info import PTM, Kraus
from torch import Tensor

from qiskit_hqnn.circuits import Ansatz
from qiskit_hqnn.simulation import TorchFunction
from qiskit_hqnn.simulation.noise import Channel, attach, circuit_at, measured_effects
from qiskit_hqnn.simulation.planning import Angle

_PAULIS = np.array([[[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, -1j], [1j, 0]], [[1, 0], [0, -1]]])


@dataclass(frozen=True)
class Operation:
    """A channel, with its Kraus operators; or a turn about Z on one wire, by an angle of that number.

    Attributes:
        wires: the first one is the most significant bit of the operators' rows.
    """

    wires: list[int]
    kraus: list[np.ndarray]
    angle: int | None = None


@dataclass(frozen=True)
class NoisyTask:
    """A circuit under noise, and its outputs.

    Attributes:
        num_qubits: n.
        operations: in order.
        angles: inputs and weights (rows, I + W) to all turns' angles (rows, turns).
        outputs: density matrices (rows, 2^n, 2^n), wire 0 most significant, to outputs (rows, O).
    """

    num_qubits: int
    operations: list[Operation]
    angles: Callable[[Tensor], Tensor]
    outputs: Callable[[Tensor], Tensor]


def task_of(ansatz: Ansatz, place: str) -> NoisyTask:
    """The ansatz as it runs at a place."""
    circuit, where, noise = circuit_at(ansatz, place)
    noisy = attach(circuit, noise)
    parameters = [*ansatz.input_params, *ansatz.weight_params]
    functions = [TorchFunction(expression, parameters) for expression in noisy.expressions]
    operations: list[Operation] = []
    turns: list[Angle] = []
    for operation in noisy.operations:
        if isinstance(operation, Channel):
            operations.append(Operation(list(operation.qubits[::-1]), _kraus(operation.matrix)))
        else:
            operations.append(Operation([operation.qubit], [], len(turns)))
            turns.append(operation.angle)

    def turned(turn: Angle, values: Tensor) -> Tensor:
        if turn.index is None:
            return torch.full_like(values[..., 0], turn.offset)
        return functions[turn.index](values) * turn.scale + turn.offset

    def angles(values: Tensor) -> Tensor:
        return torch.stack([turned(turn, values) for turn in turns], -1)

    effects = measured_effects(ansatz.observables, where, noisy.num_qubits, noise)
    observed = np.zeros((ansatz.num_outputs, 2**noisy.num_qubits, 2**noisy.num_qubits), dtype=complex)
    for effect in effects:
        identity = np.array([1.0, 0, 0, 0])
        factors = [effect.vectors.get(qubit, identity) for qubit in range(noisy.num_qubits)]
        matrices = [np.einsum("p,pij->ij", factor, _PAULIS) for factor in factors]
        observed[effect.output] += effect.coefficient * reduce(np.kron, matrices)
    flat = torch.tensor(observed.transpose(0, 2, 1).reshape(ansatz.num_outputs, -1).T)

    def outputs(states: Tensor) -> Tensor:
        return (states.flatten(1) @ flat.to(states.dtype)).real

    return NoisyTask(noisy.num_qubits, operations, angles, outputs)


def _kraus(matrix: np.ndarray) -> list[np.ndarray]:
    """Kraus operators of a channel in the Pauli basis, the last qubit of its tuple most significant."""
    size = len(matrix).bit_length() // 2
    digits = matrix.reshape((4,) * 2 * size)
    order = [*range(size)][::-1]
    turned = digits.transpose(*order, *(size + axis for axis in order)).reshape(matrix.shape)
    return [np.asarray(operator) for operator in Kraus(PTM(turned)).data]


States = Callable[[Tensor], Tensor]
"""Angles (rows, turns) to density matrices (rows, 2^n, 2^n)."""


def _pennylane(task: NoisyTask) -> States:
    import pennylane as qml

    device = qml.device("default.mixed", wires=task.num_qubits)

    @qml.qnode(device, interface="torch", diff_method="backprop")
    def node(angles: Tensor) -> Any:
        for step in task.operations:
            if step.angle is not None:
                qml.RZ(angles[:, step.angle], wires=step.wires)
            elif len(step.kraus) == 1:
                qml.QubitUnitary(step.kraus[0], wires=step.wires)
            else:
                qml.QubitChannel(step.kraus, wires=step.wires)
        return qml.density_matrix(wires=range(task.num_qubits))

    return node


def _tensorcircuit(task: NoisyTask) -> States:
    import tensorcircuit

    backend = tensorcircuit.set_backend("pytorch")
    tensorcircuit.set_dtype("complex64")
    tensorcircuit.set_contractor("greedy")
    kraus = [[torch.tensor(k, dtype=torch.complex64) for k in step.kraus] for step in task.operations]

    def one(angles: Tensor) -> Any:
        circuit = tensorcircuit.DMCircuit(task.num_qubits)
        for step, operators in zip(task.operations, kraus, strict=True):
            if step.angle is not None:
                circuit.rz(step.wires[0], theta=angles[step.angle])
            elif len(operators) == 1:
                circuit.any(*step.wires, unitary=operators[0])
            else:
                circuit.general_kraus(operators, *step.wires)
        return circuit.densitymatrix()

    return backend.vmap(one, vectorized_argnums=0)


def _pyqtorch(task: NoisyTask) -> States:
    import pyqtorch
    from pyqtorch.noise.digital_gates import Noise
    from pyqtorch.utils import density_mat

    modules: list[Any] = []
    for step in task.operations:
        if step.angle is not None:
            modules.append(pyqtorch.RZ(step.wires[0], f"angle{step.angle}").to(dtype=torch.complex64))
        else:
            operators = [torch.tensor(k, dtype=torch.complex64) for k in step.kraus]
            target = step.wires[0] if len(step.wires) == 1 else tuple(step.wires)
            modules.append(Noise(operators, target, 0.0))

    def run(angles: Tensor) -> Tensor:
        values = {f"angle{number}": angles[:, number] for number in range(angles.shape[1])}
        start = pyqtorch.zero_state(task.num_qubits, batch_size=len(angles), dtype=torch.complex64)
        state = density_mat(start)
        for module in modules:
            state = module(state, values)
        return state.permute(2, 0, 1)

    return run


PEERS: dict[str, tuple[str, Callable[[NoisyTask], States]]] = {
    "PennyLane default.mixed": ("pennylane", _pennylane),
    "tensorcircuit-ng DMCircuit": ("tensorcircuit", _tensorcircuit),
    "pyqtorch density matrices": ("pyqtorch", _pyqtorch),
}


def missing(peer: str) -> bool:
    return find_spec(PEERS[peer][0]) is None


def layer_of(peer: str, task: NoisyTask, shape: Sequence[int]) -> Callable[[Tensor, Tensor], Tensor]:
    """Inputs (batch, copies, I) and weights (copies, W) to outputs (batch, copies, O), in a peer.

    Args:
        peer: a name in `PEERS`.
        task: what it computes.
        shape: of the outputs.
    """
    states = PEERS[peer][1](task)

    def layer(inputs: Tensor, weights: Tensor) -> Tensor:
        values = torch.cat([inputs, weights.expand(len(inputs), *weights.shape)], -1).flatten(0, 1)
        return task.outputs(states(task.angles(values))).reshape(*shape)

    return layer
