"""From a circuit to what a place takes: Aer's gates, a device's template of today or of an earlier calibration."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qiskit import QuantumCircuit

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices.aer_gates import in_gates_of
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.identity import circuit_bytes
from qiskit_hqnn.jobs.devices.transpiling import ISATemplate, kept_template, transpile_template

_KEPT = 64


class Templates:
    """The templates of one place.

    Args:
        device: the place's.
        today: id of the present calibration.
        cache: folder that keeps templates between processes.
        pinned: id of an earlier calibration, whose templates are used while `device` still takes them.

    Attributes:
        calibration: id of the one that is used.
    """

    def __init__(self, device: Device, today: str, cache: Path | None, pinned: str | None = None) -> None:
        self._device, self._today, self._cache = device, today, cache
        self._kept: OrderedDict[tuple[bytes, str], tuple[QuantumCircuit, tuple[int, ...]]] = OrderedDict()
        self.calibration = pinned or today

    def of(
        self, circuit: QuantumCircuit, content: bytes | None = None
    ) -> tuple[QuantumCircuit, Sequence[int]]:
        """A circuit as the place takes it, without a global phase, and where each of its qubits is at the end.

        Args:
            circuit: as its user wrote it.
            content: its `circuit_bytes`, under which it is kept: a circuit that was changed is another. None computes
                them.
        """
        if content is None:
            content = circuit_bytes(circuit)
        found = self._kept.get((content, self.calibration))
        if found is None:
            found = self._made(circuit)
        self._kept[content, self.calibration] = found
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return found

    def _made(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, tuple[int, ...]]:
        # No outcome depends on the phase of a whole circuit, and a parameter that is only there would be left over.
        circuit = circuit.copy()
        circuit.global_phase = 0
        if self._device.target is None:
            isa = in_gates_of(self._device, circuit)
            layout = isa.layout
            places = (
                range(circuit.num_qubits)
                if layout is None
                else layout.final_index_layout(filter_ancillas=True)
            )
        else:
            template = None if self.calibration == self._today else self._earlier(circuit)
            if template is None:
                template = transpile_template(circuit, self._device, cache=self._cache)
            isa, places = template.circuit.copy(), template.logical
        isa.global_phase = 0
        return isa, tuple(places)

    def _earlier(self, circuit: QuantumCircuit) -> ISATemplate | None:
        """The template of the earlier calibration; None, and back to today's, where it cannot be used any more."""
        earlier = replace(self._device, calibration=self.calibration)
        try:
            template = kept_template(circuit, earlier, self._cache)
            reason = "its circuit was not kept"
        except DeviceError as error:
            template, reason = None, str(error).removesuffix(".")
        if template is None:
            self.calibration = self._today
            warnings.warn(
                f"{self._device.name} continues with today's calibration, and what was sent under the earlier one is "
                f"not used again: {reason}.",
                stacklevel=2,
            )
        return template
