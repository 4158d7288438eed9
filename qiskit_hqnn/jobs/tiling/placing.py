"""Where on a device a component fits, with its gates in directions that are there, and how well it would do."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

import numpy as np
import rustworkx as rx
from qiskit import transpile
from qiskit.circuit import ControlFlowOp
from qiskit.exceptions import QiskitError

from qiskit_hqnn.jobs.devices import Device, cut_target, gate_error, with_folded_numbers
from qiskit_hqnn.jobs.tiling.shapes import Component, component_of, log_success

_PLACES_AROUND = 4_000
"""Of a wide circuit there are more places around a qubit than anybody can compare."""
_VARIANTS = 64
"""Number of sets of gate directions for which a component is transpiled again, the most frequent ones."""


@dataclass(frozen=True, eq=False)
class Places:
    """All places of a component on a device, best first.

    Attributes:
        variants: the component for one set of directions of its gates each.
        variant: for each place the number of its variant, (M,).
        qubits: the device's qubits for those of the component, (M, qubits of the component).
        log_success: logarithm of the expected success, (M,).
    """

    variants: tuple[Component, ...]
    variant: np.ndarray
    qubits: np.ndarray
    log_success: np.ndarray


class DeviceMap:
    """A device's qubits, which of them gates join, and the calibration in tables.

    Attributes:
        graph: its qubits and pairs.
        distance: steps between two qubits, (qubits, qubits); infinite between parts that nothing joins.
        tables: for each gate log(1 − error), (qubits,) or (qubits, qubits); −∞ where it is missing or never succeeds.
    """

    def __init__(self, device: Device) -> None:
        target = device.target
        assert target is not None
        self.device, self.target = device, target
        size = int(target.num_qubits)
        self.tables: dict[str, np.ndarray] = {}
        self._gates: dict[tuple[int, ...], frozenset[str]] = {}
        gates: defaultdict[tuple[int, ...], set[str]] = defaultdict(set)
        for name in target.operation_names:
            operation = target.operation_from_name(name)
            if isinstance(operation, (type, ControlFlowOp)):
                continue
            width = operation.num_qubits
            if width not in (1, 2):
                continue
            table = np.full((size,) * width, -np.inf)
            for qubits in self._where(name, size, width):
                error = gate_error(target, name, qubits)
                table[qubits] = np.log1p(-error) if error < 1 else -np.inf
                if error < 1:
                    gates[qubits].add(name)
            self.tables[name] = table
        self._gates = {qubits: frozenset(names) for qubits, names in gates.items()}
        self.graph = rx.PyGraph()
        self.graph.add_nodes_from(range(size))
        pairs = {tuple(sorted(qubits)) for qubits in gates if len(qubits) == 2}
        self.graph.add_edges_from([(a, b, None) for a, b in sorted(pairs)])
        self.distance = rx.distance_matrix(self.graph, null_value=np.inf)

    def _where(self, name: str, size: int, width: int) -> list[tuple[int, ...]]:
        known = [qubits for qubits in self.target[name] if qubits is not None]
        if known or width == 2:
            return known
        return [(qubit,) for qubit in range(size)]

    def directions(self, component: Component, qubits: np.ndarray) -> Directions:
        """Which gates there are on each pair of the component's, in both directions, at one place."""
        none: frozenset[str] = frozenset()
        found = []
        for a, b in sorted(component.graph.edge_list()):
            x, y = int(qubits[a]), int(qubits[b])
            found.append((self._gates.get((x, y), none), self._gates.get((y, x), none)))
        return tuple(found)


Directions: TypeAlias = tuple[tuple[frozenset[str], frozenset[str]], ...]
"""Names of the gates on each pair of qubits, in both directions."""


def places_of(component: Component, map_: DeviceMap) -> Places:
    """Every place of a component that has a chance of success, best first."""
    found = _mappings(component, map_)
    variants: list[Component] = [component]
    which = np.zeros(len(found), dtype=int)
    success = log_success(component, map_.tables, found)
    missing = np.flatnonzero(np.isneginf(success))
    by_direction: defaultdict[Directions, list[int]] = defaultdict(list)
    for index in missing:
        directions = map_.directions(component, found[index])
        if not _has_its_gates(component, directions):
            by_direction[directions].append(int(index))
    frequent = sorted(by_direction.values(), key=lambda indices: (-len(indices), indices))
    for indices in frequent[:_VARIANTS]:
        other = _turned(component, found[indices[0]], map_.device)
        if other is not None:
            which[indices] = len(variants)
            success[indices] = log_success(other, map_.tables, found[indices])
            variants.append(other)
    possible = np.flatnonzero(~np.isneginf(success))
    order = possible[np.argsort(-success[possible], kind="stable")]
    return Places(tuple(variants), which[order], found[order], success[order])


def _has_its_gates(component: Component, directions: Directions) -> bool:
    """Whether the gates of a component are all there, so that another cause excludes its place."""
    on = dict(zip(sorted(component.graph.edge_list()), directions, strict=True))
    return all(
        name in (on[qubits][0] if qubits in on else on[qubits[::-1]][1])
        for name, qubits in component.counts
        if len(qubits) == 2
    )


def _mappings(component: Component, map_: DeviceMap) -> np.ndarray:
    """The device's qubits for those of a component, wherever its pattern is found: (M, qubits of the component)."""
    distances = rx.distance_matrix(component.graph)
    root = int(distances.max(axis=1).argmin())
    reach = distances[root].max()
    pattern = component.graph.copy()
    for qubit in range(len(pattern)):
        pattern[qubit] = qubit == root
    rows = []
    for centre in range(len(map_.graph)):
        # Around each qubit by itself, so that a bounded search leaves no corner of the device out.
        near = [int(qubit) for qubit in np.flatnonzero(map_.distance[centre] <= reach)]
        if len(near) < len(pattern):
            continue
        around = map_.graph.subgraph(near)
        for index, qubit in enumerate(near):
            around[index] = qubit == centre
        maps = rx.vf2_mapping(
            around,
            pattern,
            node_matcher=lambda one, other: one == other,
            subgraph=True,
            induced=False,
            id_order=False,
        )
        for found in islice(maps, _PLACES_AROUND):
            row = np.empty(len(pattern), dtype=int)
            for index, qubit in found.items():
                row[qubit] = near[index]
            rows.append(row)
    return np.array(rows, dtype=int).reshape(-1, len(pattern))


def _turned(component: Component, qubits: np.ndarray, device: Device) -> Component | None:
    """The component in gates whose directions are those at one place; None if that cannot be had."""
    assert device.target is not None
    target = cut_target(device.target, [int(qubit) for qubit in qubits])
    here = list(range(len(qubits)))
    try:
        isa = transpile(
            component.circuit,
            target=target,
            initial_layout=here,
            layout_method="trivial",
            routing_method="none",
            optimization_level=1,
            seed_transpiler=0,
        )
    except QiskitError:
        return None
    if isa.layout is not None and list(isa.layout.final_index_layout()) != here:
        return None
    ends = [place for _, place in component.logical]
    numbers = [number for number, _ in component.logical]
    turned = component_of(with_folded_numbers(isa, target), here, ends, device)
    logical = tuple((numbers[index], place) for index, place in turned.logical)
    return Component(turned.circuit, logical, turned.counts)
