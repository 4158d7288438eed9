"""The job manager's template against Qiskit's `transpile(optimization_level=3)`: expected success by the calibration.

`python -m benchmarks.inspection_table` prints a Markdown table over the six ansätze and five devices.
"""

from __future__ import annotations

import sys

from qiskit import transpile

from qiskit_hqnn.circuits import ANSATZE
from qiskit_hqnn.jobs.devices import resolve_device
from qiskit_hqnn.jobs.transpiling import expected_success, transpile_template

DEVICES = ("fake_fez", "fake_torino", "fake_marrakesh", "fake_sherbrooke", "fake_brisbane")


def main() -> None:
    """Print the table as it grows."""
    print("| ansatz | " + " | ".join(f"{name}: default → ours" for name in DEVICES) + " |")
    print("|---|" + "--:|" * len(DEVICES))
    behind = 0
    for name, factory in ANSATZE.items():
        circuit, cells = factory().circuit, []
        for word in DEVICES:
            device = resolve_device(word)
            assert device.target is not None
            plain = transpile(circuit, target=device.target, optimization_level=3)
            logical = tuple(plain.layout.final_index_layout(filter_ancillas=True))
            theirs = expected_success(plain, logical, device.target)
            ours = transpile_template(circuit, device).expected_success
            behind += ours < theirs
            cells.append(f"{theirs:.3f} → {ours:.3f}")
        print(f"| {name} | " + " | ".join(cells) + " |")
        sys.stdout.flush()
    print(f"\nBehind the default in {behind} of {len(ANSATZE) * len(DEVICES)}.")


if __name__ == "__main__":
    main()
