"""Disjoint regions of a device for one circuit: the best first, down to a floor, and with room between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from qiskit import QuantumCircuit

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices import Device, check_isa
from qiskit_hqnn.jobs.tiling.options import Tiles
from qiskit_hqnn.jobs.tiling.placing import DeviceMap, Places, places_of
from qiskit_hqnn.jobs.tiling.shapes import Component, Shape, moved, shapes_of

_COMPARED = 4_000
"""Places that are held against each other where best first leaves too few regions."""


@dataclass(frozen=True, eq=False)
class Region:
    """Qubits of a device that run a circuit.

    Attributes:
        circuit: in the device's gates, on all its qubits, parameters open.
        logical: where each qubit of the user's circuit is at the end.
        qubits: all that it uses.
        expected_success: predicted probability that no gate and no readout fails.
    """

    circuit: QuantumCircuit
    logical: tuple[int, ...]
    qubits: tuple[int, ...]
    expected_success: float


@dataclass(frozen=True, eq=False)
class _Put:
    """A shape somewhere: of each component, its variant and the device's qubits."""

    parts: tuple[tuple[Component, np.ndarray], ...]
    logical: int
    log_success: float

    @property
    def qubits(self) -> np.ndarray:
        return np.concatenate([qubits for _, qubits in self.parts])

    def region(self, device: Device) -> Region:
        assert device.target is not None
        size = int(device.target.num_qubits)
        circuit: QuantumCircuit | None = None
        logical = [0] * self.logical
        for component, qubits in self.parts:
            places = {index: int(qubit) for index, qubit in enumerate(qubits)}
            part = moved(component.circuit, places, size)
            if circuit is None:
                circuit = part
            else:
                circuit.compose(part, qubits=range(size), clbits=range(part.num_clbits), inplace=True)
            for number, place in component.logical:
                logical[number] = places[place]
        assert circuit is not None
        check_isa(circuit, device.target, device.name)
        used = tuple(sorted(int(qubit) for qubit in self.qubits))
        return Region(circuit, tuple(logical), used, float(np.exp(self.log_success)))


def find_regions(circuit: QuantumCircuit, device: Device, tiles: Tiles) -> list[Region]:
    """Disjoint regions of a device for a circuit, best expected success first.

    The circuit is transpiled once for each shape of region that the transpiler's seeds and levels find, and for each
    set of directions of its gates, and then placed wherever the device has that shape.

    Args:
        circuit: unmeasured or measured; its parameters stay open.
        device: with a target.
        tiles: how many, how good, and how far from each other.

    Raises:
        DeviceError: if it cannot run the circuit, or has room for fewer regions than were asked for.
    """
    map_ = DeviceMap(device)
    known = [
        (shape, [places_of(component, map_) for component in shape.components])
        for shape in shapes_of(circuit, device)
    ]
    puts = _best_first(known, map_, tiles)
    if not puts:
        raise DeviceError(f"{device.name} has no region on which circuit {circuit.name!r} can succeed.")
    if isinstance(tiles.count, int) and len(puts) < tiles.count:
        best = puts[0]
        puts = max(puts, _packed(known, map_, tiles, best), key=len)
        if len(puts) < tiles.count:
            raise DeviceError(_too_many(device, tiles, len(puts), best))
    return [put.region(device) for put in puts]


def _too_many(device: Device, tiles: Tiles, fitting: int, best: _Put) -> str:
    regions = "one region" if fitting == 1 else f"{fitting} regions"
    space = f" with {tiles.spacing} idle between two" if tiles.spacing else ""
    return (
        f"Argument `tiles` is {tiles.count}, but {device.name} has room for {regions} of {len(best.qubits)} qubits"
        f"{space}, each with at least {tiles.floor:g} of the best one's expected success, "
        f"{np.exp(best.log_success):.3f}: use fewer, 'auto', or a lower floor."
    )


_Known = Sequence[tuple[Shape, list[Places]]]


def _best_first(known: _Known, map_: DeviceMap, tiles: Tiles) -> list[_Put]:
    """Always the best region that is left."""
    blocked = np.zeros(len(map_.graph), dtype=bool)
    found: list[_Put] = []
    wanted = tiles.count if isinstance(tiles.count, int) else len(map_.graph)
    while len(found) < wanted:
        left = [put for shape, places in known if (put := _best_left(shape, places, blocked))]
        if not left:
            break
        best = max(left, key=lambda put: put.log_success)
        if found and best.log_success < found[0].log_success + np.log(tiles.floor):
            break
        found.append(best)
        blocked |= _around(best.qubits, map_, tiles.spacing)
    return found


def _around(qubits: np.ndarray, map_: DeviceMap, spacing: int) -> np.ndarray:
    near: np.ndarray = (map_.distance[qubits] <= spacing).any(axis=0)
    return near


def _best_left(shape: Shape, places: Sequence[Places], blocked: np.ndarray) -> _Put | None:
    """The shape at the best places that are free, component by component, the largest first."""
    taken = blocked.copy()
    parts = []
    total = 0.0
    for of_component in places:
        free = np.flatnonzero(~taken[of_component.qubits].any(axis=1))
        if not len(free):
            return None
        first = int(free[0])
        qubits = of_component.qubits[first]
        taken[qubits] = True
        parts.append((of_component.variants[of_component.variant[first]], qubits))
        total += float(of_component.log_success[first])
    return _Put(tuple(parts), shape.logical, total)


def _packed(known: _Known, map_: DeviceMap, tiles: Tiles, best: _Put) -> list[_Put]:
    """More regions than best first may find: always the one that takes room from the fewest others.

    For shapes of one component.
    """
    floor = best.log_success + np.log(tiles.floor)
    every = [
        _Put(((of.variants[of.variant[row]], of.qubits[row]),), shape.logical, float(of.log_success[row]))
        for shape, places in known
        if len(places) == 1
        for of in places
        for row in np.flatnonzero(of.log_success >= floor)
    ]
    # Of all places on the same qubits the best one stands for them.
    distinct = {
        tuple(sorted(put.qubits.tolist())): put for put in sorted(every, key=lambda put: put.log_success)
    }
    puts = sorted(distinct.values(), key=lambda put: -put.log_success)[:_COMPARED]
    if not puts:
        return []
    covers = np.zeros((len(puts), len(map_.graph)), dtype=np.float32)
    around = np.zeros_like(covers)
    for row, put in enumerate(puts):
        covers[row, put.qubits] = 1
        around[row] = _around(put.qubits, map_, tiles.spacing)
    excludes = around @ covers.T > 0
    left = np.ones(len(puts), dtype=bool)
    found: list[_Put] = []
    while left.any():
        rivals = (excludes & left).sum(axis=1)
        row = int(np.flatnonzero(left)[rivals[left].argmin()])
        found.append(puts[row])
        left &= ~excludes[row]
    wanted = tiles.count if isinstance(tiles.count, int) else len(found)
    return sorted(found, key=lambda put: -put.log_success)[:wanted]
