"""What a device's fractional gates would change for a circuit, in a sentence."""

from __future__ import annotations

from qiskit_hqnn.errors import HQNNError
from qiskit_hqnn.inspection.candidates import price_of
from qiskit_hqnn.inspection.subjects import Subject
from qiskit_hqnn.jobs import the_other_way
from qiskit_hqnn.jobs.devices import Device, ISATemplate, transpile_template


def fractional_note(subject: Subject, device: Device, used: ISATemplate, samples: int, shots: int) -> str:
    """Whether fractional gates are used, and what the alternative would give and cost; empty if there are none."""
    other = the_other_way(device)
    if other is None:
        return device.rule
    try:
        template = transpile_template(subject.sent, other)
        price = price_of(subject, template, other, samples, shots)
    except HQNNError as error:  # such as a mitigation that takes no rzz
        return f"{device.rule} {'Without' if device.fractional else 'With'} them: {error}"
    own = price_of(subject, used, device, samples, shots)
    return (
        f"{device.rule or f'{device.name} has fractional gates, which are left out.'} "
        f"{'Without' if device.fractional else 'With'} them: expected success {template.expected_success:.3f} "
        f"in place of {used.expected_success:.3f}, {_two_qubit_gates(template)} two-qubit gates in place of "
        f"{_two_qubit_gates(used)}, {price.qpu_seconds:,.1f} QPU seconds in place of {own.qpu_seconds:,.1f}."
    )


def _two_qubit_gates(template: ISATemplate) -> int:
    return sum(len(step.qubits) == 2 and step.name != "barrier" for step in template.circuit.data)
