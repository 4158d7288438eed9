"""The same ansätze in deepquantum, pyqtorch and tensorcircuit-ng, gate by gate through each one's own interface.

All run as one batch of batch · copies rows under torch's autograd, in complex64.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from benchmarks.contenders import Pass, torch_pass
from benchmarks.translation import outputs_of, value_of
from benchmarks.workloads import Workload
from qiskit_hqnn.circuits import Ansatz

Rows = Callable[[Tensor, Tensor], Tensor]
"""Inputs (rows, I) and weights (rows, W), or (W,) where all rows share them, to outputs (rows, O)."""
_PLAIN_FROM = 12
"""From so many qubits on, tensorcircuit's search for an order of contraction takes longer than the contraction."""


def pass_in(peer: str, workload: Workload) -> Pass:
    """One forward and backward pass in a peer: "deepquantum", "pyqtorch" or "tensorcircuit"."""
    ansatz = workload.build()
    rows: Rows = {"deepquantum": _deepquantum, "pyqtorch": _pyqtorch, "tensorcircuit": _tensorcircuit}[peer](
        ansatz
    )

    def layer(inputs: Tensor, weights: Tensor) -> Tensor:
        each = weights[0] if len(weights) == 1 else weights.expand(len(inputs), -1, -1).flatten(0, 1)
        return rows(inputs.flatten(0, 1), each).reshape(*inputs.shape[:2], ansatz.num_outputs)

    return torch_pass(layer, workload, torch.float32)


def _gates(ansatz: Ansatz) -> list[tuple[str, list[int], Any]]:
    """(name, qubits, angle or None) of every gate; an angle is a function of inputs and weights."""
    gates: list[tuple[str, list[int], Any]] = []
    for step in ansatz.circuit.data:
        wires = [ansatz.circuit.find_bit(qubit).index for qubit in step.qubits]
        angles = [value_of(ansatz, value) for value in step.operation.params]
        if len(angles) > 1:
            raise ValueError(
                f"{step.operation.name} has {len(angles)} angles; the peers are given gates with one"
            )
        gates.append((step.operation.name, wires, angles[0] if angles else None))
    return gates


def _strings(ansatz: Ansatz) -> list[tuple[str, list[int]]]:
    lists = [observable.to_sparse_list() for observable in ansatz.observables]
    return [(letters, list(qubits)) for terms in lists for letters, qubits, _ in terms if letters]


def _deepquantum(ansatz: Ansatz) -> Rows:
    import deepquantum

    circuit = deepquantum.QubitCircuit(ansatz.num_qubits)
    angles = []
    for name, wires, angle in _gates(ansatz):
        if name == "cx":
            circuit.cnot(*wires)
        elif angle is None:
            getattr(circuit, name)(wires[0])
        else:
            getattr(circuit, name)(wires[0], encode=True)
            angles.append(angle)
    for letters, qubits in _strings(ansatz):
        circuit.observable(qubits, letters.lower())

    def run(inputs: Tensor, weights: Tensor) -> Tensor:
        circuit(torch.stack([angle(inputs, weights).expand(len(inputs)) for angle in angles], -1))
        return outputs_of(ansatz, circuit.expectation().unbind(-1), torch.stack)

    return run


def _pyqtorch(ansatz: Ansatz) -> Rows:
    import pyqtorch

    operations, angles = [], {}
    for number, (name, wires, angle) in enumerate(_gates(ansatz)):
        if name == "cx":
            operations.append(pyqtorch.CNOT(*wires))
        elif angle is None:
            operations.append(getattr(pyqtorch, name.upper())(wires[0]))
        else:
            operations.append(getattr(pyqtorch, name.upper())(wires[0], f"angle{number}"))
            angles[f"angle{number}"] = angle
    circuit = pyqtorch.QuantumCircuit(ansatz.num_qubits, operations).to(dtype=torch.complex64)
    strings = _strings(ansatz)
    if any(len(letters) > 1 for letters, _ in strings):
        raise SystemExit("The translation to pyqtorch takes observables of one qubit each only.")
    measured = [
        pyqtorch.Observable(getattr(pyqtorch, letters)(qubits[0])).to(dtype=torch.complex64)
        for letters, qubits in strings
    ]

    def run(inputs: Tensor, weights: Tensor) -> Tensor:
        values = {name: angle(inputs, weights).reshape(-1) for name, angle in angles.items()}
        state = pyqtorch.run(circuit, circuit.init_state(len(inputs)), values)
        return outputs_of(ansatz, [observable.expectation(state) for observable in measured], torch.stack)

    return run


def _tensorcircuit(ansatz: Ansatz) -> Rows:
    import tensorcircuit

    backend = tensorcircuit.set_backend("pytorch")
    tensorcircuit.set_dtype("complex64")
    tensorcircuit.set_contractor("plain" if ansatz.num_qubits >= _PLAIN_FROM else "greedy")
    gates, strings = _gates(ansatz), _strings(ansatz)

    def one(inputs: Tensor, weights: Tensor) -> Tensor:
        circuit = tensorcircuit.Circuit(ansatz.num_qubits)
        for name, wires, angle in gates:
            if angle is None:
                getattr(circuit, "cnot" if name == "cx" else name)(*wires)
            else:
                getattr(circuit, name)(wires[0], theta=angle(inputs, weights))
        return backend.stack(
            [
                backend.real(circuit.expectation_ps(**_by_letter(letters, qubits)))
                for letters, qubits in strings
            ]
        )

    shared = backend.vmap(one, vectorized_argnums=0)
    own = backend.vmap(one, vectorized_argnums=(0, 1))

    def run(inputs: Tensor, weights: Tensor) -> Tensor:
        values = (shared if weights.ndim == 1 else own)(inputs, weights)
        return outputs_of(ansatz, values.unbind(-1), torch.stack)

    return run


def _by_letter(letters: str, qubits: list[int]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for letter, qubit in zip(letters.lower(), qubits, strict=True):
        found.setdefault(letter, []).append(qubit)
    return found
