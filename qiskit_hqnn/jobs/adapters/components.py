"""A tiled circuit in parts that no gate joins: each is sampled separately, and their outcomes are joined.

The parts of a product state are independent, so this is exact for any noise within a part; a state of all its qubits
would not fit.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import rustworkx as rx
from qiskit import QuantumCircuit
from qiskit.circuit import CircuitInstruction

from qiskit_hqnn.jobs.adapters.sampling import Outcomes, SamplingRequest, seed_of

TILES = "hqnn_tiles"
"""The one classical register of a tiled circuit."""

Sample = Callable[[SamplingRequest], Outcomes]


def is_tiled(circuit: QuantumCircuit) -> bool:
    """Whether a circuit consists of tiles."""
    return [register.name for register in circuit.cregs] == [TILES]


@dataclass(frozen=True, eq=False)
class _Part:
    """A part of a request, and the places of its classical bits in the whole."""

    request: SamplingRequest
    bits: tuple[int, ...]


def sampled_apart(request: SamplingRequest, sample: Sample) -> Outcomes:
    """The outcomes of a request, whose parts are sampled one by one.

    Args:
        request: of any circuit.
        sample: samples a part, whose circuit is on the qubits of the whole.
    """
    bits = request.circuit.num_clbits
    width = max(1, -(-bits // 8))
    packed = np.zeros((request.sets, request.shots, width), dtype=np.uint8)
    rng = np.random.default_rng(request.seed)
    for part in _parts(request):
        found = sample(part.request).to_bit_array().array
        # Shots are sorted by outcome: two parts in that order would appear correlated.
        order = rng.random(found.shape[:2]).argsort(axis=1)
        found = np.take_along_axis(found, order[..., None], axis=1)
        found = found.reshape(request.sets, request.shots, -1)
        for index, bit in enumerate(part.bits):
            read = found[..., found.shape[-1] - 1 - index // 8] >> (index % 8) & 1
            packed[..., width - 1 - bit // 8] |= (read << (bit % 8)).astype(np.uint8)
    return Outcomes.from_bit_array(packed, bits)


def _parts(request: SamplingRequest) -> Iterator[_Part]:
    """All parts of a circuit that measure something."""
    circuit = request.circuit
    column = {name: index for index, name in enumerate(request.parameters)}
    for number, steps in enumerate(_joined_steps(circuit)):
        bits = sorted({circuit.find_bit(bit).index for step in steps for bit in step.clbits})
        if not bits:
            continue
        place = {bit: index for index, bit in enumerate(bits)}
        part = QuantumCircuit(circuit.num_qubits, len(bits), name=circuit.name)
        for step in steps:
            qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
            part.append(step.operation, qubits, [place[circuit.find_bit(bit).index] for bit in step.clbits])
        present = {parameter.name for parameter in part.parameters}
        names = tuple(name for name in request.parameters if name in present)
        values, shots = request.values[:, [column[name] for name in names]], request.shots
        if not names:  # the shots of all sets, since a circuit without parameters is taken once
            values, shots = np.zeros((1, 0)), request.sets * request.shots
        yield _Part(SamplingRequest(part, names, values, shots, seed_of(request.seed, number)), tuple(bits))


def _joined_steps(circuit: QuantumCircuit) -> list[list[CircuitInstruction]]:
    """The steps of each part, in their order; barriers, which join nothing, are left out."""
    graph = rx.PyGraph()
    graph.add_nodes_from(range(circuit.num_qubits + circuit.num_clbits))
    nodes = []
    for step in circuit.data:
        if step.operation.name == "barrier":
            continue
        places = [circuit.find_bit(qubit).index for qubit in step.qubits]
        places += [circuit.num_qubits + circuit.find_bit(bit).index for bit in step.clbits]
        nodes.append((places[0], step))
        graph.add_edges_from([(a, b, None) for a, b in itertools.pairwise(places)])
    part_of = {node: number for number, group in enumerate(rx.connected_components(graph)) for node in group}
    steps: dict[int, list[CircuitInstruction]] = {}
    for node, step in nodes:
        steps.setdefault(part_of[node], []).append(step)
    return list(steps.values())
