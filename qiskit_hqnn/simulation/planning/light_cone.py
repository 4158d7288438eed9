"""The part of a circuit that its outputs depend on: the end moves into the measurement, the light cone remains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from qiskit.quantum_info import SparsePauliOp

from qiskit_hqnn.simulation.planning.layering import Layer
from qiskit_hqnn.simulation.planning.lowering import Fixed, Rotation
from qiskit_hqnn.simulation.planning.measurement import (
    Term,
    bases_of,
    sees,
    terms_of,
    through_gates,
    through_permutation,
)

Tail = tuple[list[Layer], list[Term], dict[int, np.ndarray]]
"""Layers, the observables after them, and fixed gates between both."""


def pull_measurement_back(layers: list[Layer], observables: Sequence[SparsePauliOp]) -> Tail:
    """Move as much as possible from the circuit's end into the measurement, and drop what does not affect it."""
    terms = terms_of(observables)
    while True:
        last = layers[-1]
        if last.permutes:
            moved = through_permutation(terms, last)
            if len(bases_of(moved, {})) > len(bases_of(terms, {})):
                break
            terms, last.rows = moved, []
            last.__post_init__()
        last.phases = [
            (mask, angle) for mask, angle in last.phases if any(sees(term, mask) for term in terms)
        ]
        if last.phases or len(layers) == 1 or not is_fixed(last):
            break
        gates = {qubit: product_of(gates) for qubit, gates in last.gates.items()}
        moved_back = through_gates(terms, gates)
        if moved_back is None:
            # The measurement's change of basis replaces this layer at no cost.
            layers.pop()
            return layers, terms, gates
        terms = moved_back
        layers.pop()
    return layers, terms, {}


def cut_to_light_cone(layers: list[Layer], terms: list[Term], last_gates: dict[int, np.ndarray]) -> Tail:
    """The circuit cut down to the observables' light cone, from the end to the start."""
    live = 0
    for term in terms:
        live |= term.x | term.z
    last_gates = {qubit: gate for qubit, gate in last_gates.items() if live >> qubit & 1}
    for layer in reversed(layers):
        live = _grown(live, [row | 1 << bit for bit, row in enumerate(layer.rows)])
        layer.rows = [row if live >> bit & 1 else 1 << bit for bit, row in enumerate(layer.rows)]
        live = _grown(live, [mask for mask, _ in layer.phases])
        layer.phases = [(mask, angle) for mask, angle in layer.phases if mask & live]
        layer.gates = {qubit: gates for qubit, gates in layer.gates.items() if live >> qubit & 1}
    kept = [qubit for qubit in range(layers[0].num_qubits) if live >> qubit & 1] or [0]
    place = {qubit: index for index, qubit in enumerate(kept)}

    def packed(mask: int) -> int:
        return sum((mask >> qubit & 1) << index for qubit, index in place.items())

    smaller = [
        Layer(
            len(kept),
            {place[qubit]: gates for qubit, gates in layer.gates.items() if qubit in place},
            [(packed(mask), angle) for mask, angle in layer.phases],
            [packed(layer.rows[qubit]) for qubit in kept],
        )
        for layer in layers
    ]
    moved = [Term(term.output, term.coefficient, packed(term.x), packed(term.z)) for term in terms]
    return smaller, moved, {place[qubit]: gate for qubit, gate in last_gates.items()}


def _grown(live: int, masks: list[int]) -> int:
    """The live qubits and all qubits that masks connect with them."""
    before = -1
    while before != live:
        before = live
        for mask in masks:
            live |= mask if mask & live else 0
    return live


def is_fixed(layer: Layer) -> bool:
    return all(isinstance(gate, Fixed) for gates in layer.gates.values() for gate in gates)


def product_of(gates: Sequence[Fixed | Rotation]) -> np.ndarray:
    matrix = np.eye(2, dtype=complex)
    for gate in gates:
        assert isinstance(gate, Fixed)
        matrix = gate.matrix @ matrix
    return matrix
