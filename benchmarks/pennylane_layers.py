"""The same ansätze as PennyLane QNodes, translated gate by gate from their Qiskit circuits.

RZ RY RZ on one qubit becomes one `Rot`, as PennyLane's own StronglyEntanglingLayers has it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pennylane as qml
import torch

from benchmarks.contenders import Pass, torch_pass
from benchmarks.translation import Value, outputs_of, value_of
from benchmarks.workloads import Workload
from qiskit_hqnn.circuits import Ansatz

_GATES = {"rx": qml.RX, "ry": qml.RY, "rz": qml.RZ, "h": qml.Hadamard, "cx": qml.CNOT}
_PAULIS = {"X": qml.PauliX, "Y": qml.PauliY, "Z": qml.PauliZ}
Operation = tuple[Callable[..., Any], list[Value], list[int]]


def torch_layer(ansatz: Ansatz, device: str) -> Callable[[torch.Tensor, torch.Tensor], torch.Tensor]:
    """A function of inputs (batch, copies, I) and weights (copies, W): one QNode over batch · copies rows."""
    node = qml.QNode(
        _circuit(ansatz),
        qml.device(device, wires=ansatz.num_qubits),
        interface="torch",
        diff_method="backprop" if device == "default.qubit" else "adjoint",
    )

    def run(inputs: torch.Tensor, weights: torch.Tensor) -> torch.Tensor:
        rows = inputs.flatten(0, 1)
        # Copies differ in their weights: those are broadcast with the inputs. One copy keeps plain weights.
        each = weights[0] if len(weights) == 1 else weights.expand(len(inputs), -1, -1).flatten(0, 1)
        outputs = outputs_of(ansatz, node(rows, each), torch.stack)
        return outputs.reshape(*inputs.shape[:2], ansatz.num_outputs)

    return run


def pass_in_torch(workload: Workload, device: str) -> Pass:
    return torch_pass(torch_layer(workload.build(), device), workload, torch.float32)


def pass_in_jax(workload: Workload, device: str) -> Pass:
    """vmap over the batch and the copies, value and gradients under one jit."""
    import jax

    ansatz, numbers = workload.build(), workload.numbers()
    node = qml.QNode(_circuit(ansatz), qml.device(device, wires=ansatz.num_qubits), interface="jax")

    def one(x: Any, w: Any) -> Any:
        return outputs_of(ansatz, node(x, w), jax.numpy.stack)

    layer = jax.vmap(jax.vmap(one, in_axes=(0, 0)), in_axes=(0, None))
    inputs, weights, cotangent = (
        jax.numpy.asarray(value, jax.numpy.float32)
        for value in (numbers.inputs, numbers.weights, numbers.cotangent)
    )

    def loss(x: Any, w: Any) -> tuple[Any, Any]:
        outputs = layer(x, w)
        return (outputs * cotangent).sum(), outputs

    both = jax.jit(jax.value_and_grad(loss, argnums=(0, 1), has_aux=True))

    def step() -> Any:
        return jax.block_until_ready(both(inputs, weights))

    def results() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        (_, outputs), gradients = step()
        return np.asarray(outputs), np.asarray(gradients[0]), np.asarray(gradients[1])

    return Pass(step, results)


def _circuit(ansatz: Ansatz) -> Callable[[Any, Any], list[Any]]:
    operations = _operations(ansatz)
    strings = [
        [(p, list(q)) for p, q, _ in observable.to_sparse_list() if p] for observable in ansatz.observables
    ]

    def circuit(inputs: Any, weights: Any) -> list[Any]:
        for gate, values, wires in operations:
            gate(*(value(inputs, weights) for value in values), wires=wires)
        return [
            qml.expval(qml.prod(*(_PAULIS[letter](q) for letter, q in zip(p, qubits, strict=True))))
            if len(p) > 1
            else qml.expval(_PAULIS[p](qubits[0]))
            for terms in strings
            for p, qubits in terms
        ]

    return circuit


def _operations(ansatz: Ansatz) -> list[Operation]:
    operations: list[Operation] = []
    last: dict[int, list[Operation]] = {}
    for step in ansatz.circuit.data:
        wires = [ansatz.circuit.find_bit(qubit).index for qubit in step.qubits]
        values = [value_of(ansatz, parameter) for parameter in step.operation.params]
        operation = (_GATES[step.operation.name], values, wires)
        operations.append(operation)
        for wire in wires:
            last.setdefault(wire, []).append(operation)
        recent = last[wires[0]][-3:]
        if [item[0] for item in recent] == [qml.RZ, qml.RY, qml.RZ]:
            merged = (qml.Rot, [value for item in recent for value in item[1]], wires)
            operations = [item for item in operations if all(item is not old for old in recent)]
            operations.append(merged)
            last[wires[0]][-3:] = [merged]
    return operations
