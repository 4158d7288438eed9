"""Shapes of regions: which qubits of a transpiled circuit are joined by gates, and the circuit on each such part."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import rustworkx as rx
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices import LEVELS, SEEDS, Device, ISATemplate, candidates, folded


@dataclass(frozen=True, eq=False)
class Component:
    """Qubits that gates join, directly or over others, and all that happens on them.

    Attributes:
        circuit: on its own qubits, in the device's gates; its classical bits are those of the whole circuit.
        logical: for each qubit of the user's circuit that ends here, its number there and here.
        counts: how often each gate is on which qubits, as it is sent; a readout of every logical qubit counts.
    """

    circuit: QuantumCircuit
    logical: tuple[tuple[int, int], ...]
    counts: Counter[tuple[str, tuple[int, ...]]]

    @cached_property
    def graph(self) -> rx.PyGraph:
        """The pattern of its gates of two qubits."""
        graph = rx.PyGraph()
        graph.add_nodes_from(range(self.circuit.num_qubits))
        pairs = {tuple(sorted(qubits)) for _, qubits in self.counts if len(qubits) == 2}
        graph.add_edges_from([(a, b, None) for a, b in sorted(pairs)])
        return graph


@dataclass(frozen=True, eq=False)
class Shape:
    """A transpiled circuit by its components; most have one.

    Attributes:
        components: the largest first.
        logical: qubits of the user's circuit.
    """

    components: tuple[Component, ...]
    logical: int

    @property
    def num_qubits(self) -> int:
        return sum(component.circuit.num_qubits for component in self.components)


def shapes_of(circuit: QuantumCircuit, device: Device) -> list[Shape]:
    """The shapes of the best templates of all transpiler seeds and levels, one template for each, best first.

    Raises:
        DeviceError: if the device cannot run the circuit, or two parts of it that no gate joins write one bit.
    """
    found: list[Shape] = []
    for template in candidates(circuit, device, range(SEEDS), LEVELS):
        if {p.name for p in template.circuit.parameters} != {p.name for p in circuit.parameters}:
            raise DeviceError(f"Transpiling for {device.name} lost parameters of circuit {circuit.name!r}.")
        shape = shape_of(template, device)
        if not any(_alike(shape, other) for other in found):
            found.append(shape)
    return found


def shape_of(template: ISATemplate, device: Device) -> Shape:
    """The components of a template."""
    circuit, logical = template.circuit, template.logical
    parts = [
        component_of(circuit, qubits, logical, device) for qubits in _joined_qubits(circuit, set(logical))
    ]
    written = [bit for part in parts for bit in _written(part.circuit)]
    if len(set(written)) < len(written):
        raise DeviceError(
            f"Circuit {circuit.name!r} cannot be tiled: parts of it that no gate joins write the same classical bit."
        )
    return Shape(tuple(sorted(parts, key=lambda part: -part.circuit.num_qubits)), len(logical))


def component_of(
    circuit: QuantumCircuit, qubits: Sequence[int], logical: Sequence[int], device: Device
) -> Component:
    """Some qubits of a circuit with all that happens on them.

    Args:
        circuit: in the device's gates.
        qubits: those of its qubits that make up the component.
        logical: where each qubit of the user's circuit is.
        device: says what is sent for an open angle.
    """
    small = moved(circuit, {qubit: place for place, qubit in enumerate(qubits)}, len(qubits))
    place = {qubit: index for index, qubit in enumerate(qubits)}
    ends = tuple((number, place[qubit]) for number, qubit in enumerate(logical) if qubit in place)
    return Component(small, ends, _counts(small, ends, device))


def _counts(
    circuit: QuantumCircuit, ends: Sequence[tuple[int, int]], device: Device
) -> Counter[tuple[str, tuple[int, ...]]]:
    counts: Counter[tuple[str, tuple[int, ...]]] = Counter()
    sent = folded(circuit, device.target).circuit
    for step in sent.data:
        if step.operation.name not in {"barrier", "delay"}:
            qubits = tuple(sent.find_bit(qubit).index for qubit in step.qubits)
            counts[step.operation.name, qubits] += 1
    for _, qubit in ends:
        counts["measure", (qubit,)] += 1
    return counts


def moved(circuit: QuantumCircuit, place: dict[int, int], qubits: int) -> QuantumCircuit:
    """The steps of a circuit on those qubits that have a place among others, without its global phase.

    Barriers keep to the qubits that have a place.
    """
    result = QuantumCircuit(qubits, name=circuit.name)
    result.add_bits(circuit.clbits)
    for register in circuit.cregs:
        result.add_register(register)
    for step in circuit.data:
        places = [place.get(circuit.find_bit(qubit).index) for qubit in step.qubits]
        kept = [qubit for qubit in places if qubit is not None]
        if len(kept) == len(places) or (step.operation.name == "barrier" and kept):
            operation = step.operation
            if len(kept) < len(places):
                result.barrier(kept)
            else:
                result.append(operation, kept, step.clbits)
    return result


def _written(circuit: QuantumCircuit) -> set[int]:
    return {circuit.find_bit(bit).index for step in circuit.data for bit in step.clbits}


def _joined_qubits(circuit: QuantumCircuit, also: set[int]) -> list[list[int]]:
    """Used qubits, and some others, in groups that gates join."""
    graph = rx.PyGraph()
    graph.add_nodes_from(range(circuit.num_qubits))
    used = set(also)
    for step in circuit.data:
        if step.operation.name == "barrier":
            continue
        qubits = [circuit.find_bit(qubit).index for qubit in step.qubits]
        used |= set(qubits)
        graph.add_edges_from([(a, b, None) for a, b in itertools.pairwise(qubits)])
    groups = [sorted(group) for group in rx.connected_components(graph)]
    return sorted(group for group in groups if used & set(group))


def _alike(shape: Shape, other: Shape) -> bool:
    """Whether two templates have the same patterns: then the better one serves for both."""
    return len(shape.components) == len(other.components) and all(
        rx.is_isomorphic(one.graph, two.graph)
        for one, two in zip(shape.components, other.components, strict=True)
    )


def log_success(component: Component, tables: dict[str, np.ndarray], places: np.ndarray) -> np.ndarray:
    """Logarithm of the expected success at each of M places: −∞ where a gate is missing or never succeeds.

    Args:
        component: what is placed.
        tables: for each gate, log(1 − error) by its qubit, or by both.
        places: the device's qubits, of shape (M, qubits of the component).
    """
    total = np.zeros(len(places))
    for (name, qubits), count in component.counts.items():
        table = tables.get(name)
        if table is None:
            return np.full(len(places), -np.inf)
        total += count * table[tuple(places[:, qubit] for qubit in qubits)]
    return total
