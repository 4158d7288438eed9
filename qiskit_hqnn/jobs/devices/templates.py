"""From a circuit to what a place takes: Aer's gates, a device's template of today or of an earlier calibration."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

from qiskit import QuantumCircuit

from qiskit_hqnn.jobs.devices.aer_gates import in_gates_of
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.pinned import PinnedCalibration
from qiskit_hqnn.jobs.devices.transpiling import kept_template, transpile_template

_KEPT = 64


class Templates:
    """The templates of one place.

    Args:
        device: the place's.
        today: id of the present calibration.
        cache: folder that keeps templates between processes.
        pinned: id of an earlier calibration, whose templates are used while `device` still takes them.
    """

    def __init__(self, device: Device, today: str, cache: Path | None, pinned: str | None = None) -> None:
        self._device, self._cache = device, cache
        self._calibration = PinnedCalibration(device, today, pinned)
        self._kept: OrderedDict[tuple[bytes, str], tuple[QuantumCircuit, tuple[int, ...]]] = OrderedDict()

    @property
    def calibration(self) -> str:
        """Id of the calibration that is used."""
        return self._calibration.id

    def for_circuit(
        self, circuit: QuantumCircuit, content: bytes | None = None
    ) -> tuple[QuantumCircuit, Sequence[int]]:
        """A circuit in the form that the place accepts, without a global phase, and the final place of each qubit.

        Args:
            circuit: as its user wrote it.
            content: its `circuit_bytes`, under which it is kept: a circuit that was changed is another. None computes
                them.
        """
        if content is None:
            content = circuit_bytes(circuit)
        found = self._kept.get((content, self.calibration))
        if found is None:
            found = self._transpiled(circuit)
        self._kept[content, self.calibration] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _transpiled(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        circuit = without_phase(circuit)
        if self._device.target is None:
            isa = in_gates_of(self._device, circuit)
            layout = isa.layout
            places = (
                range(circuit.num_qubits)
                if layout is None
                else layout.final_index_layout(filter_ancillas=True)
            )
        else:
            template = self._calibration.kept(
                lambda earlier: kept_template(circuit, earlier, self._cache), "its circuit was not kept"
            )
            if template is None:
                template = transpile_template(circuit, self._device, cache=self._cache)
            isa, places = template.circuit.copy(), template.logical
        isa.global_phase = 0
        return isa, tuple(places)


def without_phase(circuit: QuantumCircuit) -> QuantumCircuit:
    """A copy without the global phase: no outcome depends on it, and a parameter only there would be left over."""
    bare = circuit.copy()
    bare.global_phase = 0
    return bare
