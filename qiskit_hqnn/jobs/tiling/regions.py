"""The regions of every circuit at one place, kept between processes like the templates they were made of."""

from __future__ import annotations

import io
import json
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path

from qiskit import QuantumCircuit, qpy

from qiskit_hqnn._files import write_bytes
from qiskit_hqnn.jobs.devices import (
    LEVELS,
    SEEDS,
    Device,
    PinnedCalibration,
    check_isa,
    fingerprint,
    without_phase,
)
from qiskit_hqnn.jobs.tiling.choosing import Region, find_regions
from qiskit_hqnn.jobs.tiling.options import Tiles

_KEPT = 64
_found: OrderedDict[str, list[Region]] = OrderedDict()


class Regions:
    """The regions of one place.

    Args:
        device: the place's.
        today: id of the present calibration.
        cache: folder that keeps regions between processes.
        pinned: id of an earlier calibration, whose regions are used while `device` still takes their circuits.
        tiles: how many, how good, and how far from each other.
    """

    def __init__(
        self, device: Device, today: str, cache: Path | None, pinned: str | None, tiles: Tiles
    ) -> None:
        self._device, self._cache, self.tiles = device, cache, tiles
        self._calibration = PinnedCalibration(device, today, pinned)

    @property
    def calibration(self) -> str:
        """Id of the calibration that is used."""
        return self._calibration.id

    def for_circuit(self, circuit: QuantumCircuit) -> Sequence[Region]:
        """The regions of a circuit, best expected success first.

        Raises:
            DeviceError: if the device cannot run it, or has room for fewer regions than were asked for.
        """
        circuit = without_phase(circuit)
        found = self._calibration.kept(
            lambda earlier: self._earlier(circuit, earlier), "its regions were not kept"
        )
        return regions_of(circuit, self._device, self.tiles, self._cache) if found is None else found

    def _earlier(self, circuit: QuantumCircuit, earlier: Device) -> list[Region] | None:
        key = _key(circuit, earlier, self.tiles)
        found = _found.get(key) or _from_disk(self._cache, key)
        for region in found or ():
            assert earlier.target is not None
            check_isa(region.circuit, earlier.target, earlier.name)
        return found


def regions_of(
    circuit: QuantumCircuit, device: Device, tiles: Tiles, cache: Path | None = None
) -> list[Region]:
    """As `find_regions`, found once for each circuit, device, calibration and tiles.

    Args:
        circuit, device, tiles: as there.
        cache: folder that keeps regions between processes; None keeps them in memory only.
    """
    key = _key(circuit, device, tiles)
    found = _found.get(key) or _from_disk(cache, key)
    if found is None:
        found = find_regions(circuit, device, tiles)
    if cache is not None and not (cache / f"{key}.json").exists():
        _to_disk(cache, key, found)
    _found[key] = found
    while len(_found) > _KEPT:
        _found.popitem(last=False)
    return found


def _key(circuit: QuantumCircuit, device: Device, tiles: Tiles) -> str:
    template = fingerprint(circuit, device, range(SEEDS), LEVELS)
    return f"tiles-{sha256(json.dumps([template, asdict(tiles)]).encode()).hexdigest()}"


def _to_disk(folder: Path, key: str, regions: Sequence[Region]) -> None:
    file = io.BytesIO()
    qpy.dump([region.circuit for region in regions], file)
    described = [
        {"logical": region.logical, "qubits": region.qubits, "expected_success": region.expected_success}
        for region in regions
    ]
    write_bytes(folder / f"{key}.qpy", file.getvalue())
    write_bytes(folder / f"{key}.json", json.dumps(described).encode())


def _from_disk(folder: Path | None, key: str) -> list[Region] | None:
    if folder is None or not (folder / f"{key}.qpy").exists() or not (folder / f"{key}.json").exists():
        return None
    try:
        described = json.loads((folder / f"{key}.json").read_text(encoding="utf-8"))
        with (folder / f"{key}.qpy").open("rb") as file:
            circuits = qpy.load(file)
        return [
            Region(circuit, tuple(one["logical"]), tuple(one["qubits"]), float(one["expected_success"]))
            for circuit, one in zip(circuits, described, strict=True)
        ]
    except Exception:  # QPY has no specific error for a damaged file: an unreadable one is computed again
        return None
