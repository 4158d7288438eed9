"""From a circuit to what a place takes: Aer's gates, a device's template of today or of an earlier calibration."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from qiskit import QuantumCircuit

from qiskit_hqnn.errors import DeviceError
from qiskit_hqnn.jobs.devices.aer_gates import in_gates_of
from qiskit_hqnn.jobs.devices.device import Device
from qiskit_hqnn.jobs.devices.transpiling import ISATemplate, kept_template, transpile_template

_KEPT_IDEAL = 16


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
        self._ideal: dict[int, tuple[QuantumCircuit, QuantumCircuit]] = {}
        self.calibration = pinned or today

    def of(self, circuit: QuantumCircuit) -> tuple[QuantumCircuit, Sequence[int]]:
        """A circuit as the place takes it, and where each of its qubits is at the end."""
        if self._device.target is None:
            isa = self._for_aer(circuit)
            if isa.layout is None:
                return isa, range(circuit.num_qubits)
            return isa, isa.layout.final_index_layout(filter_ancillas=True)
        template = None if self.calibration == self._today else self._earlier(circuit)
        if template is None:
            template = transpile_template(circuit, self._device, cache=self._cache)
        return template.circuit, template.logical

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
                f"{self._device.name} goes on with today's calibration, and what was sent under the earlier one is not "
                f"used again: {reason}.",
                stacklevel=2,
            )
        return template

    def _for_aer(self, circuit: QuantumCircuit) -> QuantumCircuit:
        known = self._ideal.get(id(circuit))
        if known is None or known[0] is not circuit:
            known = (circuit, in_gates_of(self._device.simulator, circuit))
            kept = list(self._ideal.items())[1 - _KEPT_IDEAL :]
            self._ideal = {**dict(kept), id(circuit): known}
        return known[1]
