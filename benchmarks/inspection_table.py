"""The job manager's template against Qiskit's `transpile(optimization_level=3)`: expected success by the calibration.

`python -m benchmarks.inspection_table [--draws 5]` prints a Markdown table over the six ansätze and five devices.
Without a seed `transpile` draws one, so each cell has the range of several calls.
"""

from __future__ import annotations

import argparse
from statistics import fmean

from qiskit import QuantumCircuit, transpile
from qiskit.transpiler import Target

from qiskit_hqnn.circuits import ANSATZE
from qiskit_hqnn.jobs.devices import expected_success, resolve_device, transpile_template

DEVICES = ("fake_fez", "fake_torino", "fake_marrakesh", "fake_sherbrooke", "fake_brisbane")


def main() -> None:
    """Print the table as it grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--draws", type=int, default=5, help="calls of transpile in each cell")
    draws = parser.parse_args().draws
    print("| ansatz | " + " | ".join(f"{name}: default → ours" for name in DEVICES) + " |")
    print("|---|" + "--:|" * len(DEVICES))
    behind: list[float] = []
    behind_mean = 0
    for name, factory in ANSATZE.items():
        circuit, row = factory().circuit, []
        for word in DEVICES:
            device = resolve_device(word)
            assert device.target is not None
            theirs = [default_success(circuit, device.target) for _ in range(draws)]
            ours = transpile_template(circuit, device).expected_success
            behind += [one - ours for one in theirs if ours < one]
            behind_mean += ours < fmean(theirs)
            low, high = f"{min(theirs):.3f}", f"{max(theirs):.3f}"
            row.append(f"{low if low == high else f'{low} – {high}'} → {ours:.3f}")
        print(f"| {name} | " + " | ".join(row) + " |", flush=True)
    cells = len(ANSATZE) * len(DEVICES)
    print(
        f"\nBehind {len(behind)} of {cells * draws} calls, by at most {max(behind, default=0):.3f}; behind the mean "
        f"of a cell in {behind_mean} of {cells}."
    )


def default_success(circuit: QuantumCircuit, target: Target) -> float:
    """Expected success of what one call of `transpile` gives."""
    plain = transpile(circuit, target=target, optimization_level=3)
    logical = tuple(plain.layout.final_index_layout(filter_ancillas=True))
    return expected_success(plain, logical, target)


if __name__ == "__main__":
    main()
